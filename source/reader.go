package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"pcapdir/source/books"
	"pcapdir/source/clock"
	"pcapdir/source/decode"
	"pcapdir/source/decompress"
	"pcapdir/source/links"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// Stamps outside this range are taken as its ends, so that no sum of times can
// overflow. pcap cannot say such; pcapng can.
const (
	leastStamp = packet.Time(-1 << 61)
	mostStamp  = packet.Time(7_258_118_400_000_000_000) // 2200-01-01
)

// Clamp is t, or the nearest time that the merge can reckon with.
func Clamp(t packet.Time) packet.Time { return min(max(t, leastStamp), mostStamp) }

// Router deals packets to shards. sharder.Hasher is one.
type Router interface {
	// Route fills p.Hash and returns the shard.
	Route(p *packet.Packet) int
}

// Gate holds readers back, between two reads of their file.
type Gate interface {
	// Closed says that Wait would wait.
	Closed() bool
	// Wait returns when the gate is open, or with the context's error.
	Wait(ctx context.Context) error
}

// Config says how records inside a file are ordered.
type Config struct {
	// Sort repairs disorder of up to Window inside a file. Otherwise its records
	// stand as they are, lifted to the running maximum of their stamps, as Zeek
	// takes them.
	Sort   bool
	Window time.Duration
	// Held is how many packets a file may have within Window, 128 bytes each, and as
	// much again of fragments; 0 for the default, 32 MiB. Of a file with more the oldest
	// are let out early, and what then comes behind them is lifted.
	Held int
	// Latest is the latest stamp that can be right, in a file whose records are
	// sorted; 0 for none.
	Latest packet.Time
	// Buffer is the size of one read, in bytes; 0 for the default.
	Buffer int
	// Links numbers the links of packets. Nil: not wanted.
	Links *links.Table
}

// Lead is how far below its first stamp a file may go.
func (c Config) Lead() time.Duration {
	if c.Sort {
		return c.Window
	}
	return 0
}

// latest is the latest stamp that can be right.
func (c Config) latest() packet.Time { return cmp.Or(c.Latest, packet.MaxTime) }

// Reader reads one run of a file, or all of it, into one run of the merge.
type Reader struct {
	cfg    Config
	router Router
	gate   Gate
	w      *merge.Writer
	run    Run
	at     uint64       // number of the first record that is read: those before start are only framed
	from   packet.Order // packets before it are skipped
	next   packet.Time  // a stamp from here on is of another epoch than those before
	clock  *clock.Clock // nil where records stand as they are
	window *window
	links  *links.Cache // nil where links are not wanted
	books  books.File

	// held are the packets of records whose stamp is in doubt, in the order of
	// the file, with all that come behind them. For the merge they are not read
	// yet: none of them is in the window, so what is there stays a lower bound.
	held []packet.Packet

	eff  packet.Time // of the current run of equal effective times
	rank uint64      // of that run

	start Point  // where the run begins, or is resumed
	trail *Trail // which is kept for longer than the reader
}

// NewReader makes the reader of a whole file into the run w.
func NewReader(cfg Config, router Router, gate Gate, w *merge.Writer) *Reader {
	r := &Reader{
		cfg: cfg, router: router, gate: gate, w: w, run: Whole(leastStamp), eff: -packet.MaxTime, from: packet.At(-packet.MaxTime),
		window: newWindow(cfg.Lead(), leastStamp), trail: new(Trail),
	}
	if cfg.Sort {
		r.clock = clock.New(cfg.latest())
	}
	if cfg.Links != nil {
		r.links = links.NewCache(cfg.Links)
	}
	r.begin(Point{Max: leastStamp, Held: cfg.Held, Floor: max(w.Floor, leastStamp), Watermark: w.Watermark})
	return r
}

// Only confines the reader to a run that a scan found. It is called before Resume
// and Seek.
func (r *Reader) Only(run Run) {
	r.run = run
	p := r.start
	p.Record, p.Offset, p.Left = run.From, run.Offset, run.First // its first record is believed
	r.begin(p)
}

// Read reads src, the bytes of the file on disk, to its end, and closes the
// run: from its start, or from where Seek says. What was readable before damage has been handed on. It returns early
// when ctx ends.
func (r *Reader) Read(ctx context.Context, src io.Reader, c decompress.Format) books.File {
	r.w.Bind(ctx)
	r.books.Err = r.read(ctx, src, c)
	if ctx.Err() == nil && (r.clock == nil || r.release(true)) {
		for p := r.window.next(true); p != nil && r.emit(p); p = r.window.next(true) {
		}
	}
	r.w.Close()
	r.books.End, r.books.Sent = r.w.End()
	r.books.Handed = r.w.Handed()
	return r.books
}

func (r *Reader) read(ctx context.Context, src io.Reader, c decompress.Format) error {
	inflated, err := decompress.NewReader(c, &chunks{ctx: ctx, src: src, before: r.beforeChunk})
	if err != nil {
		return err
	}
	defer inflated.Close()
	file, err := pcapfile.NewReader(inflated, r.cfg.Buffer)
	if err != nil {
		return err
	}
	if r.at > 0 {
		file.Place(r.at, r.start.Offset)
	}
	r.books.Format = file.Format()
	defer func() { r.books.LinkTypes = file.LinkTypes() }()
	return r.records(file)
}

