package status

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peers is a listener on a unix socket that lets in root, the user that the daemon
// runs as, and members of its group. The mode of the socket says the same, but not
// before it is set, and not where a socket is reached by another path.
type peers struct {
	net.Listener
	log *slog.Logger
}

// Accept waits for a client that may ask; others are turned away.
func (p *peers) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(c)
		if err == nil && peer.mayAsk(os.Geteuid(), os.Getegid()) {
			return c, nil
		}
		p.log.Warn("control socket: somebody who may not ask was turned away", "uid", peer.uid, "pid", peer.pid, "error", err)
		_ = c.Close() // nothing was said
	}
}

// peer is who is at the other end of a unix socket, as of its connect.
type peer struct {
	uid, pid int
	groups   []uint32 // the first is the primary one
}

func (p *peer) mayAsk(euid, egid int) bool {
	return p.uid == 0 || p.uid == euid || slices.Contains(p.groups, uint32(egid))
}

// peerOf asks the kernel (SO_PEERCRED, SO_PEERGROUPS).
func peerOf(c net.Conn) (p peer, err error) {
	p.uid, p.pid = -1, -1
	u, ok := c.(*net.UnixConn)
	if !ok {
		return p, errors.New("no unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return p, err
	}
	var asked error
	err = raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); asked != nil {
			return
		}
		p.uid, p.pid, p.groups = int(cred.Uid), int(cred.Pid), []uint32{cred.Gid}
		var more []uint32
		if more, asked = peerGroups(fd); asked == unix.ENOPROTOOPT { // a kernel before 4.13
			asked = nil
		}
		p.groups = append(p.groups, more...)
	})
	return p, errors.Join(err, asked)
}

// peerGroups are the supplementary groups.
func peerGroups(fd uintptr) ([]uint32, error) {
	groups := make([]uint32, 64)
	for {
		size := uint32(len(groups) * 4)
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == unix.ERANGE && int(size/4) > len(groups):
			groups = make([]uint32, size/4)
		case errno != 0:
			return nil, errno
		default:
			return groups[:size/4], nil
		}
	}
}
