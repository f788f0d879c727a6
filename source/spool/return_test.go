package spool_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/source/pcapfile"
	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

func TestRetryable(t *testing.T) {
	at := func(err error) error {
		return fmt.Errorf("read: %w", &fs.PathError{Op: "open", Path: "x", Err: err})
	}
	for err, want := range map[error]bool{
		at(syscall.EACCES): true, at(syscall.EMFILE): true, at(syscall.EIO): true, at(syscall.ESTALE): true,
		at(syscall.ENOENT): false, at(syscall.ENOTDIR): false, fs.ErrNotExist: false,
		at(spool.ErrReplaced): false, at(spool.ErrNotRegular): false, at(fs.ErrClosed): false,
		spool.ErrVanished: false, pcapfile.ErrNotCapture: false, io.ErrUnexpectedEOF: false,
	} {
		if spool.Retryable(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
	if spool.Retryable(nil) {
		t.Error("nil is retryable")
	}
}

// back takes the last admitted file from the receiver's hands.
func (r *running) back() *spool.File {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.files[len(r.files)-1]
	r.files = r.files[:len(r.files)-1]
	return f
}

func TestReturnedFileIsAdmittedAgain(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) { r.put("good", old); r.put("tap/x", old) }, func(r *running) {
		f := r.back()
		r.faults.Fail(func(op spooltest.Op, path string) error {
			if op == spooltest.Open && path == f.Path {
				return syscall.EACCES
			}
			return nil
		})
		r.Return(f, syscall.EACCES)
		r.Return(f, syscall.EACCES) // no longer the receiver's: nothing happens
		st := r.Status()
		if st.Unreadable != 1 || st.Admitted != 1 || len(st.Problems) != 1 || st.Problems[0].Path != f.Path ||
			st.Problems[0].Reason != syscall.EACCES.Error() || !st.Problems[0].Since.Equal(r.start) {
			t.Errorf("status %+v", st)
		}
		before := r.faults.Calls(spooltest.Open)
		r.until(10 * time.Minute)
		if n := r.faults.Calls(spooltest.Open) - before; n < 10 || n > 30 {
			t.Errorf("opened %d times in 10 minutes", n)
		}
		r.want(admission{0, "good tap/x"})
		r.faults.Fail(nil)
		r.until(12 * time.Minute)
		if got := r.got(); len(got) != 2 || got[1].files != "tap/x" || len(r.Status().Problems) != 0 {
			t.Fatalf("after mending: %v, %+v", got, r.Status())
		}
		r.retire()
		if _, err := os.Lstat(r.at("in/done/tap/x")); err != nil || r.Status().Waiting() != 0 {
			t.Errorf("%v, status %+v", err, r.Status())
		}
	})
}

// A file that can be indexed and never be read does not spin.
func TestReturnedAgainAndAgain(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) { r.put("x", old) }, func(r *running) {
		for s := time.Second; s < time.Hour; s += time.Second {
			r.until(s)
			if st := r.Status(); st.Admitted == 1 {
				r.Return(r.back(), syscall.EMFILE)
			}
		}
		if n := len(r.got()); n < 40 || n > 70 {
			t.Errorf("admitted %d times in an hour", n)
		}
	})
}

// What happens to a file that was returned is what happens to any.
func TestReturnedFileChanges(t *testing.T) {
	runSpool(t, spool.AfterDone, func(r *running) { r.put("x", old) }, func(r *running) {
		r.Return(r.back(), syscall.EIO)
		write(t, r.at("in/x"), pcap(t, 1, 2)) // rewritten: it settles first
		r.until(time.Minute)
		if got := r.got(); len(got) != 2 || got[1].files != "x" || got[1].at < settle+hold {
			t.Errorf("rewritten: %v", got)
		}
		f := r.back()
		r.Return(f, syscall.EIO)
		must(t, os.Remove(f.Path))
		r.until(2 * time.Minute)
		if got := r.got(); len(got) != 3 || !strings.HasPrefix(got[2].files, "x(vanished") {
			t.Errorf("removed: %v", got)
		}
		r.Return(r.back(), fs.ErrNotExist) // vanished: nothing to take back
		r.put("x", old)
		r.until(3 * time.Minute)
		r.Return(f, syscall.EIO) // in its place is another file, of the same inode maybe
		if st := r.Status(); st.Admitted != 1 || st.Unreadable != 0 {
			t.Errorf("status %+v", st)
		}
	})
}

// Depositors can write to the watched directories. What a crash left goes.
func TestProbeNamesCannotBeTaken(t *testing.T) {
	y := newYard(t, spool.AfterDone)
	for _, name := range []string{".pcapdir-probe/x", ".pcapdir-probe-/x", ".pcapdir-probe-DIR/x", ".other"} {
		write(t, y.at("in/"+name), nil)
	}
	for _, dir := range []string{"in", "done", "failed", "logs"} {
		write(t, y.at(dir+"/.pcapdir-probe-LEFTBYACRASH"), nil)
	}
	names := map[string]bool{}
	y.faults.Fail(func(op spooltest.Op, path string) error {
		if op == spooltest.OpenWrite {
			names[filepath.Base(path)] = true
		}
		return nil
	})
	for range 3 {
		must(t, y.Probe())
	}
	if len(names) != 3 {
		t.Errorf("probe files %v", names)
	}
	y.want("in/.pcapdir-probe/x", "in/.pcapdir-probe-/x", "in/.pcapdir-probe-DIR/x", "in/.other")
	y.faults.Fail(func(op spooltest.Op, _ string) error {
		if op == spooltest.ReadDir {
			return syscall.EACCES
		}
		return nil
	})
	must(t, y.Probe()) // leftovers are no reason to stop
}

func TestFileModes(t *testing.T) {
	t.Cleanup(func(was int) func() { return func() { syscall.Umask(was) } }(syscall.Umask(0)))
	y := newYard(t, spool.AfterDone)
	must(t, spool.WriteDurable(y.faults, y.at("stage"), []byte("x")))
	must(t, sampleLedger(1).Save(y.faults, y.root))
	y.do(y.plan(y.file("x", []byte("bad")), spool.Failed, "why"))
	for name, want := range map[string]fs.FileMode{"stage": 0o600, spool.LedgerName: 0o600, "failed/x.reason": 0o640} {
		st, err := os.Lstat(y.at(name))
		if must(t, err); st.Mode() != want {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
	}
	if err := spool.WriteDurable(y.faults, y.at("none/x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
}
