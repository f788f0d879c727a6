package spool

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
)

const (
	// aheadMost is what one turn on a device reads, in bytes: long enough that a
	// spinning disk seeks for a small part of the time (10 ms against 25 ms and
	// more of reading), short enough that nobody waits long for a turn.
	aheadMost = 4 << 20
	// aheadLeast is what a turn reads where there are many readers.
	aheadLeast = 256 << 10
	// aheadFile is read of a file that has grown, or has ended.
	aheadFile = 4 << 10
	// aheadMemory bounds the memory of all readers that take turns, up to 1024
	// of them; each more takes aheadLeast.
	aheadMemory = 256 << 20
)

// lanes lets the readers of files on one device take turns, so that a spinning
// disk gets few long reads instead of many short ones all over it.
//
// A turn is held while one read runs, with the descriptor that it needs, which
// waits for nothing but reads that are running on other devices. Whoever holds
// a descriptor never waits for a turn. So there is no circle to wait in, and at
// any limits some reader makes progress.
type lanes struct {
	fs  FS
	per int // reads at once on each device; 0: one on those that rotate

	readers atomic.Int64 // that take turns

	mu    sync.Mutex
	byDev map[uint64]lane
}

// lane holds a token per read that runs on a device; nil: it has no turns. A
// channel serves those that wait in order.
type lane chan struct{}

// of is the lane of the device dev.
func (l *lanes) of(dev uint64) lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.byDev[dev]
	if !ok {
		switch {
		case l.per > 0:
			t = make(lane, l.per)
		case rotates(l.fs, dev):
			t = make(lane, 1)
		}
		l.byDev[dev] = t
	}
	return t
}

// chunk is how much a turn reads now: a power of two.
func (l *lanes) chunk() int {
	n := int64(aheadMost)
	for n > aheadLeast && n*l.readers.Load() > aheadMemory {
		n /= 2
	}
	return int(n)
}

// rotates says whether a device is a spinning disk, or a part of one, as Linux
// tells it. One that it says nothing about (a network, btrfs) is not.
func rotates(fsys FS, dev uint64) bool {
	major := dev>>8&0xfff | dev>>32&^0xfff
	minor := dev&0xff | dev>>12&^0xff
	at, err := fsys.Resolve(fmt.Sprintf("/sys/dev/block/%d:%d", major, minor))
	if err != nil {
		return false
	}
	// A partition has no queue; that of its disk is one directory up.
	for _, dir := range []string{at, filepath.Dir(at)} {
		f, err := fsys.Open(filepath.Join(dir, "queue/rotational"))
		if err != nil {
			continue
		}
		var b [1]byte
		_, _ = f.ReadAt(b[:], 0) // what cannot be read says nothing
		_ = f.Close()            // opened for reading
		return b[0] == '1'
	}
	return false
}

// ahead reads a file in turns of its device. It is for one goroutine.
type ahead struct {
	src   *sequence
	lanes *lanes
	lane  lane
	buf   []byte // nil at first
	rest  []byte // of buf, not handed out yet
	err   error  // that comes after rest
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 && a.err == nil {
		a.fill()
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	if len(a.rest) > 0 || n > 0 && a.err == nil {
		return n, nil
	}
	err := a.err
	a.err = nil // the file may be longer at the next Read
	return n, err
}

// fill takes a turn.
func (a *ahead) fill() {
	most := a.lanes.chunk()
	// Small files are many: none needs more room than it has bytes left.
	n := min(most, int(max(a.src.h.id.Size-a.src.off, aheadFile)))
	if len(a.buf) < n || len(a.buf) > most {
		a.buf = make([]byte, n)
	}
	a.lane <- struct{}{}
	defer func() { <-a.lane }()
	n, a.err = a.src.Read(a.buf)
	a.rest = a.buf[:n]
}
