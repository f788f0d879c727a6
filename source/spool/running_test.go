package spool_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

func TestBacklogIsOneGroup(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		for _, name := range []string{"b", "a", "tap/c", "tap/deep/d", ".hidden", "x.tmp", "y.part", "z.filepart", ".dir/e", "sub.tmp/f", "done/g"} {
			r.put(name, old)
		}
	}, func(r *running) {
		r.want(admission{0, "a b tap/c tap/deep/d"})
		r.until(time.Minute)
		r.want(admission{0, "a b tap/c tap/deep/d"}) // once
		if st := r.Status(); st.Admitted != 4 || st.Waiting() != 4 || st.Oldest != time.Minute {
			t.Errorf("status %+v", st)
		}
		r.retire()
		r.until(2 * time.Minute)
		r.want(admission{0, "a b tap/c tap/deep/d"}) // also not from in/done
		if st := r.Status(); st.Waiting() != 0 || st.Oldest != 0 {
			t.Errorf("status at the end %+v", st)
		}
	})
}

func TestEmptyBacklogIsAdmitted(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.want(admission{0, ""})
		r.until(time.Hour)
		r.want(admission{0, ""})
	})
}

func TestBacklogWaitsForFreshFiles(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.put("old", old)
		r.put("fresh", 0)
		r.put("future", -old) // a clock that is ahead
		r.put("growing", 0)
	}, func(r *running) {
		grow := func() { write(r.t, r.at("in/growing"), pcap(t, make([]int64, 2+time.Since(r.start)/time.Second)...)) }
		r.want()
		for range 4 {
			time.Sleep(time.Second)
			grow()
		}
		r.until(settle)
		r.want(admission{5 * time.Second, "fresh future old"})
		for range 16 {
			time.Sleep(time.Second)
			grow()
		}
		r.until(time.Minute)
		if len(r.got()) != 2 || r.got()[1].files != "growing" || r.got()[1].at < 36*time.Second || r.got()[1].at > 39*time.Second {
			t.Errorf("a file written to until 21 s is admitted in %v", r.got())
		}
	})
}

func TestHoldBack(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.forget()
		r.put("a", old) // found at 2 s at the latest
		r.until(9 * time.Second)
		r.put("b", old)
		r.until(18 * time.Second)
		r.want()
		r.until(21 * time.Second)
		r.want(admission{20 * time.Second, "a b"})

		// A stream that never pauses waits for six hold-backs, no longer.
		r.forget()
		r.until(30 * time.Second)
		for n := range 40 {
			r.put(fmt.Sprintf("s%02d", n), old)
			r.until(30*time.Second + time.Duration(n+1)*3*time.Second)
		}
		if len(r.got()) != 1 || r.got()[0].at < 90*time.Second || r.got()[0].at > 92*time.Second ||
			!strings.HasPrefix(r.got()[0].files, "s00 s01") || strings.Count(r.got()[0].files, " ") < 19 {
			t.Errorf("admitted %v", r.got())
		}
	})
}

// The sight of a file that has not settled holds the group back for it.
func TestFreshFileJoinsTheGroup(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.forget()
		r.put("a", old)
		r.until(9 * time.Second)
		r.put("b", 0)
		r.until(time.Minute)
		r.want(admission{25 * time.Second, "a b"}) // seen at 10, settled at 15
	})
}

func TestDirectoryMovedIn(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.forget()
		for n := range 5 {
			r.put(fmt.Sprintf(".later/%d/f", n), old)
		}
		must(t, os.Rename(r.at("in/.later"), r.at("in/tap")))
		r.until(time.Minute)
		r.want(admission{12 * time.Second, "tap/0/f tap/1/f tap/2/f tap/3/f tap/4/f"})
		r.retire()
		if _, err := os.Lstat(r.at("in/done/tap/4/f")); err != nil {
			t.Error(err)
		}
	})
}

// A tree that is moved in is one group, however few of its files have settled
// and whatever else goes on. What is still written to inside comes when it can,
// and so does what cannot be read.
func TestTreeMovedInIsOneGroup(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.forget()
		r.put("before", old)
		r.until(9 * time.Second) // less than a hold-back ago: the group is about to go
		r.put(".later/a", old)
		r.put(".later/x/fresh", 0)
		r.put(".later/x/y/b", old)
		r.put(".later/x/y/growing", 0)
		r.put(".later/x/z/denied", old)
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && strings.HasSuffix(path, "denied") {
				return syscall.EACCES
			}
			return nil
		})
		must(t, os.Rename(r.at("in/.later"), r.at("in/tap")))
		for n := range 20 {
			r.until(time.Duration(10+n) * time.Second)
			write(t, r.at("in/tap/x/y/growing"), pcap(t, make([]int64, n+2)...))
		}
		r.until(2 * time.Minute)
		if got := r.got(); len(got) != 2 || got[0].files != "before tap/a tap/x/fresh tap/x/y/b" ||
			got[1].files != "tap/x/y/growing" {
			t.Errorf("admitted %v", got)
		}
	})
}

