package pipeline

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"pcapdir/source"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// scan reads the record headers of files whose runs are to be found, before any
// of them is admitted. It is a second read of each, and counted as such.
func (fs *files) scan(ctx context.Context, found []*spool.File) []source.Scan {
	scans := make([]source.Scan, len(found))
	if !fs.full {
		return scans
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range found {
		if f.Err == nil && f.HasRecords && f.Path != stdin {
			g.Go(func() error {
				scans[i] = fs.scanFile(ctx, f)
				return nil
			})
		}
	}
	_ = g.Wait() // what is wrong with a file is in its scan
	return scans
}

func (fs *files) scanFile(ctx context.Context, f *spool.File) source.Scan {
	cfg := fs.cfg
	cfg.Latest = f.Latest
	h := fs.descriptors.File(f.Path, f.Identity)
	defer func() { _ = h.Close() }() // opened for reading
	return source.ScanFile(ctx, cfg, &counted{h.Reader(0), &fs.read}, f.Compression)
}

// runs are the inputs of the merge that f is: one, unless a scan has found more
// and could be read to its end, or to where the file is damaged.
func (fs *files) runs(f *file) []source.Run {
	if len(f.scan.Runs) > 1 && !spool.Retryable(f.scan.Err) {
		return f.scan.Runs
	}
	f.scan = source.Scan{}
	return []source.Run{source.Whole(fs.first(f.File))}
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
	s, b := &f.scan, &f.books
	if len(s.Runs) == 0 {
		return
	}
	b.Inversions, b.LinkTypes = s.Inversions, s.LinkTypes
	if b.Err == nil {
		b.Err = s.Err
	}
}
