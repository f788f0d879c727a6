package decompress

import (
	"bufio"
	"io"

	"github.com/pierrec/lz4/v4"
)

// isLz4 tests the magic of a frame of the LZ4 Frame Format, or of a legacy one.
// Skippable frames have the same magic as zstd's and say nothing.
func isLz4(head []byte) bool {
	return hasMagic(head, "\x04\x22\x4d\x18") || hasMagic(head, "\x02\x21\x4c\x18")
}

// openLz4 makes a decoder of frame after frame that works in its caller's
// goroutine. A block takes 4 MiB, or 8 in a legacy frame.
func openLz4(src io.Reader) (io.ReadCloser, error) {
	z := lz4.NewReader(bufio.NewReaderSize(src, inputBuf))
	return io.NopCloser(z), z.Apply(lz4.ConcurrencyOption(1))
}
