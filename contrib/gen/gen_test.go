package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var update = flag.Bool("update", false, "rewrite testdata/containers and testdata/bad")

// inflate is text without its compression, which is told by its first bytes.
func inflate(text []byte) (_ []byte, err error) {
	var r io.Reader = bytes.NewReader(text)
	switch {
	case bytes.HasPrefix(text, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(r)
	case bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func plainBytes(t *testing.T, text []byte) []byte {
	t.Helper()
	text, err := inflate(text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// gen is what the command writes to standard output.
func gen(t *testing.T, args ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := run(append(args, "-out", "-"), &b, io.Discard); err != nil {
		t.Fatal(args, err)
	}
	return b.Bytes()
}

func TestCompressionChangesNothing(t *testing.T) {
	want := gen(t, "-kind", "mix", "-packets", "500")
	for _, kind := range []string{"gzip", "zstd"} {
		got := gen(t, "-kind", "mix", "-packets", "500", "-compress", kind)
		if len(got) >= len(want) || !bytes.Equal(plainBytes(t, got), want) {
			t.Errorf("%s: %d bytes that do not give back the %d", kind, len(got), len(want))
		}
		if !bytes.Equal(got, gen(t, "-kind", "mix", "-packets", "500", "-compress", kind)) {
			t.Errorf("%s: other bytes the second time", kind)
		}
	}
}

// The files of a split hold all records of the whole and nothing else.
func TestSplitFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	args := []string{"-kind", "small", "-packets", "3000", "-files", "10", "-compress", "gzip"}
	if err := run(append(args, "-out", dir), nil, io.Discard); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "eth?-????????.pcap.gz"))
	if err != nil || len(names) != 10 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	whole := gen(t, "-kind", "small", "-packets", "3000")
	records := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = plainBytes(t, text)
		if !bytes.Equal(text[:24], whole[:24]) || len(text) == 24 {
			t.Errorf("%s: %d bytes, or another header", name, len(text))
		}
		records += len(text) - 24
	}
	if records != len(whole)-24 {
		t.Errorf("%d bytes of records, want %d", records, len(whole)-24)
	}
}

func TestOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcap")
	var said strings.Builder
	if err := run([]string{"-kind", "mix", "-packets", "100", "-out", path}, nil, &said); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(text, gen(t, "-kind", "mix", "-packets", "100")) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if !strings.HasPrefix(said.String(), "100 packets, mean ") {
		t.Errorf("said %q", said.String())
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range []string{
		"", "-out - more", "-out - -kind large", "-out - -format pcapngg", "-out - -link fddi", "-out - -compress xz",
		"-out - -files 2", "-out x -files 0", "-out - -flows -1", "-out - -no-such", "-out - -snap 3", "-out /no/such/dir/x",
	} {
		if err := run(strings.Fields(args), io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
