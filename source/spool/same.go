package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// sameChunk is how much of two files is compared at once.
const sameChunk = 1 << 20

// sameBytes says whether two files hold the same bytes, and so whether one is a
// copy of the other. One that cannot be read to its end is the same as nothing.
// The error is that of ctx.
func sameBytes(ctx context.Context, a, b *Handle) (bool, error) {
	p, q := make([]byte, sameChunk), make([]byte, sameChunk)
	for off := int64(0); ; off += sameChunk {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, errA := a.ReadAt(p, off)
		m, errB := b.ReadAt(q, off)
		endA, endB := errA == io.EOF, errB == io.EOF
		if errA != nil && !endA || errB != nil && !endB || endA != endB || !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		if endA {
			return true, nil
		}
	}
}

// errSpan ends a scan: what it looked for was found.
var errSpan = errors.New("the stamps lie far enough apart")

// spans says whether the stamps of a capture lie further apart than window. It
// reads no further than it has to. The error is that of ctx.
func spans(ctx context.Context, h *Handle, c decompress.Format, window time.Duration) (bool, error) {
	err := scanStamps(&faults{ctx: ctx, r: h.Reader(0)}, c, window)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return errors.Is(err, errSpan), nil
}

func scanStamps(src io.Reader, c decompress.Format, window time.Duration) error {
	stream, err := decompress.NewReader(c, src)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // nothing is written
	r, err := pcapfile.NewReader(io.LimitReader(stream, indexBytes), 0)
	if err != nil {
		return err
	}
	var rec pcapfile.Record
	var first, last packet.Time
	for n := 0; ; n++ {
		if err := r.Next(&rec); err != nil {
			return err
		}
		if n == 0 {
			first, last = rec.TS, rec.TS
		}
		first, last = min(first, rec.TS), max(last, rec.TS)
		if width := last.Sub(first); width > window || width < 0 { // below 0: too wide for a Duration
			return errSpan
		}
	}
}

// twins says whether the files a and b are one capture that came twice: two
// names of one inode, or the same bytes whose stamps span more than window, as
// the package's comment says.
func twins(ctx context.Context, d *Descriptors, window time.Duration, a, b *File) (bool, error) {
	if a.SameContent(b.Identity) {
		return true, nil
	}
	if a.Size != b.Size || a.ContentID != b.ContentID {
		return false, nil
	}
	h, o := d.File(a.Path, a.Identity), d.File(b.Path, b.Identity)
	h.WaitUntil(ctx)
	o.WaitUntil(ctx)
	defer func() { _, _ = h.Close(), o.Close() }() // opened for reading
	if ok, err := spans(ctx, h, a.Compression, window); !ok {
		return false, err
	}
	return sameBytes(ctx, h, o)
}

// copyOf is f as one of which nothing is to be read, for the reason why.
func copyOf(f *File, why string) *File {
	c := *f
	c.HasRecords = false
	c.Verdict = Verdict{Duplicate, why}
	return &c
}

func copyReason(original string) string { return fmt.Sprintf("the same bytes as %s", original) }

// SkipCopies makes duplicates of those files, of a closed set that stays where
// it is, that are copies of one before them. window is the disorder that a
// capture may have. The error is that of ctx.
func SkipCopies(ctx context.Context, d *Descriptors, window time.Duration, files []*File) error {
	originals := map[uint64]*File{}
	for i, f := range files {
		if f.Err != nil || !f.HasRecords || f.Stream {
			continue
		}
		o := originals[f.ContentID]
		if o == nil {
			originals[f.ContentID] = f
			continue
		}
		same, err := twins(ctx, d, window, f, o)
		if err != nil {
			return err
		}
		if same {
			files[i] = copyOf(f, copyReason(o.Path))
		}
	}
	return nil
}
