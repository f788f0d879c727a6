package spool

import (
	"bytes"
	"testing"
)

// Whatever a manifest holds, its entries are within their bounds.
func FuzzManifest(f *testing.F) {
	for _, s := range []string{"a\nb\r\n# c\n\n", "a\x00b\n\x00\x00", "\n", "", "\xff/../x", string(bytes.Repeat([]byte("x"), pathMax+1))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := entriesOf(t.Context(), bytes.NewReader(b), int64(len(b)), manifestLimits{1 << 20, 100})
		if err != nil {
			return
		}
		if len(entries) > 100 {
			t.Errorf("%d entries", len(entries))
		}
		for _, e := range entries {
			if e == "" || len(e) > pathMax || !bytes.Contains(b, []byte(e)) || bytes.ContainsRune([]byte(e), 0) {
				t.Errorf("entry %q of %q", e, b)
			}
		}
	})
}
