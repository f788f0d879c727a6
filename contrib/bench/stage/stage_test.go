package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"pcapdir/contrib/gen/traffic"
)

// capture writes packets of a generator to a file.
func capture(t *testing.T, path string, seed uint64, packets int) {
	t.Helper()
	g, err := traffic.New(traffic.Config{Kind: "small", Packets: uint64(packets), Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := traffic.Write(&b, g, traffic.Container{Link: traffic.Ethernet}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestStagesSeeEveryPacket(t *testing.T) {
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "a.pcap"), filepath.Join(dir, "b.pcap")}
	for i, path := range files {
		capture(t, path, uint64(i+1), 3000)
	}
	for name := range stages {
		var out bytes.Buffer
		if err := run(append([]string{"-shards", "3", name}, files...), &out); err != nil || out.String() != "6000 packets\n" {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
	}
}

func TestStagesOfWhatIsNone(t *testing.T) {
	dir := t.TempDir()
	whole, cut, other := filepath.Join(dir, "whole"), filepath.Join(dir, "cut"), filepath.Join(dir, "other")
	capture(t, whole, 1, 100)
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{cut: b[:len(b)-3], other: []byte("no capture, and longer than a header")} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		for name := range stages {
			if err := run([]string{name, path}, &bytes.Buffer{}); err == nil {
				t.Errorf("%s of %s: no error", name, filepath.Base(path))
			}
		}
	}
	for _, args := range [][]string{{}, {"read"}, {"write", whole}, {"-shards", "0", "order", whole}} {
		if err := run(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
