package rig

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

// What the watchdog does to a daemon that hangs, and what a bug does, ends it by a
// signal: the exit code that Go gives to both would say to a service manager that
// starting again is of no use.
func TestAbortIsNoExitCode(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the daemon")
	}
	r, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(true); err != nil {
		t.Fatal(err)
	}
	if err := r.answers(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(r.PID(), syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := <-r.Ended(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("%v, want a signal", err)
	}
}
