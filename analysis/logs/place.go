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
func (f *liveFile) place(at Position, lines []byte) (start int64, replaced bool, err error) {
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
func (f *liveFile) begins(start, size int64, lines []byte) (bool, error) {
	if size-start > int64(len(lines)) {
		return false, nil
	}
	buf := make([]byte, min(size-start, 64<<10))
	for start < size {
		chunk := buf[:min(size-start, int64(len(buf)))]
		n, err := f.ReadAt(chunk, start)
		if n < len(chunk) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF // truncated while we look: try again
			}
			return false, fmt.Errorf("read back: %w", err)
		}
		if !matches(chunk, lines) {
			return false, nil
		}
		start += int64(n)
		lines = lines[n:]
	}
	return true, nil
}

func matches(chunk, lines []byte) bool {
	if bytes.HasPrefix(lines, chunk) {
		return true
	}
	for i, c := range chunk {
		if c != 0 && c != lines[i] {
			return false
		}
	}
	return true
}

// ownLine is lines, behind a newline when what stands before start does not end in one.
func (f *liveFile) ownLine(start int64, lines []byte) ([]byte, error) {
	var last [1]byte
	if _, err := f.ReadAt(last[:], start-1); err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	if last[0] == '\n' {
		return lines, nil
	}
	return append([]byte{'\n'}, lines...), nil
}
