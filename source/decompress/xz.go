package decompress

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/mikelolasagasti/xz"
)

// xzDict is the largest dictionary that is taken: that of xz -9.
const xzDict = 64 << 20

// isXz tests the magic of The .xz File Format, section 2.1.1.1.
func isXz(head []byte) bool { return hasMagic(head, "\xfd7zXZ\x00") }

// blocks reads an xz stream with errors that tell.
type blocks struct{ z *xz.Reader }

// openXz makes the decoder. Its input ends in a read that brings nothing: that
// decoder takes a last read that brings something for the end of all streams.
func openXz(src io.Reader) (io.ReadCloser, error) {
	z, err := xz.NewReader(bufio.NewReaderSize(src, inputBuf), xzDict)
	return io.NopCloser(blocks{z}), explainXz(err)
}

// Read reads on, across streams.
func (b blocks) Read(p []byte) (int, error) {
	n, err := b.z.Read(p)
	return n, explainXz(err)
}

func explainXz(err error) error {
	switch {
	case errors.Is(err, xz.ErrBuf):
		return io.ErrUnexpectedEOF
	case errors.Is(err, xz.ErrMemlimit):
		return fmt.Errorf("it needs a dictionary of more than %d MiB; compress it again with xz -9 or less, or with zstd (%w)", xzDict>>20, err)
	default:
		return err
	}
}
