package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"

	"pcapdir/source/clock"
	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

const (
	// edge is how much of either end of a file goes into its content id.
	edge = 64 << 10
	// indexBytes bounds what is unpacked in search of the first records, so
	// that a small file cannot unpack for ever without showing one.
	indexBytes = 256 << 20
	// indexBuffer is small: the first records are all that is framed.
	indexBuffer = 16 << 10
	// indexWorkers is the most files indexed at once: enough for a disk to sort
	// its seeks, few enough that hostile decompressor windows stay bounded.
	indexWorkers = 16
)

// Index reads the ends of the file at path and its first records. What cannot
// be parsed comes back with File.Err set; an error means that the file could
// not be opened or read (permission, EIO, EMFILE, gone), or that ctx is done.
func Index(ctx context.Context, d *Descriptors, path string) (*File, error) {
	h := d.File(path, Identity{})
	h.WaitUntil(ctx)
	defer func() { _ = h.Close() }() // opened for reading
	f := &File{Path: path, Name: filepath.Base(path)}
	st, err := h.Stat()
	if errors.Is(err, ErrNotRegular) {
		return special(d.fs, path)
	}
	if err != nil {
		return nil, err
	}
	f.Identity = st.Identity
	head, err := f.contentID(h)
	if err != nil {
		return nil, err
	}
	src := &faults{ctx: ctx, r: io.MultiReader(bytes.NewReader(head), h.Reader(int64(len(head))))}
	f.Err = f.firstRecords(decompress.Detect(head), src)
	if src.err != nil {
		return nil, fmt.Errorf("index %s: %w", path, src.err)
	}
	return f, nil
}

// special describes what lies at path and is no regular file, without opening it.
func special(fsys FS, path string) (*File, error) {
	st, err := fsys.Lstat(path)
	if err != nil {
		return nil, err
	}
	return &File{Path: path, Name: filepath.Base(path), Identity: st.Identity, Err: notRegular(st.Mode)}, nil
}

// contentID reads both ends of the file, sets the id and returns the first end.
func (f *File) contentID(h *Handle) (head []byte, err error) {
	head = make([]byte, min(f.Size, edge))
	if head, err = readAt(h, head, 0); err != nil {
		return nil, err
	}
	from := max(edge, f.Size-edge)
	tail := make([]byte, max(0, f.Size-from))
	if tail, err = readAt(h, tail, from); err != nil {
		return nil, err
	}
	var sum xxhash.Digest
	sum.Reset()
	_, _ = sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(f.Size)))
	_, _ = sum.Write(head)
	_, _ = sum.Write(tail)
	f.ContentID = sum.Sum64()
	return head, nil
}

// readAt fills p from off, or as much of it as there is: a file may be cut
// while it is read.
func readAt(h *Handle, p []byte, off int64) ([]byte, error) {
	n, err := h.ReadAt(p, off)
	if err == io.EOF {
		err = nil
	}
	return p[:n], err
}

// firstRecords finds the first stamp. The error is what is wrong with the
// content, unless src failed.
func (f *File) firstRecords(c decompress.Format, src io.Reader) error {
	f.Compression = c
	stream, err := decompress.NewReader(c, src)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // nothing is written
	plain := &io.LimitedReader{R: stream, N: indexBytes}
	r, err := pcapfile.NewReader(plain, indexBuffer)
	if err != nil {
		return err
	}
	f.Format = r.Format()
	var rec pcapfile.Record
	var stamps []packet.Time
	for len(stamps) < clock.Opening {
		if err = r.Next(&rec); err != nil {
			break
		}
		stamps = append(stamps, rec.TS)
	}
	if f.HasRecords = len(stamps) > 0; f.HasRecords {
		f.Latest = clock.Latest(time.Now())
		f.First, f.Least = clock.First(stamps, f.Latest), slices.Min(stamps)
	}
	switch {
	case f.HasRecords:
		return nil // damage further on is for the reader to find and to count
	case plain.N <= 0:
		return fmt.Errorf("no packet in the first %d MiB", indexBytes>>20)
	case err == io.EOF:
		return nil
	}
	return err
}

// Indexed is the outcome of Index for one path: one of the two is set.
type Indexed struct {
	File *File
	Err  error
}

// IndexAll indexes many files at once, within the limit of d. The results have
// the order of paths; the error is that of ctx alone.
func IndexAll(ctx context.Context, d *Descriptors, paths []string) ([]Indexed, error) {
	out := make([]Indexed, len(paths))
	var g errgroup.Group
	g.SetLimit(min(d.Limit(), indexWorkers, 4*runtime.GOMAXPROCS(0)))
	for i, path := range paths {
		g.Go(func() error {
			if ctx.Err() == nil {
				out[i].File, out[i].Err = Index(ctx, d, path)
			}
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

// faults remembers why reading failed, so that a disk that cannot be read is
// never taken for a capture that is damaged.
type faults struct {
	ctx context.Context
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (f *faults) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		f.err = err
		return 0, err
	}
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
