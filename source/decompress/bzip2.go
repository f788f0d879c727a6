package decompress

import (
	"bufio"
	"compress/bzip2"
	"io"
)

// isBzip2 tests the magic and the block size, which is part of no other format's.
func isBzip2(head []byte) bool {
	return hasMagic(head, "BZh") && len(head) > 3 && '1' <= head[3] && head[3] <= '9'
}

func openBzip2(src io.Reader) (io.ReadCloser, error) {
	return io.NopCloser(bzip2.NewReader(bufio.NewReaderSize(src, inputBuf))), nil
}
