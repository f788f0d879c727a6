package spool_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
	"pcapdir/source/spool"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func pool(fsys spool.FS, limit int) *spool.Descriptors { return spool.NewDescriptors(fsys, limit) }

// records has one small packet at each second.
func records(seconds ...int64) []pcapfile.Record {
	var recs []pcapfile.Record
	for i, s := range seconds {
		recs = append(recs, pcapfile.Record{TS: packet.Unix(s, 0), Wire: 60, Data: bytes.Repeat([]byte{byte(i)}, 60), LinkType: 1})
	}
	return recs
}

func pcap(t testing.TB, seconds ...int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pcaptest.WritePcap(&b, pcaptest.PcapOptions{LinkType: 1}, records(seconds...)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pcapng(t testing.TB, seconds ...int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pcaptest.WritePcapng(&b, pcaptest.PcapngOptions{LinkType: 1}, records(seconds...)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t testing.TB, in []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zst(t testing.TB, in []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(in, nil)
}

// write makes a file and returns its path.
func write(t testing.TB, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// must fails the test on an error of its set-up.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
