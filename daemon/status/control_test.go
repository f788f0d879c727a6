package status

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve answers with ops at a socket until the test ends.
func serveControl(t *testing.T, path string, ops ...Operation) {
	t.Helper()
	l, err := ListenControl(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ServeControl(ctx, l, slog.New(slog.DiscardHandler), ops) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket is left behind")
		}
	})
}

func echo(_ context.Context, a string) (any, error) { return "<" + a + ">", nil }

func TestControl(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dead, err := net.Listen("unix", path) // as a killed daemon leaves it
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	var answer string
	if err := Ask(t.Context(), path, "echo", "", &answer); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), path) {
		t.Errorf("nobody there: %v", err)
	}
	waiting := make(chan struct{})
	serveControl(t, path,
		Operation{"echo", echo},
		Operation{"fail", func(context.Context, string) (any, error) { return nil, errors.New("it is \"so\"\n") }},
		Operation{"wait", func(ctx context.Context, _ string) (any, error) {
			close(waiting)
			<-ctx.Done()
			return nil, ctx.Err()
		}},
	)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o660 {
		t.Errorf("%v, mode %v", err, st.Mode())
	}
	if err := Ask(t.Context(), path, "echo", "a\xff b/..", &answer); err != nil || answer != "<a\ufffd b/..>" {
		t.Errorf("%q, %v", answer, err)
	}
	if err := Ask(t.Context(), path, "fail", "", &answer); err == nil || err.Error() != "it is \"so\"\n" {
		t.Errorf("%v", err)
	}
	if err := Ask(t.Context(), path, "echo", strings.Repeat("x", argumentMax+1), &answer); err == nil {
		t.Error("an endless argument is read")
	}
	if err := Ask(t.Context(), path, "other", "", &answer); err == nil || !strings.Contains(err.Error(), "same version") {
		t.Errorf("%v", err)
	}
	short, cancel := context.WithCancel(t.Context())
	go func() { <-waiting; cancel() }()
	if err := Ask(short, path, "wait", "", &answer); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	c := http.Client{Transport: &http.Transport{Dial: func(string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	res, err := c.Get("http://x/echo") // an operation is no page
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if res.Body.Close(); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", res.Status)
	}
}

func TestControlSocketCannotBeMade(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, why := range map[string]string{
		file:                                "no socket", // and never removed
		filepath.Join(dir, "none/s"):        "no such file",
		"/" + strings.Repeat("x", pathMax):  "set status.control",
		filepath.Join(file, "below a file"): "not a directory",
	} {
		if l, err := ListenControl(path); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %v", path, l, err)
		}
	}
	if _, err := os.Lstat(file); err != nil {
		t.Error(err)
	}
	if err := Ask(t.Context(), "/"+strings.Repeat("x", pathMax), "echo", "", nil); err == nil || !strings.Contains(err.Error(), "set status.control") {
		t.Errorf("a path that is too long: %v", err)
	}
}

// Clients that say nothing do not use up the descriptors of the process, nor keep
// others out for ever.
func TestFewClients(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	serveControl(t, path, Operation{"echo", func(_ context.Context, a string) (any, error) { return a, nil }})
	descriptors := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(fds)
	}
	before := descriptors()
	var silent []net.Conn
	for range 3 * maxClients {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, c)
	}
	var answer string
	asked := make(chan error, 1)
	go func() { asked <- Ask(t.Context(), path, "echo", "", &answer) }()
	for range 5000 { // what others had open before may be closed meanwhile: then so many are never reached
		if descriptors() >= before+3*maxClients+maxClients {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n := descriptors() - before - len(silent); n > maxClients+1 { // and the one that asks
		t.Errorf("%d descriptors on the side of the daemon", n)
	}
	for _, c := range silent {
		_ = c.Close()
	}
	if err := <-asked; err != nil {
		t.Error(err)
	}
}
