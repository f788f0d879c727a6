package status

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhoMayAsk(t *testing.T) {
	for _, c := range []struct {
		peer peer
		want bool
	}{
		{peer{uid: 0}, true}, {peer{uid: 500}, true}, {peer{uid: 501, groups: []uint32{501}}, false},
		{peer{uid: 501, groups: []uint32{600}}, true}, {peer{uid: 501, groups: []uint32{501, 4, 600}}, true}, {peer{uid: -1}, false},
	} {
		if got := c.peer.mayAsk(500, 600); got != c.want {
			t.Errorf("%+v: %v", c.peer, got)
		}
	}
}

func TestPeerOf(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	here, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	groups, err := os.Getgroups()
	if p, err2 := peerOf(here); errors.Join(err, err2) != nil || p.uid != os.Getuid() || p.pid != os.Getpid() || len(p.groups) != 1+len(groups) || int(p.groups[0]) != os.Getgid() {
		t.Errorf("%+v, %v, %v", p, err, err2)
	}
}

// helperSocket names the socket that a child of the test is to ask.
const helperSocket = "PCAPDIR_TEST_SOCKET"

// Somebody else is turned away, whatever the mode of the socket; needs root, who can
// be anybody.
func TestOthersAreTurnedAway(t *testing.T) {
	if path := os.Getenv(helperSocket); path != "" {
		c, err := net.Dial("unix", path)
		if err == nil {
			_, err = io.WriteString(c, "POST /echo HTTP/1.0\r\n\r\n")
			text, _ := io.ReadAll(c)
			os.Stdout.Write(text)
		}
		t.Log(err)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	dir, err := os.MkdirTemp("", "pcapdir-peer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	serveControl(t, path, Operation{"echo", echo})
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	text, err := os.ReadFile("/proc/self/exe") // the test's own folder is root's
	if err == nil {
		err = os.WriteFile(binary, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	ask := func(uid, gid uint32) string {
		child := exec.Command(binary, "-test.run", "^TestOthersAreTurnedAway$")
		child.Dir = dir
		child.Env = append(os.Environ(), helperSocket+"="+path)
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
		out, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if out := ask(65534, 65534); strings.Contains(out, "HTTP/1.0 200") {
		t.Errorf("a stranger got %q", out)
	}
	if out := ask(65534, uint32(os.Getegid())); !strings.Contains(out, "HTTP/1.0 200") {
		t.Errorf("a member of the group got %q", out)
	}
}
