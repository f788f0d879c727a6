package decompress

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
)

// isGzip tests the magic of RFC 1952.
func isGzip(head []byte) bool { return hasMagic(head, "\x1f\x8b") }

// members reads the members of a gzip stream one after the other. The package's
// own multi-member mode is not used: it takes a stream that ends inside of the
// file name in a member's header for complete.
type members struct {
	src *bufio.Reader
	z   *gzip.Reader
}

func openGzip(src io.Reader) (io.ReadCloser, error) {
	m := &members{src: bufio.NewReaderSize(src, inputBuf), z: new(gzip.Reader)}
	return m, m.next()
}

// next begins a member.
func (m *members) next() error {
	err := m.z.Reset(m.src)
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	m.z.Multistream(false)
	return err
}

// Read reads on, across members.
func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if err != io.EOF {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if err := m.skipZeros(); err != nil { // io.EOF between members is the end
			return 0, err
		}
		if err := m.next(); err != nil {
			return 0, err
		}
	}
}

// skipZeros passes over what tapes and block devices pad a file with, as the gzip
// command does.
func (m *members) skipZeros() error {
	for {
		b, err := m.src.Peek(1)
		if err != nil || b[0] != 0 {
			return err
		}
		if _, err := m.src.Discard(1); err != nil {
			return err
		}
	}
}

// Close has nothing to release.
func (m *members) Close() error { return nil }
