package spool

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever lies in the file, opening it ends, and what is added then is found.
func FuzzHistory(f *testing.F) {
	f.Add([]byte(`{"Path":"/a","ContentID":1,"Place":2,"At":1}` + "\n"))
	f.Add([]byte("\x00\n\n{"))
	f.Add(bytes.Repeat([]byte("x"), recordMax+10))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, historyName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		h := remember(t, dir, time.Unix(1e9, 0), 10)
		mustAdd(t, h, record{Path: "/new", ContentID: 77})
		h = remember(t, dir, time.Unix(1e9, 0), 10)
		if r, err := h.original(77); err != nil || r == nil || r.Path != "/new" {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
