// Package rig runs the real daemon, a process of its own, on a spool in a directory
// of its own: for programs that try it for long or treat it badly.
package rig

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Rig is a daemon, started or not, with its directories. One goroutine owns it.
type Rig struct {
	// Env is added to the environment of what is started.
	Env   []string
	dir   string
	cmd   *exec.Cmd
	ended chan error // takes the end of cmd, once
}

// New builds the daemon in dir, which is made where it is missing, with build tags.
func New(dir string, tags ...string) (*Rig, error) {
	r := &Rig{dir: dir}
	if err := os.MkdirAll(r.Path("spool", "in"), 0o755); err != nil {
		return nil, err
	}
	if text, err := exec.Command("go", "build", "-tags", strings.Join(tags, ","), "-o", r.Path("pcapdird"), "pcapdir/daemon/pcapdird").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, text)
	}
	return r, nil
}

// Path is a path in the directory. "spool/in" is the spool, beside which are "spool/done"
// and "spool/failed"; logs are in "var/logs" and the state is in "state"; what the daemon
// says is appended to "stderr".
func (r *Rig) Path(name ...string) string { return filepath.Join(append([]string{r.dir}, name...)...) }

// Log is the path of a file in the directory of logs.
func (r *Rig) Log(name ...string) string { return r.Path(append([]string{"var", "logs"}, name...)...) }

// Start starts the daemon with further settings, section.key=value. Unless it is to
// keep what is open, a stop ends and logs it.
func (r *Rig) Start(keep bool, settings ...string) error {
	text, err := os.OpenFile(r.Path("stderr"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = text.Close() }() // the daemon has its own
	r.cmd = exec.Command(r.Path("pcapdird"), "run")
	if !keep {
		r.cmd.Args = append(r.cmd.Args, "--flush")
	}
	for _, set := range append([]string{
		"spool.dirs=" + r.Path("spool", "in"), "spool.done=" + r.Path("spool", "done"), "spool.failed=" + r.Path("spool", "failed"),
		"logs.dir=" + r.Log(), "logs.rotate=0s", "commit.dir=" + r.Path("state"),
	}, settings...) {
		r.cmd.Args = append(r.cmd.Args, "--set", set)
	}
	r.cmd.Stderr, r.cmd.Env = text, append(os.Environ(), r.Env...)
	if err := r.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := r.cmd, make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	r.ended = ended
	return nil
}

// PID is the daemon's.
func (r *Rig) PID() int { return r.cmd.Process.Pid }

// Ended takes the end of the daemon: only what neither Stop nor Kill brought about.
func (r *Rig) Ended() <-chan error { return r.ended }

// patience is how long the daemon may take to start, and to stop.
const patience = time.Minute

// Stop ends the daemon as a service manager does, once it answers, and fails if it does
// not end cleanly. One that does not end at all says in "stderr" where it hangs.
func (r *Rig) Stop() error {
	if err := r.answers(); err != nil {
		return err
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-r.ended:
		return cleanly(err)
	case <-time.After(patience):
	}
	err := r.cmd.Process.Signal(syscall.SIGQUIT) // the runtime prints all goroutines
	return errors.Join(errors.New("the daemon does not stop; its stderr says where it hangs"), err, <-r.ended)
}

// cleanly is nil where the daemon ended as SIGTERM asks it to.
func cleanly(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return errors.New("the daemon ended by itself")
	case errors.As(err, &exit) && exit.ExitCode() == 128+int(syscall.SIGTERM):
		return nil
	}
	return fmt.Errorf("the daemon did not stop cleanly: %w", err)
}

// answers waits until the daemon listens, from when on it takes signals.
func (r *Rig) answers() error {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("unix", r.Path("state", "control.sock")); err == nil {
			return c.Close()
		}
		select {
		case err := <-r.ended:
			return fmt.Errorf("the daemon ended early: %w", err)
		default:
		}
	}
	return errors.New("the daemon does not start")
}

// Kill ends the daemon without a word. It fails if that had ended by itself.
func (r *Rig) Kill() error {
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return WasKilled(<-r.ended)
}

// Peak is the most memory that the daemon had resident, in bytes. It is known once that
// has ended.
func (r *Rig) Peak() int64 {
	u, ok := r.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return u.Maxrss << 10
}

// CPU is the time that the daemon took, user and system, once it has ended.
func (r *Rig) CPU() time.Duration {
	return r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime()
}

// Abandon ends the daemon if it still runs, however it does.
func (r *Rig) Abandon() {
	if r.cmd != nil && r.cmd.Process != nil {
		_ = r.cmd.Process.Kill() // it may have ended
	}
}

// WasKilled is nil where the daemon ended as kill -9 makes it end.
func WasKilled(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return nil
		}
	}
	return fmt.Errorf("the daemon ended by itself: %w", errors.Join(err, errors.New("its stderr says why")))
}

// Deposit moves a capture into the spool, as a producer does.
func (r *Rig) Deposit(name string, capture []byte) error {
	written := r.Path("spool", "deposit.tmp")
	if err := os.WriteFile(written, capture, 0o644); err != nil {
		return err
	}
	return os.Rename(written, r.Path("spool", "in", name))
}

// Waiting is how many files are in the spool.
func (r *Rig) Waiting() (int, error) {
	names, err := os.ReadDir(r.Path("spool", "in"))
	return len(names), err
}
