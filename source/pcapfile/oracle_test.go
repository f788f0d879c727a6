package pcapfile_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// oracle holds real captures with what Zeek says of them. It is not in the repo.
const oracle = "../../../shared/oracle"

type reference struct {
	Pcap    string `json:"pcap"`
	Path    string `json:"path"`
	Packets *int   `json:"packets"` // nil: nobody counted them
	Exit    int    `json:"zeek_exit"`
}

func references(t *testing.T) []reference {
	f, err := os.Open(filepath.Join(oracle, "index.jsonl"))
	if err != nil {
		t.Skipf("no reference captures beside the repo: %v", err)
	}
	defer f.Close()
	var refs []reference
	for dec := json.NewDecoder(bufio.NewReader(f)); dec.More(); {
		var ref reference
		if err := dec.Decode(&ref); err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	return refs
}

func readFile(t *testing.T, path string) ([]pcapfile.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	recs, err := pcaptest.ReadAll(f)
	var damage *pcapfile.DamageError
	if err != nil && !errors.As(err, &damage) {
		t.Errorf("%s: %v, neither an end nor damage", path, err)
	}
	return recs, err
}

// Zeek counts every record that libpcap framed: the counts must be the same.
func TestCountsOfReferenceCaptures(t *testing.T) {
	for _, ref := range references(t) {
		recs, err := readFile(t, filepath.Join(oracle, ref.Pcap))
		if ref.Exit == 0 && ref.Packets != nil && len(recs) != *ref.Packets {
			t.Errorf("%s (%s): %d records, Zeek has %d; error %v", ref.Pcap, ref.Path, len(recs), *ref.Packets, err)
		}
	}
}

// Captures that make libpcap or Zeek give up come to an end here too.
func TestBrokenReferenceCaptures(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(oracle, "broken", "*.pcap*"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no broken captures beside the repo: %v", err)
	}
	for _, path := range paths {
		recs, err := readFile(t, path)
		t.Logf("%s: %d records, %v", filepath.Base(path), len(recs), err)
	}
}
