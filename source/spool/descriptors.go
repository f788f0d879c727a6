package spool

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrReplaced says that a path holds another file than the one that was
// indexed under it.
var ErrReplaced = errors.New("replaced by another file")

// Descriptors bounds how many files are open at once. A descriptor is held
// only while one read runs: between reads it stays open but idle, and the one
// idle longest is closed when another file needs its place. So any number of
// readers makes progress at a limit of 1, and nobody waits for anything but a
// read that is running.
type Descriptors struct {
	fs    FS
	limit int

	// slots holds a token per read that runs. With a token in hand, either
	// fewer than limit descriptors are open or one of them is idle. A channel
	// hands tokens to waiters in order, so no reader can starve another.
	slots chan struct{}
	lanes *lanes // nil: nobody takes turns
	want  want
	drops bool // streams leave nothing in the system's memory

	mu   sync.Mutex
	open int        // descriptors open, idle ones included
	idle *list.List // of *Handle, the longest idle in front
}

// NewDescriptors makes a pool of at most limit descriptors; limit is positive.
func NewDescriptors(fsys FS, limit int) *Descriptors {
	if limit < 1 {
		panic(fmt.Sprintf("BUG: a pool of %d descriptors", limit))
	}
	return &Descriptors{fs: fsys, limit: limit, slots: make(chan struct{}, limit), idle: list.New()}
}

// TakeTurns has the readers of one device take turns, with so many reads at once;
// 0 is one on spinning disks, and any number on others. It is called before the
// first file is read.
func (d *Descriptors) TakeTurns(perDevice int) {
	d.lanes = &lanes{fs: d.fs, per: perDevice, byDev: map[uint64]lane{}}
}

// DropBehind has the system forget what streams have read: a spool of terabytes would
// push all else out of its memory, and is read once. It is called before the first file
// is read.
func (d *Descriptors) DropBehind() { d.drops = true }

// dropEvery is after how many bytes of a stream that is said: for each read it would cost
// a third of what decoding does.
const dropEvery = 8 << 20

// want is heard of while the process, or the system, has no descriptor left.
type want struct {
	tell func(error) // of the first in a row that waits; nil: nobody waits
	told atomic.Bool
}

// wantPause is the time between two tries to open a file.
const wantPause = 100 * time.Millisecond

// WaitForWant has handles wait while there is no descriptor left, those that were told
// until when (WaitUntil), and tell hear of it: other parts of the process open files,
// too, and a file is no worse for that. It is called before the first file is read.
func (d *Descriptors) WaitForWant(tell func(error)) { d.want.tell = tell }

// Limit is the most descriptors that are ever open.
func (d *Descriptors) Limit() int { return d.limit }

// Open is how many descriptors are open now, idle ones included.
func (d *Descriptors) Open() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// File makes a handle of the file at path, without a descriptor yet. Reads
// fail with ErrReplaced when another inode than id's is found there; with the
// zero Identity the first one found is taken. The caller closes the handle.
func (d *Descriptors) File(path string, id Identity) *Handle {
	return &Handle{pool: d, path: path, id: id}
}

// Handle reads one file through the pool. Its methods may be called from
// several goroutines; reads of one handle run one after the other.
type Handle struct {
	pool *Descriptors
	path string

	until context.Context // when it ends h waits for a descriptor no more; nil: it never does

	turn   sync.Mutex // held during a read, and by Close
	id     Identity   // guarded by turn
	closed bool       // guarded by turn
	ahead  bool       // it is counted as a reader that takes turns; guarded by turn

	file OpenFile      // guarded by pool.mu; nil: no descriptor
	spot *list.Element // place in pool.idle while file is idle; guarded by pool.mu
}

// WaitUntil has h wait for a descriptor, where there is none, until ctx ends. It is
// called before h is read.
func (h *Handle) WaitUntil(ctx context.Context) { h.until = ctx }

// ReadAt implements io.ReaderAt. It opens the file where it has to, and may
// wait for reads of other handles that are running, never for more.
func (h *Handle) ReadAt(p []byte, off int64) (n int, err error) {
	err = h.with(func(f OpenFile) error {
		n, err = f.ReadAt(p, off)
		return err
	})
	return n, err
}

// Stat describes the file as it is now.
func (h *Handle) Stat() (st Stat, err error) {
	err = h.with(func(f OpenFile) error {
		st, err = f.Stat()
		return err
	})
	return st, err
}

// Reader reads the file from off to wherever its end is when it is reached.
func (h *Handle) Reader(off int64) io.Reader { return &sequence{h: h, off: off} }

