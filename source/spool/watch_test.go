package spool_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pcapdir/source/spool"
)

// These run with inotify and the real clock, and listing is due in an hour: a
// file that is found was found because of an event. They end as soon as it is,
// or with the test binary's own limit.

// watched starts a spool and returns its directory and what it admits, by name.
func watched(t *testing.T) (dir string, names chan string) {
	t.Helper()
	root := t.TempDir()
	dir = filepath.Join(root, "in")
	names = make(chan string, 1000)
	cfg := spool.Config{Dirs: []string{dir}, Done: filepath.Join(root, "done"), Failed: filepath.Join(root, "failed"),
		After: spool.AfterDone, HoldBack: time.Millisecond, Rescan: time.Hour}
	s := spool.New(cfg, spool.Deps{Files: spool.NewDescriptors(spool.OS{}, 4), Log: quiet()})
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan struct{}), make(chan error)
	var calls int
	go func() {
		ended <- s.Run(ctx, func(_ context.Context, files []*spool.File) error {
			if calls++; calls == 1 {
				close(started)
			}
			for _, f := range files {
				names <- filepath.Join(f.Source, f.Name)
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-started
	return dir, names
}

// moveIn moves a capture to path.
func moveIn(t *testing.T, path string) {
	t.Helper()
	from := write(t, filepath.Join(t.TempDir(), "x"), pcap(t, 1))
	must(t, os.Chtimes(from, time.Time{}, time.Now().Add(-time.Hour)))
	must(t, os.Rename(from, path))
}

func TestEventsAreNoticed(t *testing.T) {
	dir, names := watched(t)
	expect := func(want string) {
		t.Helper()
		if got := <-names; got != want {
			t.Errorf("admitted %q, want %q", got, want)
		}
	}
	moveIn(t, filepath.Join(dir, "a"))
	expect("a")

	must(t, os.Mkdir(filepath.Join(dir, "tap"), 0o755)) // watched from when it is found
	moveIn(t, filepath.Join(dir, "tap", "b"))
	expect("tap/b")
	moveIn(t, filepath.Join(dir, "tap", "c"))
	expect("tap/c")

	tree := filepath.Join(t.TempDir(), "tree")
	must(t, os.MkdirAll(filepath.Join(tree, "deep"), 0o755))
	moveIn(t, filepath.Join(tree, "deep", "d"))
	must(t, os.Rename(tree, filepath.Join(dir, "tree")))
	expect("tree/deep/d")
	moveIn(t, filepath.Join(dir, "tree", "deep", "e"))
	expect("tree/deep/e")

	// A directory that is replaced, so that its watch dies.
	must(t, os.RemoveAll(filepath.Join(dir, "tap")))
	must(t, os.Mkdir(filepath.Join(dir, "tap"), 0o755))
	moveIn(t, filepath.Join(dir, "tap", "f"))
	expect("tap/f")
	moveIn(t, filepath.Join(dir, "tap", "g"))
	expect("tap/g")
}

// Files come in as fast as they can while the spool lists and watches: each is
// admitted exactly once.
func TestStreamOfRenames(t *testing.T) {
	const files = 500
	dir, names := watched(t)
	must(t, os.Mkdir(filepath.Join(dir, "tap"), 0o755))
	outside := t.TempDir()
	var want []string
	for i := range files {
		name := filepath.Join([]string{"", "tap"}[i%2], string(rune('a'+i%26))+time.Duration(i).String())
		want = append(want, name)
		from := write(t, filepath.Join(outside, "x"), pcap(t, 1))
		must(t, os.Chtimes(from, time.Time{}, time.Now().Add(-time.Hour)))
		must(t, os.Rename(from, filepath.Join(dir, name)))
	}
	var got []string
	for range files {
		got = append(got, <-names)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("admitted %d files, want %d others", len(got), len(want))
	}
}

// Twenty thousand files come while nobody looks, more than inotify's queue has
// room for: each is admitted exactly once, though listing is due in an hour.
func TestRenamesWhileNobodyLooks(t *testing.T) {
	const files = 20_000
	root := t.TempDir()
	dir := filepath.Join(root, "in")
	cfg := spool.Config{Dirs: []string{dir}, Done: filepath.Join(root, "done"), Failed: filepath.Join(root, "failed"),
		After: spool.AfterDone, HoldBack: time.Millisecond, Rescan: time.Hour}
	s := spool.New(cfg, spool.Deps{Files: spool.NewDescriptors(spool.OS{}, 4), Log: quiet()})
	ctx, cancel := context.WithCancel(t.Context())
	calls, got := 0, map[string]int{}
	err := s.Run(ctx, func(_ context.Context, admitted []*spool.File) error {
		if calls++; calls == 1 { // the look waits for this
			from := filepath.Join(root, "x")
			for i := range files {
				write(t, from, pcap(t, int64(i)))
				must(t, os.Chtimes(from, time.Time{}, time.Now().Add(-time.Hour)))
				must(t, os.Rename(from, filepath.Join(dir, time.Duration(i).String())))
			}
		}
		for _, f := range admitted {
			got[f.Name]++
		}
		if len(got) == files {
			cancel()
		}
		return nil
	})
	must(t, err)
	for name, n := range got {
		if n != 1 {
			t.Errorf("%s is admitted %d times", name, n)
		}
	}
}
