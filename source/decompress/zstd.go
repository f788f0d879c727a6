package decompress

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the largest window that is taken: 64 MiB is what the zstd command
// needs up to level 21 and --long=26, and what one open file may cost.
const zstdWindow = 64 << 20

// isZstd tests the magic of RFC 8878, of a frame or of a skippable one, which
// parallel compressors put first.
func isZstd(head []byte) bool {
	return hasMagic(head, "\x28\xb5\x2f\xfd") || len(head) > 0 && head[0]&0xf0 == 0x50 && hasMagic(head[1:], "\x2a\x4d\x18")
}

// frames reads a zstd stream. err is one that the decoder gave before its last
// bytes.
type frames struct {
	z   *zstd.Decoder
	err error
}

// openZstd makes a decoder that works in its caller's goroutine: files are read
// side by side already.
func openZstd(src io.Reader) (io.ReadCloser, error) {
	z, err := zstd.NewReader(bufio.NewReaderSize(src, inputBuf),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return nil, err
	}
	return &frames{z: z}, nil
}

// Read reads on, across frames. Where a frame's checksum is wrong or missing the
// decoder says so while it still holds the frame's last block, and gives that
// when asked again: bytes come before the error here.
func (f *frames) Read(p []byte) (int, error) {
	if f.err != nil {
		return f.drain(p)
	}
	n, err := f.z.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = fmt.Errorf("it needs a window of more than %d MiB; compress it again with zstd --long=26 or less (%w)", zstdWindow>>20, err)
	}
	f.err = err
	if n > 0 {
		return n, nil
	}
	return f.drain(p)
}

// drain gives what the decoder still holds after its error, then the error.
func (f *frames) drain(p []byte) (int, error) {
	if n, _ := f.z.Read(p); n > 0 {
		return n, nil
	}
	return 0, f.err
}

// Close releases the decoder's window.
func (f *frames) Close() error {
	f.z.Close()
	return nil
}