// records is the hot loop: frame, decode, judge the stamp, order, hand on.
func (r *Reader) records(file *pcapfile.Reader) error {
	var rec pcapfile.Record
	var p packet.Packet
	var in decode.Inside
	for n := r.at; n < r.run.To || len(r.held) > 0; n++ {
		at := file.Offset()
		if err := file.Next(&rec); err != nil {
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		if n < r.start.Record {
			continue
		}
		ts := Clamp(rec.TS)
		if ts >= r.next && len(r.held) == 0 {
			r.mark(n, at)
		}
		drop := decode.Decode(rec.LinkType, rec.Data, rec.Wire, &p, &in)
		p.TS = ts
		p.Rec = n
		if r.links != nil {
			p.Link = r.links.ID(decode.LinkOf(rec.LinkType, rec.Data))
		}
		p.Rank = rankOf(rec.Data, rec.Wire)
		if n < r.run.To {
			if drop == packet.DropFragment {
				drop = r.fragment(&p, in.Fragment)
			}
			if p.Flags&packet.Carrier != 0 {
				r.carry(&p, &in)
			}
			r.account(drop, len(rec.Data))
		}
		if r.clock != nil && !r.clock.Sure(p.TS) {
			if !r.hold(&p) {
				return context.Canceled
			}
		} else if !r.order(&p) {
			return context.Canceled
		}
	}
	return nil
}

// fragment keeps what a fragment brings for the defragmenter. A fragment that was
// captured short is of no use.
func (r *Reader) fragment(p *packet.Packet, ip []byte) packet.Drop {
	if !whole(ip) {
		return packet.DropFragment
	}
	p.Flags |= packet.Fragmented
	r.window.hold(p, ip)
	return packet.DropNone
}

// account gives the record its one fate in the books.
func (r *Reader) account(drop packet.Drop, n int) {
	r.books.Read.Count(n)
	if drop == packet.DropNone {
		r.books.Handled.Count(n)
	} else {
		r.books.Dropped[drop].Count(n)
	}
}

// hold keeps a copy of p until the clock has made up its mind. False says that
// the context ended.
func (r *Reader) hold(p *packet.Packet) bool {
	r.held = append(r.held, *p)
	r.clock.Add(p.TS)
	return r.release(false)
}

// release orders the held packets that the clock has decided about: at the end
// of the file, all. False says that the context ended.
func (r *Reader) release(end bool) bool {
	n := 0
	for n < len(r.held) {
		ts, suspect, ok := r.clock.Next(end)
		if !ok {
			break
		}
		p := &r.held[n]
		n++
		if p.Rec >= r.run.To {
			continue // read for what it says about those before it
		}
		p.TS = ts
		if suspect {
			p.Flags |= packet.Suspect
		}
		if !r.order(p) {
			return false
		}
	}
	r.held = slices.Delete(r.held, 0, n)
	if len(r.held) > 0 && r.held[0].Rec >= r.run.To {
		r.held = r.held[:0]
	}
	return true
}

// order puts p, whose stamp is settled, among those of its file, and sends what
// can go now. False says that the context ended.
func (r *Reader) order(p *packet.Packet) bool {
	r.stamp(p)
	for q := r.window.next(false); q != nil; q = r.window.next(false) {
		if !r.emit(q) {
			return false
		}
	}
	return true
}

// stamp gives p its place in the window, and takes its time to the books.
func (r *Reader) stamp(p *packet.Packet) {
	if p.TS < r.start.Watermark {
		p.Flags |= packet.Late
		r.books.Late++
	}
	disorder, lifted := r.window.add(p)
	if lifted {
		r.books.Lifted++
	}
	switch {
	case p.Flags&packet.Suspect != 0:
		r.books.Suspect++
		return
	case disorder:
		r.books.Inversions++
	}
	r.books.Stamp(p.TS)
}

// emit sends p, which is next in the file's order. All packets of one effective
// time share the rank of the first. False says that the context ended.
func (r *Reader) emit(p *packet.Packet) bool {
	if p.Eff != r.eff {
		r.eff, r.rank = p.Eff, p.Rank
	}
	content := p.Rank
	p.Rank = r.rank
	if p.Eff <= r.from.Eff && p.Order(r.w.File).Less(r.from) {
		r.skip(p)
		return true
	}
	switch {
	case p.Flags&packet.Fragmented != 0:
		return r.w.Divert(p, r.window.release(p))
	case p.Flags&packet.Carrier != 0:
		return r.emitCarrier(p, content)
	}
	if p.Drop != packet.DropNone {
		if !p.Drop.Weird() {
			r.w.Pass(p)
			return true
		}
		p.Hash = content
	}
	return r.w.Append(r.router.Route(p), p)
}

// beforeChunk is called before each read of the file, which may wait for a
// descriptor or a disk: so the merge must know first how far this file is. At a
// closed gate all that was read goes out, and then the reader waits here, not
// the shards.
func (r *Reader) beforeChunk(ctx context.Context) error {
	if r.gate.Closed() {
		r.w.Flush()
		r.w.Publish()
		return r.gate.Wait(ctx)
	}
	r.w.Publish()
	return nil
}

// chunks calls before ahead of every read.
type chunks struct {
	ctx    context.Context
	src    io.Reader
	before func(context.Context) error
}

func (c *chunks) Read(b []byte) (int, error) {
	if err := c.before(c.ctx); err != nil {
		return 0, err
	}
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.src.Read(b)
}
