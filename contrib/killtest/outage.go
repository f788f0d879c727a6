package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// outage is something that the daemon needs and lacks for a while.
type outage struct {
	begin, end func(t *trial) error
	says       []string // what the daemon says of it, one of these; none: it may well notice nothing
	closed     bool     // nothing can be deposited meanwhile
}

// Each of the file systems in which the daemon works is a tmpfs of its own here.
const (
	spoolMount = "spool"
	logMount   = "var"
	stateMount = "state"
	roomy      = 4 << 30 // bytes of each
)

// outages are the kinds, each a way for a life to go on.
var outages = map[string]outage{
	"disk of logs full":   {begin: resize(logMount, full), end: resize(logMount, roomy), says: waits},
	"disk of state full":  {begin: resize(stateMount, full), end: resize(stateMount, roomy), says: waits},
	"no log directory":    {begin: move("logs", "gone"), end: move("gone", "logs"), says: waits},
	"read-only spool":     {begin: protect(unix.MS_RDONLY), end: protect(0), says: []string{"cannot be put away"}, closed: true},
	"no more descriptors": {begin: starve, end: sate}, // what is idle gives its own,
}

// waits is what is said where a commit cannot be made, or finished at a start.
var waits = []string{"the commit waits", "the last commit cannot be finished yet"}

// full is the size that a file system has with what is in it.
const full = 0

// resize gives a file system another size.
func resize(mount string, size uint64) func(t *trial) error {
	return func(t *trial) (err error) {
		for range 100 {
			if err = resizeOnce(t.rig.Path(mount), size); !errors.Is(err, unix.EINVAL) {
				return err
			}
		} // more was written between the look and the deed
		return err
	}
}

func resizeOnce(path string, size uint64) error {
	if size == full {
		var st unix.Statfs_t
		if err := unix.Statfs(path, &st); err != nil {
			return err
		}
		size = (st.Blocks - st.Bfree) * uint64(st.Bsize)
	}
	return unix.Mount("tmpfs", path, "", unix.MS_REMOUNT, fmt.Sprintf("size=%d", size))
}

// move gives a directory beside the logs another name.
func move(from, to string) func(t *trial) error {
	return func(t *trial) error { return os.Rename(t.rig.Path(logMount, from), t.rig.Path(logMount, to)) }
}

// protect makes the spool read-only, or writable.
func protect(flag uintptr) func(t *trial) error {
	return func(t *trial) error {
		return unix.Mount("", t.rig.Path(spoolMount), "", unix.MS_REMOUNT|unix.MS_BIND|flag, "")
	}
}

// starve lets the daemon open no more than it has open.
func starve(t *trial) error {
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(t.rig.PID()), "fd"))
	if err != nil {
		return err
	}
	if err := unix.Prlimit(t.rig.PID(), unix.RLIMIT_NOFILE, nil, &t.descriptors); err != nil {
		return err
	}
	return unix.Prlimit(t.rig.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(open)), Max: t.descriptors.Max}, nil)
}

func sate(t *trial) error {
	err := unix.Prlimit(t.rig.PID(), unix.RLIMIT_NOFILE, &t.descriptors, nil)
	if errors.Is(err, unix.ESRCH) {
		return nil // it was killed
	}
	return err
}

// endure lets an outage come over the daemon for a while. In every other one the daemon
// is killed meanwhile; else it has to say what is wrong, and then to go on by itself.
func (t *trial) endure(o outage, upTo int) error {
	said := t.said(0)
	for range min(3, t.files-t.sent) { // which cannot be put away, say
		if err := t.send(); err != nil {
			return err
		}
	}
	if err := o.begin(t); err != nil {
		return err
	}
	upTo = min(upTo+morePerOutage, t.files)
	if t.rng.IntN(2) == 0 {
		err := t.during(o.closed, upTo, longest/3, func() bool { return false })
		return errors.Join(err, t.rig.Kill(), o.end(t))
	}
	told := func() bool {
		text := t.said(len(said))
		return slices.ContainsFunc(o.says, func(s string) bool { return bytes.Contains(text, []byte(s)) })
	}
	most := 10 * longest
	if len(o.says) > 0 {
		most = patience
	}
	err := t.during(o.closed, upTo, most, told)
	if err == nil && len(o.says) > 0 && !told() {
		err = fmt.Errorf("the daemon does not say %q", o.says)
	}
	if err := errors.Join(err, o.end(t)); err != nil {
		return err
	}
	t.endured++
	done := func() bool {
		n, err := t.rig.Waiting()
		return err == nil && n == 0
	}
	if err := t.during(true, upTo, patience, done); err != nil {
		return err
	}
	if !done() {
		return errors.New("the daemon does not go on when it is over")
	}
	return t.rig.Kill()
}

// morePerOutage is how many captures more than others a life with an outage may get, so
// that there is something to be logged.
const morePerOutage = 20

// during lets captures arrive, unless the spool is closed, and looks at the logs, until
// it is enough or the time is over.
func (t *trial) during(closed bool, upTo int, most time.Duration, enough func() bool) error {
	for end := time.Now().Add(most); time.Now().Before(end) && !enough(); {
		if !closed && t.sent < upTo {
			if err := t.send(); err != nil {
				return err
			}
		}
		if err := t.look(); err != nil {
			return err
		}
		select {
		case err := <-t.rig.Ended():
			return fmt.Errorf("the daemon ended: %w", err)
		case <-time.After(time.Duration(t.rng.Int64N(int64(60 * time.Millisecond)))):
		}
	}
	return nil
}

// said is what the daemon has said from a place on.
func (t *trial) said(from int) []byte {
	text, err := os.ReadFile(t.rig.Path("stderr"))
	if err != nil || len(text) < from {
		return nil
	}
	return text[from:]
}

// inside says, in the environment, that the process is in namespaces of its own.
const inside = "PCAPDIR_KILLTEST_INSIDE"

// secluded runs the command in namespaces of its own, where it may mount file systems
// that nobody else sees.
func secluded(args []string, out io.Writer) error {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), inside+"=1"), out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: outages need user namespaces; -outages 0 goes without", err)
	}
	return cmd.Wait()
}

// mount gives spool, logs and state a file system each.
func mount(dir string) error {
	for _, name := range []string{spoolMount, logMount, stateMount} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%d", uint64(roomy))); err != nil {
			return fmt.Errorf("mount %s: %w", path, err)
		}
	}
	return nil
}

// unmount gives them back.
func unmount(dir string) error {
	var errs []error
	for _, name := range []string{spoolMount, logMount, stateMount} {
		errs = append(errs, unix.Unmount(filepath.Join(dir, name), unix.MNT_DETACH))
	}
	return errors.Join(errs...)
}
