package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Parse ends on any text, points every problem at a line of it, and what it
// accepts survives a dump.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.toml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("fuzz", text)
		if err != nil {
			lines := bytes.Count(text, []byte("\n")) + 1
			for _, p := range err.(Problems) {
				// A relation with the defaults alone has no line, but there is none.
				if p.Line < 1 || p.Line > lines || p.Col < 1 || p.Msg == "" || p.File != "fuzz" {
					t.Errorf("misplaced in a text of %d lines: %+v", lines, p)
				}
			}
			return
		}
		again, err := Parse("dump", []byte(dump(t, c)))
		if err != nil {
			t.Fatalf("dump is refused: %v", err)
		}
		same(t, again, c)
	})
}

// Set ends on any assignment and leaves a Config that can be dumped and read.
func FuzzSet(f *testing.F) {
	for _, s := range []string{"order.window=5s", "spool.dirs=[", "a.b=1", "kmeans.k=\"\"", "conn.uid_key='''", "=", "anomaly.budget=nan"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, assignment string) {
		c := Default()
		if c.Set([]string{assignment}) != nil {
			return
		}
		if _, err := Parse("dump", []byte(dump(t, c))); err != nil {
			t.Fatalf("dump after %q is refused: %v", assignment, err)
		}
	})
}
