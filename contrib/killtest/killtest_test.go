package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
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

// The command runs itself anew in namespaces of its own; here that is this test.
func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		os.Exit(m.Run())
	}
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An outage of each kind.
func TestOutages(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	if text, err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("no user namespaces here: %v %s", err, text)
	}
	var out bytes.Buffer
	if err := run([]string{"-kills", "0", "-steps", "0", "-outages", "1", "-dir", t.TempDir()}, &out); err != nil {
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
	r.close()
	if eachLine([]byte("{}\n{"), isLine) == nil || eachLine([]byte("{}\n{}"), isLine) == nil {
		t.Error("a torn line is whole")
	}
}

// A reader follows a log that is rotated, and wants its last line to be whole.
func TestReaderOfARotatedLog(t *testing.T) {
	for text, good := range map[string]bool{"{}\n": true, "{}\n{": false} {
		path := filepath.Join(t.TempDir(), "conn.log")
		r := &reader{path: path}
		defer r.close()
		for n, text := range []string{text, "{\"a\":1}\n"} {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := r.read(); (err == nil) != (good || n == 0) {
				t.Errorf("%q: %v", text, err)
			}
			if err := r.read(); err == nil && string(r.seen) != text {
				t.Errorf("seen %q of %q", r.seen, text)
			}
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		}
	}
}
