package spool_test

import (
	"errors"
	"fmt"
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

// A file and a source may have one name, one after the other.
func TestSourceNamedLikeAFileThatIsDone(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	for _, outcome := range []spool.Outcome{spool.Done, spool.Failed} {
		y.do(y.plan(y.file("tap", pcap(t, 1)), outcome, "why"))
		must(t, os.RemoveAll(y.at("in/tap")))
		for _, name := range []string{"tap/x", "tap/y", "tap/deep/z"} {
			y.do(y.plan(y.file(name, pcap(t, 1)), outcome, "why"))
		}
		must(t, os.RemoveAll(y.at("in/tap")))
	}
	y.want("done/tap", "done/tap.dir/x", "done/tap.dir/y", "done/tap.dir/deep/z", "failed/tap", "failed/tap.reason=why",
		"failed/tap.dir/x", "failed/tap.dir/x.reason=why", "failed/tap.dir/y", "failed/tap.dir/y.reason=why",
		"failed/tap.dir/deep/z", "failed/tap.dir/deep/z.reason=why")

	// The second choice may be taken too; links to directories are no obstacle.
	y = newYard(t, spool.AfterDone)
	write(t, y.at("done/tap"), nil)
	write(t, y.at("done/tap.dir"), nil)
	must(t, os.Mkdir(y.at("done/real"), 0o755))
	must(t, os.Symlink("real", y.at("done/link")))
	must(t, os.Symlink("nowhere", y.at("done/dangling")))
	for _, name := range []string{"tap/x", "link/x", "dangling/x"} {
		y.do(y.plan(y.file(name, pcap(t, 1)), spool.Done, ""))
	}
	if got := y.tree(); len(got) != 7 || !slices.Contains(got, "done/real/x") || slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "in/") }) {
		t.Errorf("files are %q", got)
	}
}

// Two spool directories: a file of the one has the name of a source, or of
// the source's reason, of the other, and both are in one commit.
func TestSourceNamedLikeAFileOfTheSameCommit(t *testing.T) {
	for _, outcome := range []spool.Outcome{spool.Done, spool.Failed} {
		for _, source := range []string{"tap", "tap.reason"} {
			for order := range 8 {
				y := newYard(t, spool.AfterDone)
				x := index(t, write(t, y.at("elsewhere/"+source+"/x"), pcap(t, 1)))
				x.Source = source
				files := []*spool.File{y.file("tap", pcap(t, 1)), x}
				if order&1 != 0 {
					slices.Reverse(files)
				}
				moves := []spool.Move{y.plan(files[0], outcome, "why"), y.plan(files[1], outcome, "why")}
				if order&2 != 0 {
					slices.Reverse(moves)
				}
				if order&4 != 0 {
					y.restart(spool.AfterDone)
				}
				for range 2 {
					y.do(moves...)
				}
				for _, s := range y.tree() {
					if !strings.HasPrefix(s, string(outcome)+"/") || strings.HasSuffix(s, ".reason") {
						t.Errorf("%s, %s, order %d: %q", outcome, source, order, y.tree())
					}
				}
				if want := map[spool.Outcome]int{spool.Done: 2, spool.Failed: 4}[outcome]; len(y.tree()) != want {
					t.Errorf("%s, %s, order %d: %q", outcome, source, order, y.tree())
				}
			}
		}
	}
}

// Someone puts a file where a directory was planned, after the ledger holds it.
func TestDirectoryTakenAfterThePlan(t *testing.T) {
	for nth := 1; ; nth++ {
		y := newYard(t, spool.AfterDone)
		moves := []spool.Move{
			y.plan(y.file("tap/x", pcap(t, 1)), spool.Done, ""),
			y.plan(y.file("tap/y", []byte("bad")), spool.Failed, "why"),
		}
		write(t, y.at("done/tap"), nil)
		write(t, y.at("failed/tap"), nil)
		n := 0
		y.faults.Fail(func(spooltest.Op, string) error {
			if n++; n == nth {
				return syscall.EIO
			}
			return nil
		})
		left, _ := y.Do(moves)
		y.faults.Fail(nil)
		y.restart(spool.AfterDone)
		y.do(moves...) // as a crash would have it
		if got := y.tree(); len(got) != 5 || !strings.HasPrefix(got[1], "done/tap.") || filepath.Base(got[1]) != "x" ||
			!strings.HasSuffix(got[4], "/y.reason=why") {
			t.Fatalf("operation %d fails: files are %q", nth, got)
		}
		if n < nth {
			if len(left) != 0 {
				t.Errorf("left %+v", left)
			}
			return
		}
	}
}

