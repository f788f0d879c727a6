package status

import (
	"net"
	"sync"
)

// maxClients is how many may ask at once: each costs a descriptor, which captures
// need.
const maxClients = 64

// few is a listener that lets in so many at once; others wait.
type few struct {
	net.Listener
	room   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newFew(l net.Listener) *few {
	return &few{Listener: l, room: make(chan struct{}, maxClients), closed: make(chan struct{})}
}

// Accept waits for room, then for a client.
func (f *few) Accept() (net.Conn, error) {
	select {
	case f.room <- struct{}{}:
	case <-f.closed:
		return nil, net.ErrClosed
	}
	c, err := f.Listener.Accept()
	if err != nil {
		<-f.room
		return nil, err
	}
	return &guest{Conn: c, leave: sync.OnceFunc(func() { <-f.room })}, nil
}

// Close ends Accept.
func (f *few) Close() error {
	f.once.Do(func() { close(f.closed) })
	return f.Listener.Close()
}

// guest makes room when it is closed.
type guest struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}
