package consumers

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// received is what came over a connection of TCP.
type received struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *received) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *received) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(strings.Lines(r.text.String()))
}

// listen takes what is sent to a port of its own.
func listen(t *testing.T) (port string, r *received) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r = new(received)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer func() { _ = c.Close() }()
				b := make([]byte, 1<<16)
				for {
					n, err := c.Read(b)
					_, _ = r.Write(b[:n])
					if err != nil {
						return
					}
				}
			}()
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, r
}

// syslog-ng follows the logs, through a rotation too, and passes each line on once, byte by
// byte.
func TestSyslogNG(t *testing.T) {
	syslogNG, err := exec.LookPath("syslog-ng")
	if err != nil {
		t.Skip("syslog-ng is not installed")
	}
	version, err := exec.Command(syslogNG, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile(`Config version: (\S+)`).FindSubmatch(version)
	if config == nil {
		t.Fatalf("which version is it? %s", version)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	port, got := listen(t)
	conf := strings.NewReplacer("/var/log/pcapdir/", dir+"/", `"siem.example.org" port(6514)`, `"127.0.0.1" port(`+port+`)`,
		"reliable(yes)", `reliable(yes) dir("`+dir+`")`).Replace(read(t, "syslog-ng.conf"))
	write(t, at("conf"), "@version: "+string(config[1])+"\n"+conf)
	conn, weird := split(read(t, testdata+"golden/logs/cases.conn.log")), read(t, testdata+"golden/logs/cases.weird.log")
	before, last, after := strings.Join(conn[:10], "\n")+"\n", strings.Join(conn[10:20], "\n")+"\n", strings.Join(conn[20:], "\n")+"\n"
	write(t, at("conn.log"), before)

	var said bytes.Buffer
	c := exec.Command(syslogNG, "-F", "--no-caps", "-f", at("conf"), "-R", at("persist"), "-c", at("ctl"), "-p", at("pid"))
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	defer func() { _ = c.Process.Kill(); <-ended }()
	comes := func(text string) {
		t.Helper()
		want := slices.Sorted(strings.Lines(text))
		for begin := time.Now(); !slices.Equal(got.lines(), want); time.Sleep(50 * time.Millisecond) {
			if time.Since(begin) > time.Minute {
				_ = c.Process.Kill()
				<-ended
				t.Fatalf("%d of %d lines came through\n%s", len(got.lines()), len(want), said.String())
			}
		}
	}
	comes(before)
	appendTo(t, at("conn.log"), last)
	if err := os.Rename(at("conn.log"), at("conn.2026-11-21-05-00-00.log")); err != nil {
		t.Fatal(err)
	}
	write(t, at("conn.log"), after)
	write(t, at("weird.log"), weird)
	comes(before + last + after + weird)
	time.Sleep(2 * time.Second) // in which nothing may come twice
	comes(before + last + after + weird)
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
