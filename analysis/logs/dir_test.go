package logs

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var (
	first  = []byte("{\"n\":1}\n{\"n\":2}\n")
	second = []byte("{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n")
)

// openTestDir is a Dir in a new directory, and the path of its log "x".
func openTestDir(t *testing.T) (*Dir, string) {
	t.Helper()
	path := t.TempDir()
	return reopenTestDir(t, path), filepath.Join(path, "x.log")
}

func reopenTestDir(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func mustAppend(t *testing.T, d *Dir, at Position, lines []byte) Position {
	t.Helper()
	p, err := d.Append("x", at, bytes.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestAppendTwice(t *testing.T) {
	d, path := openTestDir(t)
	if at, err := d.Position("x"); err != nil || at != (Position{}) {
		t.Errorf("position of an absent log %v, %v", at, err)
	}
	if mustAppend(t, d, Position{}, nil); exists(path) {
		t.Error("no lines made a file")
	}
	at := mustAppend(t, d, Position{}, first)
	at = mustAppend(t, d, at, second)
	wantFile(t, path, string(first)+string(second))
	if now, err := d.Position("x"); err != nil || now != at || at.Replaced {
		t.Errorf("position %v (%v), appended up to %v", now, err, at)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^0o640 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		t.Error(err)
	}
}

// Where the directory is gone for a while, nothing is said of a log in it: it may be
// there when the directory is back.
func TestDirectoryIsGone(t *testing.T) {
	d, path := openTestDir(t)
	at := mustAppend(t, d, Position{}, first)
	away := filepath.Dir(path) + ".away"
	if err := os.Rename(filepath.Dir(path), away); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Position("x"); err == nil {
		t.Errorf("the log is at %v", got)
	}
	if _, err := d.Append("x", at, bytes.NewReader(second)); err == nil {
		t.Error("a line was written to nowhere")
	}
	if err := os.Rename(away, filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Position("x"); err != nil || got != at {
		t.Errorf("the log is at %v (%v), want %v", got, err, at)
	}
	mustAppend(t, d, at, second)
	wantFile(t, path, string(first)+string(second))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A crash leaves any number of the bytes, or a longer file that holds zeros. The
// repeated Append, by a new process, must end with every line once and in place.
func TestAppendHealsEveryCut(t *testing.T) {
	for _, before := range []string{"", string(first)} {
		for cut := range len(second) + 1 {
			for _, zeros := range []int{0, len(second) - cut} {
				d, path := openTestDir(t)
				at := Position{}
				if before != "" {
					at = mustAppend(t, d, at, []byte(before))
				}
				left := before + string(second[:cut]) + strings.Repeat("\x00", zeros)
				if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640); err != nil {
					t.Fatal(err)
				} else if _, err := f.WriteAt([]byte(left), 0); err != nil || f.Close() != nil {
					t.Fatal(err)
				}
				again := reopenTestDir(t, filepath.Dir(path))
				if end := mustAppend(t, again, at, second); end.Replaced || end.Length != int64(len(before)+len(second)) {
					t.Errorf("cut at %d of %q: %v", cut, before, end)
				}
				wantFile(t, path, before+string(second))
			}
		}
	}
}

// What others may do to a log between two commits, and where the lines then go.
func TestAppendAfterOthers(t *testing.T) {
	for _, c := range []struct {
		name     string
		meddle   func(t *testing.T, path string)
		want     string // of the file that bears the name afterwards
		replaced bool
	}{
		{"nothing", func(*testing.T, string) {}, string(first) + string(second), false},
		{"removed", func(t *testing.T, path string) { os.Remove(path) }, string(second), true},
		{"renamed", func(t *testing.T, path string) { os.Rename(path, path+".1") }, string(second), true},
		{"renamed and made anew", func(t *testing.T, path string) {
			os.Rename(path, path+".1")
			write(t, path, "")
		}, string(second), true},
		{"renamed and another put there", func(t *testing.T, path string) {
			os.Rename(path, path+".1")
			write(t, path, "theirs\n")
		}, "theirs\n" + string(second), true},
		{"another that ends in half a line", func(t *testing.T, path string) {
			os.Remove(path)
			write(t, path, "half")
		}, "half\n" + string(second), true},
		{"truncated", func(t *testing.T, path string) { os.Truncate(path, 0) }, string(second), true},
		{"cut inside a line", func(t *testing.T, path string) { os.Truncate(path, 6) }, string(first[:6]) + "\n" + string(second), true},
		{"appended to", func(t *testing.T, path string) {
			write(t, path, string(first)+"theirs\n")
		}, string(first) + "theirs\n" + string(second), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, path := openTestDir(t)
			at := mustAppend(t, d, Position{}, first)
			c.meddle(t, path)
			end := mustAppend(t, d, at, second)
			wantFile(t, path, c.want)
			if end.Replaced != c.replaced || end.Length != int64(len(c.want)) {
				t.Errorf("got %+v, want replaced %v and length %d", end, c.replaced, len(c.want))
			}
			if mustAppend(t, d, end, first).Replaced {
				t.Error("the next lines do not follow")
			}
			wantFile(t, path, c.want+string(first))
			if err := d.Sync(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Rotated from outside, and the first Append to the new file cut short: still once.
func TestAppendHealsCutsAfterRotation(t *testing.T) {
	for cut := range len(second) + 1 {
		d, path := openTestDir(t)
		at := mustAppend(t, d, Position{}, first)
		os.Rename(path, path+".1")
		write(t, path, string(second[:cut]))
		if end := mustAppend(t, d, at, second); !end.Replaced {
			t.Errorf("cut at %d: %v", cut, end)
		}
		wantFile(t, path, string(second))
		wantFile(t, path+".1", string(first))
	}
}

// A log that stood there before, unknown to the ledger, is not ours to overwrite.
func TestAppendToUnknownLog(t *testing.T) {
	d, path := openTestDir(t)
	write(t, path, "older\n")
	if end := mustAppend(t, d, Position{}, first); !end.Replaced {
		t.Error("not said")
	}
	wantFile(t, path, "older\n"+string(first))
	at, err := d.Position("x")
	if err != nil || at.Length != int64(6+len(first)) {
		t.Errorf("position %v, %v", at, err)
	}
}

func TestDirectoryRemovedAndBack(t *testing.T) {
	d, path := openTestDir(t)
	at := mustAppend(t, d, Position{}, first)
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Append("x", at, bytes.NewReader(second)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if end := mustAppend(t, d, at, second); !end.Replaced {
		t.Error("not said")
	}
	wantFile(t, path, string(second))
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
}

func TestNotARegularFile(t *testing.T) {
	d, path := openTestDir(t)
	for name, make := range map[string]func() error{
		"fifo":      func() error { return syscall.Mkfifo(path, 0o640) },
		"directory": func() error { return os.Mkdir(path, 0o750) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Append("x", Position{}, bytes.NewReader(first)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := d.Position("x"); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := OpenDir(filepath.Join(path, "new", "deep")); err != nil || !exists(p.path) {
		t.Error(err)
	}
	write(t, path+"file", "")
	if _, err := OpenDir(path + "file"); err == nil {
		t.Error("a file taken for a directory")
	}
}

// Any schedule of commits, crashes and restarts leaves the file of an undisturbed
// run, and a reader that looks in between sees only beginnings of it.
func TestAppendRandomCrashes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		d, path := openTestDir(t)
		var whole string
		var at Position
		for range 8 {
			lines := strings.Repeat("{\"n\":"+strings.Repeat("7", rng.IntN(9)+1)+"}\n", rng.IntN(4)+1)
			for range rng.IntN(3) { // attempts that end early
				d = reopenTestDir(t, filepath.Dir(path))
				disk := disk{room: rng.IntN(len(lines))}
				disk.under(d)
				if _, err := d.Append("x", at, strings.NewReader(lines)); err == nil {
					t.Fatal("not cut short")
				}
				seen, _ := os.ReadFile(path)
				if !strings.HasPrefix(whole+lines, string(seen)) {
					t.Fatalf("a reader saw %q of %q", seen, whole+lines)
				}
			}
			d = reopenTestDir(t, filepath.Dir(path))
			at = mustAppend(t, d, at, []byte(lines))
			whole += lines
		}
		wantFile(t, path, whole)
	}
}
