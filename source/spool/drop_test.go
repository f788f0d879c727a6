package spool_test

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"pcapdir/source/spool"
)

// forgetful remembers what is to be forgotten.
type forgetful struct {
	spool.OS
	mu    sync.Mutex
	spans [][2]int64
}

func (f *forgetful) Open(path string) (spool.OpenFile, error) {
	file, err := f.OS.Open(path)
	return &forgetfulFile{file, f}, err
}

type forgetfulFile struct {
	spool.OpenFile
	fs *forgetful
}

func (f *forgetfulFile) Forget(off, n int64) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.spans = append(f.fs.spans, [2]int64{off, off + n})
	f.OpenFile.Forget(off, n)
}

// What a stream has read is forgotten, all of it, in large pieces; what is read in other
// ways, or without being asked to, is not.
func TestDropBehind(t *testing.T) {
	const size, from = 20<<20 + 77, 100
	text := bytes.Repeat([]byte("capture "), size/8+1)[:size]
	path := write(t, filepath.Join(t.TempDir(), "a"), text)
	for _, c := range []struct {
		drops bool
		want  [][2]int64
	}{
		{true, [][2]int64{{from, from + 8<<20}, {from + 8<<20, from + 16<<20}, {from + 16<<20, size}}},
		{false, nil},
	} {
		fsys := &forgetful{}
		pool := spool.NewDescriptors(fsys, 1)
		if c.drops {
			pool.DropBehind()
		}
		h := pool.File(path, spool.Identity{})
		if _, err := h.ReadAt(make([]byte, 100), 0); err != nil {
			t.Fatal(err)
		}
		got := new(bytes.Buffer)
		if _, err := io.CopyBuffer(struct{ io.Writer }{got}, h.Stream(from), make([]byte, 1<<20)); err != nil || !bytes.Equal(got.Bytes(), text[from:]) {
			t.Fatalf("%d bytes read, %v", got.Len(), err)
		}
		must(t, h.Close())
		if !slices.Equal(fsys.spans, c.want) {
			t.Errorf("drops %v: forgotten %v, want %v", c.drops, fsys.spans, c.want)
		}
	}
}