// The file's own directory is a file by now: that is as good as gone.
func TestSourceReplacedByAFile(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	f := y.file("tap/x", pcap(t, 1))
	before := y.plan(f, spool.Done, "")
	must(t, os.RemoveAll(y.at("in/tap")))
	write(t, y.at("in/tap"), nil)
	after := y.plan(f, spool.Done, "")
	if after.Outcome != spool.Failed || !strings.Contains(after.Reason, "someone else") {
		t.Errorf("planned %+v", after)
	}
	y.do(before, after)
	y.want("in/tap")
}

func TestTargetIsNoDirectory(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	f := y.file("tap/x", pcap(t, 1))
	m := y.plan(f, spool.Done, "")
	must(t, os.Remove(y.at("done")))
	write(t, y.at("done"), nil)
	if _, err := y.Plan(spool.Retirement{File: f, Outcome: spool.Done}); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("Plan: %v", err)
	}
	left, err := y.Do([]spool.Move{m})
	if len(left) != 1 || !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("Do: %v; left %+v", err, left)
	}
	y.want("done", "in/tap/x")
}

// What cannot be moved, or not durably, holds up nothing else.
func TestDoTriesEveryMove(t *testing.T) {
	for _, op := range []spooltest.Op{spooltest.Rename, spooltest.SyncDir, spooltest.Lstat} {
		for _, fault := range []error{syscall.EACCES, syscall.EPERM, syscall.EROFS} {
			y := newYard(t, spool.AfterDone)
			var moves []spool.Move
			for n := range 30 {
				name := fmt.Sprintf("%s/%02d", []string{"bad", "good"}[n%2], n)
				moves = append(moves, y.plan(y.file(name, pcap(t, 1)), spool.Done, ""))
			}
			y.faults.Fail(func(o spooltest.Op, path string) error {
				if o == op && strings.HasPrefix(path+"/", y.at("in/bad/")) {
					return fault
				}
				return nil
			})
			left, err := y.Do(moves)
			if !errors.Is(err, fault) || strings.Contains(err.Error(), "good") || !strings.Contains(err.Error(), "5 more") {
				t.Errorf("%s, %v: %v", op, fault, err)
			}
			var want []spool.Move
			for n := 0; n < len(moves); n += 2 {
				want = append(want, moves[n])
			}
			if !slices.Equal(left, want) {
				t.Errorf("%s, %v: left %+v", op, fault, left)
			}
			if there, err := os.ReadDir(y.at("done/good")); err != nil || len(there) != 15 {
				t.Errorf("%s, %v: %d good files done, %v", op, fault, len(there), err)
			}
			again, err := y.Do(left)
			if !errors.Is(err, fault) || !slices.Equal(again, left) {
				t.Errorf("%s, %v again: %v; left %+v", op, fault, err, again)
			}
			y.faults.Fail(nil)
			y.do(left...)
			if got := y.tree(); len(got) != 30 || !strings.HasPrefix(got[0], "done/bad/") {
				t.Errorf("%s, %v: in the end %q", op, fault, got)
			}
		}
	}
}

// A crash after the promise: every directory made on the way is synced.
func TestNewDirectoriesAreDurable(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	m := y.plan(y.file("a/b/c/x", pcap(t, 1)), spool.Done, "")
	synced := map[string]bool{}
	y.faults.Fail(func(op spooltest.Op, path string) error {
		if op == spooltest.SyncDir {
			synced[path] = true
		}
		return nil
	})
	y.do(m)
	for _, dir := range []string{"done", "done/a", "done/a/b", "done/a/b/c", "in/a/b/c"} {
		if !synced[y.at(dir)] {
			t.Errorf("%s is not synced", dir)
		}
	}
}

// A file of the run before that cannot be put away is not read again.
func TestLeftFilesAreNotAdmitted(t *testing.T) {
	var left []spool.Move
	runSpool(t, spool.AfterDone, func(r *running) {
		r.put("read", old)
		r.put("new", old)
		f := index(t, r.at("in/read"))
		m, err := r.Plan(spool.Retirement{File: f, Outcome: spool.Done})
		must(t, err)
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Rename && path == f.Path {
				return syscall.EPERM
			}
			return nil
		})
		left, err = r.Do([]spool.Move{m})
		if len(left) != 1 || !errors.Is(err, syscall.EPERM) {
			t.Errorf("left %+v, %v", left, err)
		}
	}, func(r *running) {
		r.until(time.Minute)
		r.want(admission{0, "new"})
		r.faults.Fail(nil)
		if left, err := r.Do(left); len(left) != 0 || err != nil {
			t.Errorf("left %+v, %v", left, err)
		}
		r.put("read", old) // another one of that name
		r.until(2 * time.Minute)
		r.want(admission{0, "new"}, admission{72 * time.Second, "read"})
	})
}
