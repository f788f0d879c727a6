package logs

import (
	"bytes"
	"fmt"
	"io"
)

// place says where lines belong that were to go at the given position, and whether
// someone else changed the log since.
//
// What an earlier attempt left must be told from what others wrote, or the lines
// would stand twice, or over theirs. Behind at, and in a file that at does not know
// (made by an attempt that was cut short, or by a rotation from outside), only a
// beginning of these very lines is ours. One case is left out: cut short twice over,
// in a file that someone put there with lines of its own, an attempt counts as theirs.
func (f *liveFile) place(at Position, lines Lines) (start int64, replaced bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, false, err
	}
	size := info.Size()
	if at.Dev == f.dev && at.Ino == f.ino && size >= at.Length {
		if ours, err := f.begins(at.Length, size, lines); ours || err != nil {
			return at.Length, false, err
		}
	}
	known := at.Dev != 0 || at.Ino != 0
	if ours, err := f.begins(0, size, lines); ours || err != nil {
		return 0, known, err
	}
	return size, true, nil
}

// begins says whether all that the file holds from start to size is a beginning of
// lines. Zero bytes count: after a power cut a file may be longer than its content.
func (f *liveFile) begins(start, size int64, lines Lines) (bool, error) {
	if size-start > lines.Size() {
		return false, nil
	}
	there, ours := make([]byte, min(size-start, chunkSize)), make([]byte, min(size-start, chunkSize))
	for at := int64(0); start+at < size; {
		n := min(size-start-at, chunkSize)
		if err := readBack(f, there[:n], start+at); err != nil {
			return false, err
		}
		if err := readBack(lines, ours[:n], at); err != nil {
			return false, err
		}
		if !matches(there[:n], ours[:n]) {
			return false, nil
		}
		at += n
	}
	return true, nil
}

func readBack(from io.ReaderAt, b []byte, at int64) error {
	n, err := from.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // truncated while we look: try again
	}
	return fmt.Errorf("read back: %w", err)
}

// matches says whether a chunk is as ours, where it is not zero.
func matches(chunk, ours []byte) bool {
	if bytes.Equal(chunk, ours) {
		return true
	}
	for i, c := range chunk {
		if c != 0 && c != ours[i] {
			return false
		}
	}
	return true
}

// ownLine is lines, behind a newline when what stands before start does not end in one.
func (f *liveFile) ownLine(start int64, lines Lines) (Lines, error) {
	torn, err := f.torn(start)
	if err != nil || !torn {
		return lines, err
	}
	return Join(bytes.NewReader([]byte{'\n'}), lines), nil
}

// torn says whether what stands before end, which is not the beginning, ends in half a
// line.
func (f *liveFile) torn(end int64) (bool, error) {
	var last [1]byte
	err := readBack(f, last[:], end-1)
	return last[0] != '\n', err
}
