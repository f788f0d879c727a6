package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A few kills: the short form of what runs for hundreds.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	var out bytes.Buffer
	if err := run([]string{"-kills", "5", "-dir", t.TempDir()}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "no line was torn or changed") {
		t.Error(out.String())
	}
}

// A reader sees what is done to a log.
func TestReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conn.log")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &reader{path: path}
	if err := r.read(); err != nil {
		t.Errorf("no log yet: %v", err)
	}
	for _, c := range []struct {
		text string
		good bool
	}{{"{}\n", true}, {"{}\n{\"a\"", true}, {"{}\n{\"a\":1}\n", true}, {"{}\n{\"a\":2}\n", false}, {"{}\n", false}} {
		write(c.text)
		if err := r.read(); (err == nil) != c.good {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	write("{}\n{")
	if err := (&reader{path: path}).whole(); err == nil {
		t.Error("a torn line is whole")
	}
}
