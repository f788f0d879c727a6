package spool_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

// yard is a spool whose Run is not running.
type yard struct {
	t      *testing.T
	root   string
	faults *spooltest.Faults
	*spool.Spool
}

func newYard(t *testing.T, after spool.After) *yard {
	t.Helper()
	y := &yard{t: t, root: t.TempDir(), faults: &spooltest.Faults{}}
	must(t, os.Mkdir(y.at("logs"), 0o750))
	y.restart(after)
	must(t, y.Probe())
	return y
}

// restart forgets everything that is not on disk.
func (y *yard) restart(after spool.After) {
	cfg := spool.Config{Dirs: []string{y.at("in")}, Done: y.at("done"), Failed: y.at("failed"), Apart: []string{y.at("logs")}, After: after, Poll: true}
	y.Spool = spool.New(cfg, spool.Deps{Files: spool.NewDescriptors(y.faults, 4), Log: quiet()})
}

func (y *yard) at(name string) string { return filepath.Join(y.root, name) }

// file writes in/name and indexes it.
func (y *yard) file(name string, content []byte) *spool.File {
	y.t.Helper()
	f := index(y.t, write(y.t, y.at("in/"+name), content))
	if dir := filepath.Dir(name); dir != "." {
		f.Source = dir
	}
	return f
}

func (y *yard) plan(f *spool.File, o spool.Outcome, reason string) spool.Move {
	y.t.Helper()
	m, err := y.Plan(spool.Retirement{File: f, Outcome: o, Reason: reason})
	must(y.t, err)
	return m
}

// do carries out moves none of which may be left.
func (y *yard) do(moves ...spool.Move) {
	y.t.Helper()
	if left, err := y.Do(moves); err != nil || len(left) != 0 {
		y.t.Fatalf("%v; left %+v", err, left)
	}
}

// tree lists all files, with a reason's text.
func (y *yard) tree() (out []string) {
	y.t.Helper()
	must(y.t, filepath.WalkDir(y.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		s := strings.TrimPrefix(path, y.root+"/")
		if strings.HasSuffix(s, ".reason") {
			b, err := os.ReadFile(path)
			must(y.t, err)
			s += "=" + strings.TrimSpace(string(b))
		}
		out = append(out, s)
		return nil
	}))
	return out
}

func (y *yard) want(want ...string) {
	y.t.Helper()
	slices.Sort(want)
	got := y.tree()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		y.t.Errorf("files are\n%q, want\n%q", got, want)
	}
}

func TestRetire(t *testing.T) {
	for _, c := range []struct {
		after   spool.After
		outcome spool.Outcome
		want    []string
	}{
		{spool.AfterDone, spool.Done, []string{"done/tap/x"}},
		{spool.AfterDelete, spool.Done, nil},
		{spool.AfterKeep, spool.Done, []string{"in/tap/x"}},
		{spool.AfterDone, spool.Failed, []string{"failed/tap/x", "failed/tap/x.reason=why"}},
		{spool.AfterDelete, spool.Failed, []string{"failed/tap/x", "failed/tap/x.reason=why"}},
		{spool.AfterKeep, spool.Failed, []string{"failed/tap/x", "failed/tap/x.reason=why"}},
	} {
		y := newYard(t, c.after)
		m := y.plan(y.file("tap/x", pcap(t, 1)), c.outcome, "why")
		y.want("in/tap/x") // a plan moves nothing
		for range 2 {
			y.do(m)
			y.want(c.want...)
		}
		y.restart(c.after)
		y.do(m) // from the ledger
		y.want(c.want...)
	}
}

func TestRetireTakenNames(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	write(t, y.at("done/x"), []byte("earlier"))
	write(t, y.at("failed/y.reason"), []byte("a file of that name"))
	a, b, c := y.file("x", pcap(t, 1)), y.file("y", []byte("no")), y.file("y.reason", []byte("neither"))
	moves := []spool.Move{y.plan(a, spool.Done, ""), y.plan(b, spool.Failed, "b"), y.plan(c, spool.Failed, "c")}
	y.do(moves...)
	id := func(f *spool.File) string { return fmt.Sprintf(".%016x", f.ContentID) }
	y.want("done/x", "done/x"+id(a),
		"failed/y.reason=a file of that name", "failed/y"+id(b), "failed/y"+id(b)+".reason=b",
		"failed/y.reason"+id(c), "failed/y.reason"+id(c)+".reason=c")

	// The same file over and over: every copy has a place of its own.
	y = newYard(t, spool.AfterDone)
	for range 5 {
		y.do(y.plan(y.file("x", pcap(t, 1)), spool.Done, ""))
	}
	if got := y.tree(); len(got) != 5 {
		t.Errorf("5 equal files became %q", got)
	}
}

