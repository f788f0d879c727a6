package pipeline

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"pcapdir/source"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/spool"
)

// scan reads the record headers of files whose runs are to be found, before any
// of them is admitted. It is a second read of each, and counted as such.
func (fs *files) scan(ctx context.Context, found []*file) {
	if !fs.full {
		return
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(fs.stop, end)() // then nothing is opened any more
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, f := range found {
		if f.Err == nil && f.HasRecords && !f.Stream && f.inputs == nil && f.books == nil {
			g.Go(func() error {
				f.scan = fs.scanFile(ctx, f.File)
				return nil
			})
		}
	}
	_ = g.Wait() // what is wrong with a file is in its scan
}

// scanFile scans f. A scan that finds one run, or does not come to the end of
// what is readable, is none: f is then read as it stands.
func (fs *files) scanFile(ctx context.Context, f *spool.File) source.Scan {
	s := fs.headers(ctx, f)
	if len(s.Runs) == 1 || ctx.Err() != nil || spool.Retryable(s.Err) {
		return source.Scan{}
	}
	return s
}

// headers reads the record headers of f.
func (fs *files) headers(ctx context.Context, f *spool.File) source.Scan {
	cfg := fs.cfg
	cfg.Latest = f.Latest
	h := fs.descriptors.File(f.Path, f.Identity)
	h.WaitUntil(ctx)
	defer func() { _ = h.Close() }() // opened for reading
	return source.ScanFile(ctx, cfg, &counted{h.Reader(0), []*atomic.Int64{&fs.read}}, f.Compression)
}

// runs are the inputs of the merge that f is.
func (fs *files) runs(f *file) []source.Run {
	if len(f.scan.Runs) > 0 {
		return f.scan.Runs
	}
	return []source.Run{source.Whole(fs.first(f.File))}
}

// buffer is the size of one read of a run of f: as many as a file has may be
// read at the same time.
func (f *file) buffer() int {
	const least = 32 << 10
	n := max(least, pcapfile.DefaultBuf/max(1, len(f.scan.Runs)))
	if f.Stream {
		return n // it was not indexed
	}
	return f.Buffer(n)
}

// first is the time that f begins at. Where records stand as they are, a wrong
// stamp counts like any other.
func (fs *files) first(f *spool.File) packet.Time {
	if fs.cfg.Sort {
		return f.First
	}
	return f.Least
}

// bookScan puts what the runs do not know of each other into the books of f.
func (f *file) bookScan() {
	s, b := &f.scan, f.books
	if len(s.Runs) == 0 {
		return
	}
	b.Inversions, b.LinkTypes = s.Inversions, s.LinkTypes
	if b.Err == nil {
		b.Err = s.Err
	}
}