// A stream of other files that makes its group go out at the latest time does
// not tear a tree apart.
func TestTreeIsNotTornByABusySpool(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.forget()
		for n := range 30 {
			if n == 19 {
				r.put(".later/a", old)
				r.put(".later/b/fresh", 0)
				must(t, os.Rename(r.at("in/.later"), r.at("in/tap"))) // at 57 s; the group goes out at 62 s
			}
			r.put(fmt.Sprintf("s%02d", n), old)
			r.until(time.Duration(n+1) * 3 * time.Second)
		}
		r.until(5 * time.Minute)
		for _, g := range r.got() {
			if strings.Contains(g.files, "tap/a") != strings.Contains(g.files, "tap/b/fresh") {
				t.Errorf("torn apart: %v", r.got())
			}
		}
		if all := fmt.Sprint(r.got()); strings.Count(all, "tap/") != 2 {
			t.Errorf("admitted %v", all)
		}
	})
}

// Special files get a reason and a place in failed; nothing is followed,
// nothing blocks.
func TestSpecialFiles(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		target := write(r.t, r.at("target"), pcap(t, 1))
		r.put("good", old)
		must(t, syscall.Mkfifo(r.at("in/fifo"), 0o644))
		must(t, os.Symlink(target, r.at("in/link")))
		must(t, os.Symlink(".", r.at("in/loop")))
		must(t, os.Symlink("self", r.at("in/self")))
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && strings.HasPrefix(path, r.at("in")) && !strings.HasSuffix(path, "/good") {
				t.Errorf("%s is opened", path)
			}
			return nil
		})
	}, func(r *running) {
		r.want(admission{0, "fifo(not a regular file: fifo) good link(not a regular file: symbolic link) " +
			"loop(not a regular file: symbolic link) self(not a regular file: symbolic link)"})
		r.retire()
		r.until(time.Minute)
		if len(r.got()) != 1 {
			t.Errorf("reported again: %v", r.got())
		}
		for _, name := range []string{"failed/fifo", "failed/link.reason", "failed/loop", "in/done/good", "target"} {
			if _, err := os.Lstat(r.at(name)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAwkwardNamesAreAdmitted(t *testing.T) {
	names := []string{"\xff\xfe", "new\nline", strings.Repeat("n", 255)}
	runSpool(t, spool.AfterDone, func(r *running) {
		for _, name := range names {
			r.put(name, old)
		}
	}, func(r *running) {
		r.want(admission{0, names[1] + " " + names[2] + " " + names[0]})
		r.retire()
		for _, name := range names {
			if _, err := os.Lstat(r.at("in/done/" + name)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestVanishingFiles(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) {
		r.put("gone", old)
		r.put("stays", old)
		r.put("fresh", 0)
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && strings.HasSuffix(path, "gone") {
				must(t, os.Remove(path))
			}
			return nil
		})
	}, func(r *running) {
		must(t, os.Rename(r.at("in/fresh"), r.at("in/renamed"))) // while it settles: no loss
		r.until(settle)
		r.want(admission{2 * time.Second, "gone(vanished before it was read) stays"})
		if st := r.Status(); st.Vanished != 1 {
			t.Errorf("status %+v", st)
		}
		// The name comes again before the outcome of the first was committed.
		r.faults.Fail(nil)
		r.put("gone", old)
		r.until(10 * time.Second)
		r.retire()
		r.until(time.Minute)
		if len(r.got()) != 2 || r.got()[1].files != "gone renamed" {
			t.Errorf("admitted %v", r.got())
		}
	})
}

func TestUnreadableFilesStay(t *testing.T) {
	for _, fault := range []error{syscall.EACCES, syscall.EIO, syscall.EMFILE} {
		runSpool(t, spool.AfterDone, func(r *running) {
			r.put("bad", old)
			r.put("good", old)
			r.faults.Fail(func(op spooltest.Op, path string) error {
				if op == spooltest.Open && strings.HasSuffix(path, "bad") {
					return fault
				}
				return nil
			})
		}, func(r *running) {
			r.want(admission{0, "good"})
			r.until(10 * time.Minute)
			r.want(admission{0, "good"})
			st := r.Status()
			if st.Unreadable != 1 || len(st.Problems) != 1 || !strings.Contains(st.Problems[0].Reason, fault.Error()) || !st.Problems[0].Since.Equal(r.start) {
				t.Errorf("status %+v", st)
			}
			if n := r.faults.Calls(spooltest.Open); n > 30 {
				t.Errorf("opened %d times in 10 minutes: no backing off", n)
			}
			r.faults.Fail(nil)
			if fault == syscall.EACCES { // mended as people do: no waiting for the next try
				must(t, os.Chmod(r.at("in/bad"), 0o600))
				r.until(10*time.Minute + 2*rescan + hold)
			}
			r.until(12 * time.Minute)
			if len(r.got()) != 2 || r.got()[1].files != "bad" {
				t.Errorf("after mending: %v", r.got())
			}
			if fault == syscall.EACCES && r.got()[1].at > 10*time.Minute+2*rescan+hold {
				t.Errorf("after chmod: %v", r.got())
			}
		})
	}
}

func TestUnreadableDirectory(t *testing.T) {
	deny := func(r *running) {
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.ReadDir && strings.HasSuffix(path, "/tap") {
				return fs.ErrPermission
			}
			return nil
		})
	}
	runSpool(t, spool.AfterDone, func(r *running) {
		r.put("a", old)
		r.put("tap/b", old)
		deny(r)
	}, func(r *running) {
		r.want(admission{0, "a"})
		if st := r.Status(); len(st.Problems) != 1 || st.Problems[0].Path != r.at("in/tap") {
			t.Errorf("status %+v", st)
		}
		r.faults.Fail(nil)
		r.put("tap/fresh", 0)
		r.until(3 * time.Second)
		deny(r) // while a file there settles: it is not forgotten, nor spun upon
		lists := r.faults.Calls(spooltest.ReadDir)
		r.until(time.Minute)
		if n := r.faults.Calls(spooltest.ReadDir) - lists; n > 100 {
			t.Errorf("%d listings in a minute", n)
		}
		r.faults.Fail(nil)
		r.until(2 * time.Minute)
		if len(r.got()) != 2 || r.got()[1].files != "tap/b tap/fresh" { // they came together
			t.Errorf("admitted %v", r.got())
		}
		if st := r.Status(); len(st.Problems) != 0 {
			t.Errorf("status at the end %+v", st)
		}
	})
}

func TestSpoolDirectoryGoneAndBack(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		must(t, os.RemoveAll(r.at("in")))
		r.until(10 * time.Second)
		if st := r.Status(); len(st.Problems) != 1 {
			t.Errorf("status %+v", st)
		}
		r.put("a", old)
		r.until(time.Minute)
		r.want(admission{0, ""}, admission{22 * time.Second, "a"})
	})
}