// Two files of one commit never get one destination, and planning again after
// a failed commit gives the same.
func TestPlansReserve(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	a, b := y.file("x", pcap(t, 1)), y.file("elsewhere/x", pcap(t, 1))
	b.Source = ""
	ma, mb := y.plan(a, spool.Done, ""), y.plan(b, spool.Done, "")
	if ma.To == mb.To || y.plan(a, spool.Done, "") != ma || y.plan(b, spool.Done, "") != mb {
		t.Fatalf("plans: %+v, %+v", ma, mb)
	}
	y.do(ma, mb)
	if got := y.tree(); len(got) != 2 {
		t.Errorf("2 files became %q", got)
	}
}

func TestFilesThatChangeAreNotDone(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete, spool.AfterKeep} {
		y := newYard(t, after)
		content := pcap(t, 1)
		f := y.file("x", content)
		write(t, f.Path, append(content, content...))
		m := y.plan(f, spool.Done, "")
		if m.Outcome != spool.Failed || !strings.Contains(m.Reason, fmt.Sprintf("from %d to %d bytes", len(content), 2*len(content))) {
			t.Errorf("grown: %+v", m)
		}
		y.do(m)
		y.want("failed/x", "failed/x.reason="+m.Reason)

		y = newYard(t, after)
		f = y.file("x", content)
		must(t, os.Chtimes(f.Path, time.Time{}, time.Unix(1, 0)))
		if m := y.plan(f, spool.Done, ""); m.Outcome != spool.Failed || !strings.Contains(m.Reason, "rewritten") {
			t.Errorf("rewritten: %+v", m)
		}

		y = newYard(t, after)
		f = y.file("x", content)
		must(t, os.Rename(write(t, y.at("other"), content), f.Path))
		m = y.plan(f, spool.Done, "")
		if m.Outcome != spool.Failed || !strings.Contains(m.Reason, "replaced") {
			t.Errorf("replaced: %+v", m)
		}
		y.do(m)
		y.want("in/x")

		must(t, os.Remove(f.Path))
		if m := y.plan(f, spool.Done, ""); m.Outcome != spool.Failed || !strings.Contains(m.Reason, "someone else") {
			t.Errorf("gone: %+v", m)
		}
	}
}

// What happens between plan and commit.
func TestChangesAfterThePlan(t *testing.T) {
	content := pcap(t, 1)
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete} {
		setup := func() (*yard, *spool.File, spool.Move) {
			y := newYard(t, after)
			f := y.file("x", content)
			return y, f, y.plan(f, spool.Done, "")
		}
		done := map[spool.After][]string{spool.AfterDone: {"done/x"}}[after]

		y, f, m := setup()
		must(t, os.Chmod(f.Path, 0o400)) // the change time moves, the content does not
		y.do(m)
		y.want(done...)

		y, f, m = setup()
		write(t, f.Path, append(content, 1))
		y.do(m)
		y.want("failed/x", "failed/x.reason="+fmt.Sprintf("changed from %d to %d bytes while it was read; "+
			"move it back to the spool to read it anew, what is in the logs then twice", len(content), len(content)+1))

		y, f, m = setup()
		must(t, os.Rename(write(t, y.at("other"), content), f.Path))
		y.do(m)
		y.want("in/x") // the new one waits for its turn

		y, f, m = setup()
		must(t, os.Remove(f.Path))
		y.do(m)
		y.want()

		if after == spool.AfterDone {
			y, _, m = setup()
			write(t, y.at("done/x"), []byte("squatter"))
			for range 2 {
				y.do(m)
			}
			if got := y.tree(); len(got) != 2 {
				t.Errorf("with a squatter: %q", got)
			}
			if b, err := os.ReadFile(y.at("done/x")); err != nil || string(b) != "squatter" {
				t.Errorf("the squatter is %q, %v", b, err)
			}
		}
	}
}

