package pipeline_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden logs instead of comparing with them")

// The logs of a capture made by hand, whole: what changes them is seen by
// whoever changes it. They are no oracle; golden/cases.json.gz is.
func TestGoldenLogs(t *testing.T) {
	dir := filepath.Join(testdata, "golden", "logs")
	got := newJob(t).read(t, filepath.Join(testdata, "golden", "cases.pcap.gz"))
	if *update {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range identical {
		path := filepath.Join(dir, "cases."+name+".log")
		if *update {
			writeFile(t, path, got.logs[name])
			continue
		}
		want := readFile(t, path)
		if !bytes.Equal(want, got.logs[name]) {
			t.Errorf("%s differs (run with -update if that is meant):\n%s", path, firstDifference(want, got.logs[name]))
		}
	}
}