func TestSameNameComesAgain(t *testing.T) {
	for _, after := range []spool.After{spool.AfterDone, spool.AfterDelete} {
		runSpool(t, after, nil, func(r *running) {
			r.forget()
			for n := range 5 {
				r.put("x", old)
				r.until(time.Duration(n+1) * time.Minute)
				r.retire()
			}
			if len(r.got()) != 5 {
				t.Errorf("%s: admitted %v", after, r.got())
			}
		})
	}
}

func TestReplacedWhileItWaits(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) { r.put("x", old) }, func(r *running) {
		r.put("x", old) // mv over the admitted one
		r.until(time.Minute)
		r.want(admission{0, "x"})
		r.retire()
		r.until(2 * time.Minute)
		r.want(admission{0, "x"}, admission{72 * time.Second, "x"})
		r.retire()
		if _, err := os.Lstat(r.at("in/done/x")); err != nil {
			t.Error(err)
		}
	})
}

// A file is taken whatever its times say: an mv keeps them.
func TestOlderThanAllThatIsDone(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) { r.put("new", old) }, func(r *running) {
		r.retire()
		r.put("ancient", 20*365*24*time.Hour)
		r.until(time.Minute)
		r.want(admission{0, "new"}, admission{12 * time.Second, "ancient"})
	})
}

// A file that is moved over one that waits in the group: the one is reported as
// gone, the other is read.
func TestReplacedInTheGroup(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.forget()
		r.putBytes("x", old, pcap(t, 1))
		r.until(4 * time.Second)
		r.putBytes("x", old, pcap(t, 2))
		r.until(time.Minute)
		if m := r.retire()[0]; m.Outcome != spool.Failed || !strings.Contains(m.Reason, "replaced") {
			t.Errorf("the first: %+v", m)
		}
		r.until(2 * time.Minute)
		if len(r.got()) != 2 || r.got()[1].files != "x" || r.retire()[0].Outcome != spool.Done {
			t.Errorf("admitted %v", r.got())
		}
	})
}

func TestKeep(t *testing.T) {
	runSpool(t, spool.AfterKeep, func(r *running) { r.put("x", old); r.put("y", old) }, func(r *running) {
		r.retire()
		r.until(time.Minute)
		r.want(admission{0, "x y"})
		if st := r.Status(); st.Kept != 2 || st.Waiting() != 0 || st.Oldest != 0 {
			t.Errorf("status %+v", st)
		}
		r.put("x", old) // another file
		write(t, r.at("in/y"), pcap(t, 1, 2))
		r.until(2 * time.Minute)
		if len(r.got()) != 2 || !strings.HasPrefix(r.got()[1].files, "x y(changed from 100 to 176 bytes") {
			t.Errorf("admitted %v", r.got())
		}
		r.retire()
		r.until(3 * time.Minute)
		if _, err := os.Lstat(r.at("failed/y.reason")); err != nil || len(r.got()) != 2 {
			t.Errorf("%v, admitted %v", err, r.got())
		}
	})
}

func TestAdmitEndsRun(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	bug := errors.New("enough")
	err := y.Run(t.Context(), func(context.Context, []*spool.File) error { return bug })
	if !errors.Is(err, bug) {
		t.Errorf("Run: %v", err)
	}
}