// Stream is Reader for one who reads much of the file. Where the device has
// turns it waits for them, and reads up to 4 MiB ahead in each. It is for one
// goroutine, and for a handle that was made with an identity.
func (h *Handle) Stream(off int64) io.Reader {
	s := &sequence{h: h, off: off, drops: h.pool.drops, kept: off}
	l := h.pool.lanes
	h.turn.Lock()
	defer h.turn.Unlock()
	if l == nil || h.closed {
		return s
	}
	lane := l.of(h.id.Dev)
	if lane == nil {
		return s
	}
	if !h.ahead {
		h.ahead = true
		l.readers.Add(1)
	}
	return &ahead{src: s, lanes: l, lane: lane}
}

// Close gives the descriptor back, after a read that is running. Later reads
// fail with fs.ErrClosed. Closing twice is harmless.
func (h *Handle) Close() error {
	h.turn.Lock()
	defer h.turn.Unlock()
	d := h.pool
	if h.closed = true; h.ahead {
		h.ahead = false
		d.lanes.readers.Add(-1)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.file == nil {
		return nil
	}
	d.idle.Remove(h.spot)
	return d.shut(h)
}

// with runs read with an open descriptor.
func (h *Handle) with(read func(OpenFile) error) error {
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.closed {
		return &fs.PathError{Op: "read", Path: h.path, Err: fs.ErrClosed}
	}
	d := h.pool
	d.slots <- struct{}{}
	defer func() { <-d.slots }()
	f, err := d.take(h)
	if err != nil {
		return err
	}
	defer d.put(h, f)
	return read(f)
}

// take gives h a descriptor: its own idle one, or a new one in the place of
// the one idle longest. The caller holds a slot.
func (d *Descriptors) take(h *Handle) (OpenFile, error) {
	d.mu.Lock()
	if f := h.file; f != nil {
		d.idle.Remove(h.spot)
		h.file, h.spot = nil, nil
		d.mu.Unlock()
		return f, nil
	}
	if d.open == d.limit && !d.evict() {
		panic("BUG: a slot without a descriptor to close")
	}
	d.open++
	d.mu.Unlock()
	f, err := d.openFor(h)
	if err != nil {
		d.mu.Lock()
		d.open--
		d.mu.Unlock()
	}
	return f, err
}

// openPath opens a file. Where the process or the system is out of descriptors, idle
// ones are closed one by one; then there is nothing but to wait.
func (d *Descriptors) openPath(path string, until context.Context) (OpenFile, error) {
	for {
		f, err := d.fs.Open(path)
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			d.want.told.Store(false)
			return f, err
		}
		d.mu.Lock()
		more := d.evict()
		d.mu.Unlock()
		switch {
		case more:
			continue
		case d.want.tell == nil || until == nil:
			return nil, err
		case !d.want.told.Swap(true):
			d.want.tell(err)
		}
		select {
		case <-time.After(wantPause):
		case <-until.Done():
			return nil, err
		}
	}
}

// openFor opens the file of h.
func (d *Descriptors) openFor(h *Handle) (OpenFile, error) {
	f, err := d.openPath(h.path, h.until)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && h.id == (Identity{}) {
		h.id = st.Identity
	}
	if err == nil && !h.id.SameFile(st.Identity) {
		err = &fs.PathError{Op: "open", Path: h.path, Err: ErrReplaced}
	}
	if err != nil {
		_ = f.Close() // opened for reading
		return nil, err
	}
	return f, nil
}

// put makes the descriptor of h idle, before the caller gives up its slot.
func (d *Descriptors) put(h *Handle, f OpenFile) {
	d.mu.Lock()
	h.file, h.spot = f, d.idle.PushBack(h)
	d.mu.Unlock()
}

// evict closes the descriptor that has been idle longest; false: none is. The
// caller holds mu.
func (d *Descriptors) evict() bool {
	e := d.idle.Front()
	if e == nil {
		return false
	}
	_ = d.shut(d.idle.Remove(e).(*Handle)) // opened for reading: nothing to lose
	return true
}

// shut closes the descriptor of h, already off the idle list. The caller holds
// mu until it is closed: were it counted out earlier, the limit would be
// exceeded; were it off the list and still counted, a slot would be empty.
func (d *Descriptors) shut(h *Handle) error {
	err := h.file.Close()
	h.file, h.spot = nil, nil
	d.open--
	return err
}

// sequence is io.Reader over a Handle.
type sequence struct {
	h   *Handle
	off int64

	drops bool  // what was read is forgotten,
	kept  int64 // all of it but what is from there on
}

// Read implements io.Reader.
func (s *sequence) Read(p []byte) (int, error) {
	n, err := s.h.ReadAt(p, s.off)
	s.off += int64(n)
	if s.drops && (s.off-s.kept >= dropEvery || err != nil && s.off > s.kept) {
		_ = s.h.with(func(f OpenFile) error { f.Forget(s.kept, s.off-s.kept); return nil }) // advice
		s.kept = s.off
	}
	if n > 0 && err == io.EOF {
		err = nil // ReadAt says EOF with the last bytes; the next Read says it
	}
	return n, err
}
