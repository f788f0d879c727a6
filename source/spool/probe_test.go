package spool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

func TestProbeMakesDirectories(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	cfg := spool.Config{Dirs: []string{at("a/b"), at("c")}, Done: at("d/done"), Failed: at("c/failed"), After: spool.AfterDone}
	must(t, spool.New(cfg, spool.Deps{Files: pool(spool.OS{}, 1), Log: quiet()}).Probe())
	for _, dir := range []string{"a/b", "c", "d/done", "c/failed"} {
		left, err := os.ReadDir(at(dir))
		if err != nil || dir != "c" && len(left) != 0 || len(left) > 1 {
			t.Errorf("%s holds %v, %v", dir, left, err)
		}
	}
}

func TestProbeRefuses(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	write(t, at("file"), nil)
	good := func() spool.Config {
		return spool.Config{Dirs: []string{at("in")}, Done: at("done"), Failed: at("failed"), After: spool.AfterDone}
	}
	fault := func(want spooltest.Op, under string, err error) func(spooltest.Op, string) error {
		return func(op spooltest.Op, path string) error {
			if op == want && strings.HasPrefix(path, at(under)) {
				return err
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		change func(*spool.Config)
		fail   func(spooltest.Op, string) error
		says   []string
	}{
		"after":           {change: func(c *spool.Config) { c.After = "burn" }, says: []string{"burn"}},
		"no dirs":         {change: func(c *spool.Config) { c.Dirs = nil }, says: []string{"no directory"}},
		"no failed":       {change: func(c *spool.Config) { c.Failed = "" }, says: []string{"no directory"}},
		"no done":         {change: func(c *spool.Config) { c.Done = "" }, says: []string{"no directory"}},
		"negative":        {change: func(c *spool.Config) { c.Settle = -time.Second }, says: []string{"negative"}},
		"a file":          {change: func(c *spool.Config) { c.Done = at("file/x") }, says: []string{"file"}},
		"done is failed":  {change: func(c *spool.Config) { c.Failed = at("x/../done") }, says: []string{"same directory"}},
		"done is watched": {change: func(c *spool.Config) { c.Done = at("in") }, says: []string{at("in")}},
		"watched in done": {change: func(c *spool.Config) { c.Dirs = []string{at("done/in")} }, says: []string{at("done/in")}},
		"other device":    {fail: fault(spooltest.Rename, "in", syscall.EXDEV), says: []string{at("in"), at("done"), "cross-device"}},
		"failed elsewhere": {fail: fault(spooltest.Rename, "done", syscall.EXDEV),
			says: []string{at("done"), at("failed"), "cross-device"}},
		"read-only": {fail: fault(spooltest.OpenWrite, "in", syscall.EROFS), says: []string{at("in"), "read-only"}},
		"no mkdir":  {fail: fault(spooltest.MkdirAll, "failed", syscall.EACCES), says: []string{at("failed"), "permission"}},
		"sticky":    {fail: fault(spooltest.Remove, "failed", syscall.EPERM), says: []string{"remove"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, faults := good(), &spooltest.Faults{}
			if c.change != nil {
				c.change(&cfg)
			}
			faults.Fail(c.fail)
			s := spool.New(cfg, spool.Deps{Files: pool(faults, 1), Log: quiet()})
			err := s.Run(t.Context(), func(context.Context, []*spool.File) error {
				t.Error("admitted with an unusable spool")
				return nil
			})
			if !errors.Is(err, spool.ErrConfig) {
				t.Fatalf("Run: %v", err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

// A source on another file system is a configuration error at the start, and
// keeps its files waiting when it turns up later.
func TestSourceThatCannotBeEmptied(t *testing.T) {
	elsewhere := func(r *running) {
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Rename && strings.Contains(path, "/mounted/") {
				return syscall.EXDEV
			}
			return nil
		})
	}
	runSpool(t, spool.AfterDone, elsewhere, func(r *running) {
		r.put("a", old)
		r.put("mounted/b", old)
		r.until(time.Minute)
		r.want(admission{0, ""}, admission{12 * time.Second, "a"})
		if st := r.Status(); len(st.Problems) != 1 || !strings.Contains(st.Problems[0].Reason, "cross-device") {
			t.Errorf("status %+v", st)
		}
		r.faults.Fail(nil)
		r.until(2 * time.Minute)
		if len(r.got()) != 3 || r.got()[2].files != "mounted/b" {
			t.Errorf("admitted %v", r.got())
		}
	})
	y := newYard(t, spool.AfterDone)
	y.file("mounted/b", pcap(t, 1))
	elsewhere(&running{faults: y.faults})
	// Whoever may make directories below the spool must not be able to keep the
	// daemon from starting: at the start it is a problem of its files, too.
	ctx, cancel := context.WithCancel(t.Context())
	err := y.Run(ctx, func(context.Context, []*spool.File) error { cancel(); return nil })
	if err != nil {
		t.Errorf("at the start: %v", err)
	}
	if st := y.Status(); len(st.Problems) != 1 || !strings.Contains(st.Problems[0].Path, "mounted") {
		t.Errorf("at the start: %+v", st)
	}
}

// What had to be made is told, for a watched directory that is not there may be
// a mistyped name; what was there is not. Run does not probe again.
func TestProbeTellsWhatItMadeAndIsDoneOnce(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	must(t, os.Mkdir(at("in"), 0o755))
	cfg := spool.Config{Dirs: []string{at("in"), at("typo")}, Done: at("done"), Failed: at("failed"), After: spool.AfterDone, Poll: true}
	var text bytes.Buffer
	faults := &spooltest.Faults{}
	s := spool.New(cfg, spool.Deps{Files: pool(faults, 1), Log: slog.New(slog.NewTextHandler(&text, nil))})
	must(t, s.Probe())
	for _, line := range []string{"level=WARN", "dir=" + at("typo"), "level=INFO", "dir=" + at("done"), "dir=" + at("failed")} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("no %q in %q", line, text.String())
		}
	}
	if strings.Contains(text.String(), at("in")) {
		t.Errorf("a directory that was there is told: %q", text.String())
	}
	renames := faults.Calls(spooltest.Rename)
	ctx, stop := context.WithCancel(t.Context())
	must(t, s.Run(ctx, func(context.Context, []*spool.File) error { stop(); return nil }))
	if n := faults.Calls(spooltest.Rename); n != renames {
		t.Errorf("Run probed again: %d renames", n-renames)
	}
}
