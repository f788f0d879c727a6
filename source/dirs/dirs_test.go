package dirs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Whether or not the file system can say it in one step: a name that is taken, even by a
// link to nothing, stays as it is.
func TestRenameNewTakesNoOthersName(t *testing.T) {
	for how, rename := range map[string]func(from, to string) error{"in one step": RenameNew, "asked": renameAsked} {
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		for _, name := range []string{"a", "b"} {
			if err := os.WriteFile(at(name), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("nowhere", at("link")); err != nil {
			t.Fatal(err)
		}
		for _, taken := range []string{"b", "link"} {
			if err := rename(at("a"), at(taken)); !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s, onto %s: %v, want %v", how, taken, err, fs.ErrExist)
			}
		}
		if err := rename(at("none"), at("new")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s, from nothing: %v, want %v", how, err, fs.ErrNotExist)
		}
		if err := rename(at("a"), at("b/new")); err == nil || errors.Is(err, fs.ErrExist) {
			t.Errorf("%s, into a file: %v, want that it is no directory", how, err)
		}
		if err := rename(at("a"), at("new")); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		for name, want := range map[string]string{"b": "b", "new": "a"} {
			if got, err := os.ReadFile(at(name)); string(got) != want {
				t.Errorf("%s: %s holds %q (%v), want %q", how, name, got, err, want)
			}
		}
	}
}

func TestSync(t *testing.T) {
	if err := Sync(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := Sync(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v, want %v", err, fs.ErrNotExist)
	}
}
