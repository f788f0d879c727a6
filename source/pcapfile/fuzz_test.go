package pcapfile_test

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"pcapdir/source/pcapfile"
)

// Whatever the bytes: no panic, an end, offsets that only rise, no more records
// than bytes allow, and the same outcome however the bytes arrive.
func FuzzReader(f *testing.F) {
	recs := mixed(5, 1)
	for _, c := range containers() {
		b := c.bytes(f, recs)
		if len(b) > 1<<20 { // the large block that is to be skipped teaches a fuzzer nothing
			continue
		}
		f.Add(b)
		f.Add(b[:len(b)-5])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at := readBounded(t, bytes.NewReader(b), len(b), 0)
		if again := readBounded(t, iotest.HalfReader(bytes.NewReader(b)), len(b), 1); again != at {
			t.Errorf("ends as %+v, in pieces as %+v", at, again)
		}
	})
}

// outcome is what must not depend on how bytes arrive.
type outcome struct {
	recs   int
	bytes  int
	offset int64
	err    string
}

func readBounded(t *testing.T, src io.Reader, size, buf int) outcome {
	r, err := pcapfile.NewReader(src, buf)
	if err != nil {
		return outcome{err: err.Error()}
	}
	var o outcome
	for {
		var rec pcapfile.Record
		before := r.Offset()
		if err := r.Next(&rec); err != nil {
			o.offset, o.err = r.Offset(), err.Error()
			if o.offset < before || o.offset > int64(size) {
				t.Fatalf("offset %d after %d of %d", o.offset, before, size)
			}
			return o
		}
		o.recs++
		o.bytes += len(rec.Data)
		if r.Offset() < before+16 || r.Offset() > int64(size) {
			t.Fatalf("record %d: offset %d after %d of %d", o.recs, r.Offset(), before, size)
		}
		if o.bytes > size || len(rec.Data) > pcapfile.MaxCaplen {
			t.Fatalf("record %d: %d bytes out of %d", o.recs, o.bytes, size)
		}
	}
}
