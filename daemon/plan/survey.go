package plan

import (
	"context"
	"io"
	"math"

	"pcapdir/source/clock"
	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/spool"
)

const (
	// wholeSize is the size on disk up to which a file is read to its end.
	wholeSize = 1 << 20
	// smallSize is how many bytes of such a file, inflated, are read: it may be a
	// bomb.
	smallSize = 64 << 20
	// sampleSize is how many bytes of a larger one, inflated, say how long its
	// records are.
	sampleSize = 1 << 20
	// tailSize is how much of the end of a larger one is looked at for its last
	// stamp: room for some records of any length that tools write.
	tailSize = 512 << 10
	// lastRecords are those at the end that say when it ends: the last one need not
	// be the latest.
	lastRecords = 16
)

// survey is what is known of one file.
type survey struct {
	packets  float64 // an estimate unless whole
	links    []uint16
	last     packet.Time // greatest stamp that can be right; holds if ends
	ends     bool
	whole    bool  // it was read to its end
	inflated int64 // bytes that came out, of all or of the sample
	framed   int64 // of them, those of records that were counted
	err      error // damage that will set it aside
}

// look surveys f. full reads files of any size to their ends.
func look(ctx context.Context, d *spool.Descriptors, f *spool.File, full bool) (s survey) {
	h := d.File(f.Path, f.Identity)
	defer func() { _ = h.Close() }() // opened for reading
	in, limit := &counter{r: h.Reader(0)}, int64(sampleSize)
	switch {
	case full:
		in.r, limit = h.Stream(0), math.MaxInt64
	case f.Size <= wholeSize:
		limit = smallSize
	}
	r, head, err := s.records(until{ctx, in}, f, limit)
	if s.inflated < limit {
		s.whole, s.ends, s.err = true, s.packets > 0, err
		return s
	}
	// Only the beginning was looked at.
	s.ends = false
	if s.framed > 0 && in.n > 0 {
		times := float64(f.Size) / float64(in.n) * float64(s.inflated) / float64(s.framed)
		s.packets *= times
	}
	if f.Compression != decompress.Plain || s.packets == 0 {
		return s
	}
	if tail, ok := r.Tail(h, head, f.Size, tailSize); ok {
		s.last, s.ends = latest(tail, f)
	}
	return s
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// until ends with the context.
type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// records takes in records until so many bytes came out. It returns the reader of
// them, and its offset behind the first.
func (s *survey) records(src io.Reader, f *spool.File, limit int64) (r *pcapfile.Reader, head int64, err error) {
	stream, err := decompress.NewReader(f.Compression, src)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = stream.Close() }() // nothing is written
	out := &counter{r: stream}
	defer func() { s.inflated = out.n }()
	r, err = pcapfile.NewReader(out, f.Buffer(pcapfile.DefaultBuf/4))
	if err != nil {
		return nil, 0, err
	}
	defer func() { s.links, s.framed = r.LinkTypes(), r.Offset() }()
	s.last = -packet.MaxTime
	var rec pcapfile.Record
	for out.n < limit {
		if err := r.Next(&rec); err == io.EOF {
			return r, head, nil
		} else if err != nil {
			return r, head, err
		}
		if s.packets++; s.packets == 1 {
			head = r.Offset()
		}
		if !clock.Wild(rec.TS, f.Latest) {
			s.last = max(s.last, rec.TS)
		}
	}
	return r, head, nil
}

// latest is the greatest of the last stamps of a capture that is whole.
func latest(src io.Reader, f *spool.File) (last packet.Time, ok bool) {
	r, err := pcapfile.NewReader(src, 0)
	if err != nil {
		return 0, false
	}
	var rec pcapfile.Record
	var stamps []packet.Time
	for {
		if err := r.Next(&rec); err == io.EOF {
			break
		} else if err != nil {
			return 0, false
		}
		if !clock.Wild(rec.TS, f.Latest) {
			stamps = append(stamps, rec.TS)
		}
	}
	last = -packet.MaxTime
	for _, t := range stamps[max(0, len(stamps)-lastRecords):] {
		last = max(last, t)
	}
	return last, len(stamps) > 0
}
