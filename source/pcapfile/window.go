package pcapfile

import "io"

// minBuf holds any fixed header.
const minBuf = 64

// maxEmptyReads is after how many reads without bytes or error a reader is stuck.
const maxEmptyReads = 100

// window is the part of a stream that is in memory: buf[pos:end] is unread.
// Unlike bufio.Reader it grows for one large record and shrinks again, and
// knows its place in the stream.
type window struct {
	src      io.Reader
	buf      []byte
	keep     int // a larger buf is given back once it is not needed
	pos, end int
	base     int64 // stream offset of buf[0]
	err      error // came with the last bytes, is due after them
}

func newWindow(src io.Reader, size int) window {
	if size <= 0 {
		size = DefaultBuf
	}
	size = max(size, minBuf)
	return window{src: src, buf: make([]byte, size), keep: max(size, DefaultBuf)}
}

// rest is what is unread. It holds until the next fill or discard.
func (w *window) rest() []byte { return w.buf[w.pos:w.end] }

// offset is the place of the first unread byte in the stream.
func (w *window) offset() int64 { return w.base + int64(w.pos) }

// fill makes rest at least n bytes long, or returns the reader's error as it is
// and leaves what there is. The caller bounds n. Errors do not stick, so that a
// growing file, or a disk that recovers, can be read on.
func (w *window) fill(n int) error {
	if w.end-w.pos >= n {
		return nil
	}
	w.slide(n)
	for w.end < n {
		if err := w.read(); err != nil {
			return err
		}
	}
	return nil
}

// discard drops up to n bytes and returns how many are still to go.
func (w *window) discard(n int64) (left int64, err error) {
	for {
		k := min(n, int64(w.end-w.pos))
		w.pos += int(k)
		if n -= k; n == 0 {
			return 0, nil
		}
		w.slide(0)
		if err := w.read(); err != nil {
			return n, err
		}
	}
}

// slide moves rest to the start of a buffer that has room for n bytes.
func (w *window) slide(n int) {
	old := w.rest()
	switch {
	case n > len(w.buf):
		w.buf = make([]byte, n)
	case len(w.buf) > w.keep && max(n, len(old)) <= w.keep:
		w.buf = make([]byte, w.keep)
	}
	w.base += int64(w.pos)
	w.pos, w.end = 0, copy(w.buf, old)
}

// read adds at least one byte behind end. There is room.
func (w *window) read() error {
	if err := w.err; err != nil {
		w.err = nil
		return err
	}
	for range maxEmptyReads {
		n, err := w.src.Read(w.buf[w.end:])
		w.end += n
		if n > 0 {
			w.err = err
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
