package status

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// listen is the service manager's end of the socket.
func listen(t *testing.T) *net.UnixConn {
	t.Helper()
	// Not t.TempDir: with a long test name it exceeds the 108 bytes of a socket path.
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return conn
}

func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestNotify(t *testing.T) {
	conn := listen(t)
	n := NewNotifier()
	for _, tc := range []struct {
		call func() error
		want string
	}{
		{n.Ready, "READY=1"},
		{func() error { return n.Status("3 files open, 12 s behind") }, "STATUS=3 files open, 12 s behind"},
		{func() error { return n.Status("reading a\nWATCHDOG=trigger\r\x00\n.pcap") }, "STATUS=reading a WATCHDOG=trigger .pcap"},
		{func() error { return n.Status("") }, "STATUS="},
		{n.Stopping, "STOPPING=1"},
	} {
		if err := tc.call(); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, conn); got != tc.want {
			t.Errorf("the service manager got %q, want %q", got, tc.want)
		}
	}
}

// Without the time of the clock that never jumps, a unit of Type=notify-reload waits for
// its reload to end until it times out (sd_notify(3)).
func TestNotifyReloading(t *testing.T) {
	conn := listen(t)
	if err := NewNotifier().Reloading(); err != nil {
		t.Fatal(err)
	}
	var at uint64
	if got := receive(t, conn); !strings.HasPrefix(got, "RELOADING=1\n") {
		t.Errorf("the service manager got %q", got)
	} else if n, err := fmt.Sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%d", &at); n != 1 || err != nil || at == 0 {
		t.Errorf("the service manager got %q: %v", got, err)
	}
}

func TestNoServiceManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	n := NewNotifier()
	if err := errors.Join(n.Ready(), n.Status("x"), n.Reloading(), n.Stopping()); err != nil {
		t.Error(err)
	}
	if err := n.Watchdog(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestNotifyError(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "absent"))
	err := NewNotifier().Ready()
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "READY") {
		t.Errorf("got %v, want one that says what was not sent and why", err)
	}
}

// The ping comes at half the interval, when there is progress and only then,
// also after one that could not be sent.
func TestWatchdog(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "60000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var pings []time.Duration
		n := &Notifier{send: func(state string) error {
			if state != "WATCHDOG=1" {
				t.Errorf("sent %q", state)
			}
			pings = append(pings, time.Since(start))
			return errors.New("not this time")
		}}
		hung := func() bool { return time.Since(start) > 2*time.Minute && time.Since(start) < 4*time.Minute }
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- n.Watchdog(ctx, func() bool { return !hung() }) }()
		time.Sleep(5*time.Minute + time.Second)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []time.Duration{30, 60, 90, 120, 240, 270, 300}
		if len(pings) != len(want) {
			t.Fatalf("pings at %v, want at %v seconds", pings, want)
		}
		for i, p := range pings {
			if p != want[i]*time.Second {
				t.Errorf("ping %d at %v, want %v", i, p, want[i]*time.Second)
			}
		}
	})
}

// A watchdog that is meant for another process, or is nonsense.
func TestWatchdogEnvironment(t *testing.T) {
	n := &Notifier{send: func(string) error { t.Error("sent"); return nil }}
	t.Setenv("WATCHDOG_USEC", "60000000")
	t.Setenv("WATCHDOG_PID", "1")
	if err := n.Watchdog(t.Context(), nil); err != nil {
		t.Error(err)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	if err := n.Watchdog(t.Context(), nil); err == nil {
		t.Error("no error from a WATCHDOG_USEC that is no number")
	}
}
