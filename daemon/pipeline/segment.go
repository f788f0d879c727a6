package pipeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/cespare/xxhash/v2"

	"pcapdir/source/snap"
	"pcapdir/source/spool"
)

// segment is a file of the state directory that holds a part of the state: it is
// written once, and goes when no ledger names it.
type segment struct {
	Name string
	Size int64
	Sum  uint64 // xxhash64
}

// segmentPrefix begins the names of segments.
const segmentPrefix = "state-"

// ErrState says that the state of the run before cannot be used. Its text names the
// way out.
var ErrState = errors.New("the state of the run before cannot be used")

const stateWayOut = "pcapdird run --reset-state drops it: connections that were open begin anew, and files that lie in the spool are read from their beginning, so what they had logged stands twice"

// refused is an ErrState with its cause and the way out.
func refused(cause error) error { return fmt.Errorf("%w: %w; %s", ErrState, cause, stateWayOut) }

// writeSegment makes a segment of what do writes. It is not durable before Sync of
// the file, which the caller closes.
func writeSegment(fsys spool.FS, dir, name string, do func(w *snap.Writer)) (seg segment, file spool.OpenFile, err error) {
	file, err = fsys.OpenWrite(filepath.Join(dir, name), stateMode)
	if err != nil {
		return segment{}, nil, fmt.Errorf("write state: %w", err)
	}
	out, sum := io.NewOffsetWriter(file, 0), xxhash.New()
	if err = file.Truncate(0); err == nil {
		w := snap.NewWriter(io.MultiWriter(out, sum))
		do(w)
		err = w.Close()
	}
	if err != nil {
		return segment{}, nil, fmt.Errorf("write state: %w", errors.Join(err, file.Close()))
	}
	size, _ := out.Seek(0, io.SeekCurrent) // only asks
	return segment{name, size, sum.Sum64()}, file, nil
}

// readSegment lets do read a segment that is whole.
func readSegment(fsys spool.FS, dir string, seg segment, do func(r *snap.Reader) error) error {
	path := filepath.Join(dir, seg.Name)
	f, err := fsys.Open(path)
	if err != nil {
		return refused(err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	sum := xxhash.New()
	n, err := io.Copy(sum, io.NewSectionReader(f, 0, seg.Size+1))
	switch {
	case err != nil:
		return refused(fmt.Errorf("read %s: %w", path, err))
	case n != seg.Size || sum.Sum64() != seg.Sum:
		return refused(fmt.Errorf("%s is damaged (its checksum does not match)", path))
	}
	r := snap.NewReader(io.NewSectionReader(f, 0, seg.Size), seg.Size)
	if err := do(r); err != nil {
		return refused(fmt.Errorf("%s: %w", path, err))
	}
	return nil
}

// sweep removes the segments that keep does not name any more.
func (s *store) sweep(keep []segment) {
	old := s.segments
	s.segments = slices.Clone(keep)
	for _, seg := range old {
		if !named(keep, seg.Name) {
			s.remove(seg.Name)
		}
	}
}

func named(segments []segment, name string) bool {
	return slices.ContainsFunc(segments, func(s segment) bool { return s.Name == name })
}

// remove removes a file of the state directory that is of no use. One that stays is
// swept up after the next start.
func (s *store) remove(name string) {
	if err := s.fs.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("old state stays", "file", name, "error", err)
	}
}
