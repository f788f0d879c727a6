package pcapfile

import (
	"bytes"
	"testing"
)

// One large record must not cost its size for as long as the file is open.
func TestWindowShrinksAgain(t *testing.T) {
	w := newWindow(bytes.NewReader(make([]byte, 4*MaxCaplen)), 1000)
	for _, c := range []struct{ need, size int }{
		{10, 1000}, {1001, 1001}, {MaxCaplen, MaxCaplen}, {10, MaxCaplen}, {MaxCaplen, MaxCaplen},
	} {
		if err := w.fill(c.need); err != nil || len(w.buf) != c.size {
			t.Fatalf("fill(%d): buffer of %d, want %d, error %v", c.need, len(w.buf), c.size, err)
		}
		w.pos += min(c.need, 500)
	}
	w.pos = w.end
	if err := w.fill(10); err != nil || len(w.buf) != DefaultBuf {
		t.Errorf("buffer of %d after a large record, want %d, error %v", len(w.buf), DefaultBuf, err)
	}
	if w.offset() != w.base || w.base < MaxCaplen {
		t.Errorf("offset %d, base %d", w.offset(), w.base)
	}
}