// A file that may not be read any more is still moved, never unlinked.
func TestTouchedAndUnreadable(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete} {
		y := newYard(t, after)
		f := y.file("x", pcap(t, 1))
		m := y.plan(f, spool.Done, "")
		must(t, os.Chmod(f.Path, 0))
		y.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && path == f.Path {
				return syscall.EACCES
			}
			return nil
		})
		y.do(m)
		if got := y.tree(); len(got) == 0 || !strings.HasSuffix(got[0], "/x") || got[0] == "in/x" {
			t.Errorf("%s: %q", after, got)
		}
	}
}

func TestRetireAwkwardNames(t *testing.T) {
	long := strings.Repeat("n", 255)
	euro := strings.Repeat("€", 85) // 255 bytes, cut inside a character otherwise
	for _, name := range []string{"new\nline", "\xff\xfe", long, euro, strings.Repeat("\x80", 255)} {
		y := newYard(t, spool.AfterDone)
		for n := range 3 {
			y.do(y.plan(y.file(name, []byte("x")), spool.Failed, "why"))
			y.do(y.plan(y.file(name, pcap(t, 1)), spool.Done, ""))
			got := y.tree()
			if len(got) != 3*(n+1) {
				t.Fatalf("%q, round %d: %q", name, n, got)
			}
			reasons := 0
			for _, s := range got {
				if strings.HasSuffix(s, ".reason=why") {
					reasons++
				}
			}
			if reasons != n+1 {
				t.Errorf("%q, round %d: %d reasons", name, n, reasons)
			}
		}
		if _, err := os.Lstat(y.at("failed/" + name)); err != nil {
			t.Error(err) // the first one keeps its name
		}
	}
}

// Links and FIFOs are moved themselves; nothing is opened or followed.
func TestRetireSpecialFiles(t *testing.T) {
	y := newYard(t, spool.AfterDelete)
	target := write(t, y.at("target"), pcap(t, 1))
	must(t, os.Symlink(target, y.at("in/link")))
	must(t, syscall.Mkfifo(y.at("in/fifo"), 0o644))
	for _, name := range []string{"link", "fifo"} {
		f := index(t, y.at("in/"+name))
		y.do(y.plan(f, spool.Failed, f.Err.Error()))
	}
	y.want("target", "failed/link", "failed/link.reason=not a regular file: symbolic link",
		"failed/fifo", "failed/fifo.reason=not a regular file: fifo")
}

// Every operation of a round of moves fails once, in turn; doing the same
// round again, in this process or after a crash, ends in the same place.
func TestRetireSurvivesFaults(t *testing.T) {
	for _, crash := range []bool{false, true} {
		for nth := 1; ; nth++ {
			y := newYard(t, spool.AfterDone)
			moves := []spool.Move{
				y.plan(y.file("tap/good", pcap(t, 1)), spool.Done, ""),
				y.plan(y.file("tap/bad", []byte("bad")), spool.Failed, "why"),
			}
			n, hit := 0, spooltest.Op("")
			y.faults.Fail(func(op spooltest.Op, _ string) error {
				if n++; n == nth {
					hit = op
					return syscall.EIO
				}
				return nil
			})
			left, err := y.Do(moves)
			y.faults.Fail(nil)
			if hit == "" {
				must(t, err)
				break
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("%s %d fails: %v", hit, nth, err)
			}
			if len(left) == 0 {
				t.Errorf("%s %d fails and nothing is left", hit, nth)
			}
			if crash {
				y.restart(spool.AfterDone)
			}
			y.do(left...)
			y.want("done/tap/good", "failed/tap/bad", "failed/tap/bad.reason=why")
		}
	}
}

func TestPlanWaitsForTheDisk(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	f := y.file("x", pcap(t, 1))
	y.faults.Fail(func(spooltest.Op, string) error { return syscall.EIO })
	if _, err := y.Plan(spool.Retirement{File: f, Outcome: spool.Done}); !errors.Is(err, syscall.EIO) {
		t.Errorf("plan on a failing disk: %v", err)
	}
}
