package source

import (
	"cmp"

	"pcapdir/source/decompress"
	"pcapdir/source/packet"
)

// Trail is where reading of the reader's run can begin again.
func (r *Reader) Trail() *Trail { return r.trail }

// Resume has the reader begin at a point of the trail of another reader, of the
// same run with the same Config, that was asked for the time of from, a key between
// two records: what that one sent below from is skipped, and all the rest comes as it
// did there. Where the floor of its run of the merge is above that of the point, since
// it comes late, all behind the point is lifted to that floor, and nothing skipped: the
// little that was sent before from comes again. It is called before Read.
func (r *Reader) Resume(p Point, from packet.Order) {
	p.Books.Skipped = p.Books.Leaving()
	if r.from = from; r.w.Floor > p.Floor {
		p.Floor, p.Watermark, r.from = r.w.Floor, r.w.Watermark, packet.At(-packet.MaxTime)
	}
	r.begin(p)
}

// Seek has what is read begin with the reader's first record, where the file
// allows it, and says at which offset that is: Read then takes pcapfile.From there.
// 0 is the start of the file.
func (r *Reader) Seek(c decompress.Format, format string) (offset int64) {
	if r.start.Record == 0 || !seekable(c, format) {
		return 0
	}
	r.at = r.start.Record
	return r.start.Offset
}

// begin makes the reader one that has come to p.
func (r *Reader) begin(p Point) {
	r.start, r.books, r.next = p, p.Books, p.epochEnd()
	r.window.max, r.window.floor = p.Max, p.Floor
	r.window.full = p.Full
	r.window.bound(cmp.Or(p.Held, r.window.limit))
	if r.clock != nil && p.Record > 0 {
		r.clock.Resume(p.Left)
	}
	r.trail.begin(p)
}

// mark adds the point before the record n to the trail. No stamp is in doubt there.
// Whether that of n can be believed is not known, so next is not put behind it: the
// record after it makes a point again, in the place of the one before.
func (r *Reader) mark(n uint64, offset int64) {
	p := Point{
		Record: n, Offset: offset, Max: r.window.max, Floor: r.window.floor, Held: r.window.limit, Full: r.window.full,
		Watermark: r.start.Watermark, Books: r.books,
	}
	if r.clock != nil {
		p.Left = r.clock.Left()
	}
	r.trail.add(p)
	r.next = p.epochEnd()
}

// skip gives up p, which was sent before the reader was resumed.
func (r *Reader) skip(p *packet.Packet) {
	switch {
	case p.Flags&packet.Fragmented != 0:
		r.window.release(p)
	case p.Flags&packet.Carrier != 0:
		r.skipInside(p)
	case p.Drop != packet.DropNone && !p.Drop.Weird():
		return // it was not sent
	}
	r.books.Skipped++
}

// skipInside gives up what p carries.
func (r *Reader) skipInside(p *packet.Packet) {
	inner := r.window.enclosed(p)
	for i := range inner {
		if inner[i].Flags&packet.Fragmented != 0 {
			r.window.release(&inner[i])
		}
	}
	r.books.Skipped += uint64(len(inner))
	r.window.reuse(inner)
}
