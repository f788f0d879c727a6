// Package snaptest takes state to a stream in memory and back, for tests.
package snaptest

import (
	"bytes"
	"testing"

	"pcapdir/source/snap"
)

// Written is the stream that save writes.
func Written(t testing.TB, save func(*snap.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := snap.NewWriter(&b)
	save(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Reader reads a stream.
func Reader(text []byte) *snap.Reader { return snap.NewReader(bytes.NewReader(text), int64(len(text))) }
