package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pcapdir/source/books"
	"pcapdir/source/clock"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/decompress"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// byPorts gives each connection a hash, so that a carrier's shows in what it carries.
type byPorts struct{}

func (byPorts) Route(p *packet.Packet) int {
	if p.Drop == packet.DropNone {
		p.Hash = uint64(p.Src[15])<<40 | uint64(p.Dst[15])<<32 | uint64(p.SrcPort)<<16 | uint64(p.DstPort)
	}
	return 0
}

// stock is a capture on a disk, how it is read, and what the frontier said of it
// when it was admitted.
type stock struct {
	cfg              Config
	file             []byte
	compression      decompress.Format
	format           string
	run              Run
	floor, watermark packet.Time
	limit, heldLimit int  // of the window; 0: as ever
	forget           bool // points, as reading goes on
}

// harvest is all that a reader brings.
type harvest struct {
	books    books.File
	packets  []packet.Packet // to the shard
	diverted []fragment      // to the relay
	trail    *Trail
	asked    []Point // as reading went on, each for the end of the same number
	ends     []packet.Time
}

type fragment struct {
	packet.Packet
	data string
}

// read reads the stock from its beginning.
func (s *stock) read(t *testing.T) harvest {
	return s.through(t, leastStamp, func(w *merge.Writer) *Reader {
		w.Run.Floor, w.Run.Watermark = s.floor, s.watermark
		r := NewReader(s.cfg, byPorts{}, open{}, w)
		r.Only(s.run)
		return r
	})
}

// resume reads the stock in another process, which has handled all before end.
func (s *stock) resume(t *testing.T, p Point, end packet.Time) harvest {
	return s.through(t, end, func(w *merge.Writer) *Reader {
		w.Run.Floor = s.floor
		r := NewReader(s.cfg, byPorts{}, open{}, w)
		r.Only(s.run)
		r.Resume(p, packet.At(end))
		return r
	})
}

func (s *stock) through(t *testing.T, first packet.Time, begin func(*merge.Writer) *Reader) (h harvest) {
	t.Helper()
	ctx, done := context.WithCancel(t.Context())
	defer done()
	f := merge.NewFrontier(merge.Config{Shards: 1, Batch: 4, Queue: 2})
	relayed := make(chan error, 1)
	go func() { relayed <- h.relay(ctx, f) }()
	go func() { _ = f.Schedule(ctx) }()
	kept := make(chan books.File, 1)
	var trail atomic.Pointer[Trail]
	f.Admit(merge.Entry{File: 1, First: first, Start: func(w *merge.Writer) {
		r := begin(w)
		if s.limit > 0 {
			r.window.limit, r.window.heldLimit = s.limit, s.heldLimit
		}
		trail.Store(r.Trail())
		src := io.Reader(bytes.NewReader(s.file))
		if at := r.Seek(s.compression, s.format); at > 0 {
			src = pcapfile.From(bytes.NewReader(s.file), bytes.NewReader(s.file[min(at, int64(len(s.file))):]))
		}
		go func() {
			b := r.Read(ctx, src, s.compression)
			if n, m := len(r.window.fragments), len(r.window.inner); n+m+r.window.held > 0 {
				t.Errorf("%d fragments of %d bytes and %d carriers stay in the window", n, r.window.held, m)
			}
			kept <- b
		}()
	}})
	f.CloseInput()
	m := merge.NewMerger(f, 0)
	refs := make([]*packet.Packet, 0, 64)
	for safe := (packet.Order{}); safe != packet.MaxOrder; {
		safe, _ = m.Load()
		for refs = m.Next(refs[:0]); len(refs) > 0; refs = m.Next(refs[:0]) {
			for _, p := range refs {
				h.packets = append(h.packets, *p)
			}
		}
		if safe == packet.MaxOrder {
			break
		}
		if trail := trail.Load(); trail != nil {
			h.ask(trail, safe.Eff.Floor(time.Second), s.forget)
		}
		if err := m.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-relayed; err != nil {
		t.Fatal(err)
	}
	h.books, h.trail = <-kept, trail.Load()
	if err := h.books.Check(); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask asks for a point as soon as the shards have reached end, and may forget those
// before.
func (h *harvest) ask(trail *Trail, end packet.Time, forget bool) {
	if n := len(h.ends); n > 0 && h.ends[n-1] == end {
		return
	}
	h.asked, h.ends = append(h.asked, trail.At(end)), append(h.ends, end)
	if forget {
		trail.Forget(end)
	}
}

// relay keeps what comes to the relay.
func (h *harvest) relay(ctx context.Context, f *merge.Frontier) error {
	relay := merge.NewRelay(ctx, f)
	for {
		safe := relay.Load()
		for d, ok := relay.Next(); ok; d, ok = relay.Next() {
			d.Hash = 0 // the window's own
			h.diverted = append(h.diverted, fragment{*d.Packet, string(d.Data)})
		}
		if !relay.Advance(safe) {
			return ctx.Err()
		}
		if safe == packet.MaxOrder {
			return nil
		}
		if err := relay.Wait(); err != nil {
			return err
		}
	}
}

// from is what of h is not before end.
func (h harvest) from(end packet.Time) harvest {
	h.packets = slices.DeleteFunc(slices.Clone(h.packets), func(p packet.Packet) bool { return p.Eff < end })
	h.diverted = slices.DeleteFunc(slices.Clone(h.diverted), func(f fragment) bool { return f.Eff < end })
	return h
}

// diff says where got is not what is left of want from end on.
func (want harvest) diff(got harvest, end packet.Time) string {
	w := want.from(end)
	for i := range max(len(got.packets), len(w.packets)) {
		if i >= len(got.packets) || i >= len(w.packets) || got.packets[i] != w.packets[i] {
			return fmt.Sprintf("%d packets, want %d; number %d is\n%+v, want\n%+v", len(got.packets), len(w.packets), i,
				got.packets[i:min(i+1, len(got.packets))], w.packets[i:min(i+1, len(w.packets))])
		}
	}
	if !slices.Equal(got.diverted, w.diverted) {
		return fmt.Sprintf("%d fragments:\n%+v, want %d:\n%+v", len(got.diverted), got.diverted, len(w.diverted), w.diverted)
	}
	a, b := got.books, want.books
	if n := uint64(len(got.packets) + len(got.diverted)); a.Handed != n || a.Handed+a.Skipped != b.Handed {
		return fmt.Sprintf("%d packets came, the books say %d and %d skipped, of %d", n, a.Handed, a.Skipped, b.Handed)
	}
	if b.End.Eff < end {
		b.Sent, b.End = false, packet.Order{}
	}
	if fmt.Sprint(a.Err) != fmt.Sprint(b.Err) {
		return fmt.Sprintf("error %v, want %v", a.Err, b.Err)
	}
	a.Handed, a.Skipped, b.Handed, a.Err, b.Err = 0, 0, 0, nil, nil
	if !reflect.DeepEqual(a, b) {
		return fmt.Sprintf("books\n%+v, want\n%+v", a, b)
	}
	return ""
}

// kept is p as a ledger gives it back.
func kept(t *testing.T, p Point) (q Point) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &q); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, q) {
		t.Fatalf("JSON made of\n%+v\n%+v", p, q)
	}
	return q
}

// jumble is records of all that is hard: stamps out of order, within the window
// and beyond, alike, not to be believed; tunnels, fragments, in tunnels, too, and
// records that are no packets.
func jumble(r *rand.Rand, links []uint16) (recs []pcapfile.Record) {
	at := packet.Unix(1_700_000_000+int64(r.IntN(1000)), int64(r.IntN(1e9)))
	step, doubts := time.Duration(1+r.IntN(400))*time.Millisecond, r.IntN(3)*30
	if r.IntN(10) == 0 {
		at = packet.Unix(100, 0) // a clock that was never set: wild, all of them
	}
	for i := range 1 + r.IntN(400) {
		at = at.Add(time.Duration(r.IntN(3)) * step / 2)
		ts := at.Add(-time.Duration(r.IntN(2)) * 10 * time.Millisecond)
		switch {
		case r.IntN(40) == 0:
			ts = ts.Add(-time.Duration(r.IntN(3000)) * time.Millisecond)
		case doubts > 0 && r.IntN(doubts) == 0:
			ts = []packet.Time{0, packet.Unix(1<<32-1, 0), at.Add(2 * time.Hour), at.Add(-2 * time.Hour)}[r.IntN(4)]
		case doubts > 0 && r.IntN(3*doubts) == 0:
			at = at.Add(time.Duration(r.IntN(5)-2) * 2 * time.Hour)
		}
		recs = append(recs, record(r, max(0, ts), i, links[r.IntN(len(links))]))
	}
	return recs
}

// record is one record of jumble.
func record(r *rand.Rand, at packet.Time, i int, link uint16) pcapfile.Record {
	ip := decodetest.From("10.0.0.1", fmt.Sprintf("10.0.0.%d", 2+r.IntN(3)))
	if r.IntN(3) == 0 {
		ip = decodetest.From("2001:db8::1", fmt.Sprintf("2001:db8::%d", 2+r.IntN(3)))
	}
	body := ip.UDP(uint16(r.IntN(5)), uint16(i), make([]byte, 8*r.IntN(20)))
	if r.IntN(4) == 0 {
		pieces := decodetest.Fragments(body, uint32(r.IntN(8)), 8)
		body = pieces[r.IntN(len(pieces))]
	}
	for r.IntN(4) == 0 {
		body = decodetest.From("192.0.2.1", fmt.Sprintf("192.0.2.%d", r.IntN(4))).Proto(map[byte]uint8{4: 4, 6: 41}[body[0]>>4], body)
	}
	switch r.IntN(12) {
	case 0:
		body = body[:r.IntN(len(body))] // captured short
	case 1:
		body[0] = 0x35 // no IP
	}
	if link == 1 && len(body) > 0 {
		body = decodetest.Ether(body)
	} else if link == 1 {
		body = decodetest.EtherType(0x0806, make([]byte, 28)) // ARP: not ours
	}
	return pcapfile.Record{TS: at, LinkType: link, Wire: uint32(len(body)), Data: body}
}

// stocks are random captures, in runs where they have several.
func stocks(t *testing.T, r *rand.Rand) (all []stock) {
	t.Helper()
	s := stock{
		cfg:    Config{Sort: r.IntN(3) > 0, Window: time.Duration(r.IntN(4)) * 300 * time.Millisecond, Latest: packet.Unix(1_800_000_000, 0), Buffer: 64},
		format: "pcap", run: Whole(0), floor: leastStamp, watermark: leastStamp,
	}
	var text bytes.Buffer
	var err error
	first := packet.Time(0)
	if r.IntN(3) == 0 {
		s.format = "pcapng"
		recs := jumble(r, []uint16{1, 101})
		first = recs[0].TS
		err = pcaptest.WritePcapng(&text, pcaptest.PcapngOptions{Alternate: true, SectionEvery: r.IntN(50), Resol: 9, Noise: r.IntN(9) == 0}, recs)
	} else {
		recs := jumble(r, []uint16{1})
		first = recs[0].TS
		err = pcaptest.WritePcap(&text, pcaptest.PcapOptions{Nano: true, BigEndian: r.IntN(2) == 0}, recs)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.file = text.Bytes(); r.IntN(5) == 0 {
		s.file = s.file[:len(s.file)-r.IntN(min(len(s.file)-40, 500))]
	}
	if r.IntN(3) == 0 { // it came late
		s.watermark = first.Add(time.Duration(r.IntN(20)) * time.Second)
		s.floor = s.watermark + 1
	}
	if r.IntN(3) == 0 { // a window that is full
		s.limit, s.heldLimit = 1+r.IntN(30), 100*r.IntN(10)
	}
	if r.IntN(3) == 0 {
		s.file, s.compression = zipped(t, s.file), decompress.Gzip
	}
	s.forget = r.IntN(2) == 0
	runs := []Run{s.run}
	if s.cfg.Sort && r.IntN(2) == 0 {
		runs = ScanFile(t.Context(), s.cfg, bytes.NewReader(s.file), s.compression).Runs
	}
	for _, run := range runs {
		s.run = run
		all = append(all, s)
	}
	return all
}

func zipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// end is a time up to which the shards may have come, mostly the end of an epoch.
func (h harvest) end(r *rand.Rand) packet.Time {
	end := h.packets[r.IntN(len(h.packets))].Eff.Floor(time.Second).Add(time.Duration(r.IntN(2)) * time.Second)
	return end.Add(time.Duration(max(0, r.IntN(8)-6)) * 77 * time.Millisecond)
}

// Whatever a capture is, and wherever the shards were when the process ended: what
// they had not handled comes as if nothing had happened, and so do the books. The
// process may end again.
func TestResumeIsTheSame(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 100
	}
	later, resumed := 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 11))
		for _, s := range stocks(t, r) {
			want := s.read(t)
			try := func(p Point, end packet.Time) harvest {
				p = kept(t, p)
				got := s.resume(t, p, end)
				if d := want.diff(got, end); d != "" {
					t.Fatalf("seed %d, end %d, run %+v, %+v\nfrom %+v: %s", seed, end, s.run, s.cfg, p, d)
				}
				if resumed++; p.Record > s.run.From {
					later++
				}
				return got
			}
			if n := len(want.ends); n > 0 {
				i := r.IntN(n)
				try(want.asked[i], want.ends[i])
			}
			if len(want.packets) == 0 || s.forget {
				continue
			}
			end := want.end(r)
			again := try(want.trail.At(end), end)
			if next := want.end(r); next > end {
				try(again.trail.At(next), next)
			}
		}
	}
	if later < resumed/2 {
		t.Errorf("%d of %d began behind the start: little is tested", later, resumed)
	}
}

// ordered is a plain capture of records in order, so many milliseconds apart.
func ordered(t *testing.T, n, apart int) *stock {
	t.Helper()
	var recs []pcapfile.Record
	for i := range n {
		ip := decodetest.From("10.0.0.1", "10.0.0.2").UDP(1, uint16(i), nil)
		recs = append(recs, raw(packet.Unix(1_700_000_000, 0).Add(time.Duration(i*apart)*time.Millisecond), ip, 0))
	}
	var text bytes.Buffer
	if err := pcaptest.WritePcap(&text, pcaptest.PcapOptions{}, recs); err != nil {
		t.Fatal(err)
	}
	return &stock{cfg: Config{Sort: true, Window: 100 * time.Millisecond}, file: text.Bytes(), format: "pcap", run: Whole(0), floor: leastStamp, watermark: leastStamp}
}

// Of a file in order nothing is read in vain, not even framed.
func TestResumeIsExact(t *testing.T) {
	for _, apart := range []int{30, 1000, 3_500_000} {
		s := ordered(t, 200, apart)
		whole := s.read(t)
		for _, p := range whole.packets[clock.Opening:] {
			end := p.Eff.Floor(time.Second)
			first := slices.IndexFunc(whole.packets, func(q packet.Packet) bool { return q.Eff >= end })
			at := whole.trail.At(end)
			if at.Record != uint64(first) {
				t.Fatalf("%d ms apart: reading begins at record %d, want %d", apart, at.Record, first)
			}
			if want := int64(24 + first*(16+28)); at.Offset != want {
				t.Fatalf("record %d at %d, want %d", first, at.Offset, want)
			}
		}
		end := whole.packets[100].Eff.Floor(time.Second)
		if d := whole.diff(s.resume(t, whole.trail.At(end), end), end); d != "" {
			t.Fatal(d)
		}
	}
}

// A trail has few points however far its reader is ahead, and then they are not too
// far apart. What is forgotten is not missed.
func TestTrailIsBounded(t *testing.T) {
	const n = 20_000
	whole := ordered(t, n, 1000).read(t)
	trail, first := whole.trail, whole.packets[0].Eff
	if len(trail.points) > maxPoints {
		t.Errorf("%d points", len(trail.points))
	}
	if p := trail.At(first.Add(-time.Hour)); p.Record != 0 {
		t.Errorf("before the first point: %+v", p)
	}
	for i := 0; i < n; i += 100 {
		end := first.Add(time.Duration(i) * time.Second)
		if p := trail.At(end); p.Record > uint64(i) || uint64(i)-p.Record > n/64 {
			t.Errorf("for record %d of %d: %d", i, n, p.Record)
		}
	}
	end := first.Add(n / 2 * time.Second)
	p, later := trail.At(end), trail.At(end.Add(time.Hour))
	points := len(trail.points)
	trail.Forget(end)
	if len(trail.points) > points/2+2 || trail.At(0).Record != p.Record || trail.At(end).Record != p.Record || trail.At(end.Add(time.Hour)).Record != later.Record {
		t.Errorf("%d points, then %d; %d became %d, %d %d", points, len(trail.points), p.Record, trail.At(end).Record, later.Record, trail.At(end.Add(time.Hour)).Record)
	}
	trail.Forget(packet.MaxTime)
	if len(trail.points) != 1 {
		t.Errorf("%d points are left", len(trail.points))
	}
}

// A file that was cut since then brings nothing, and is covered by any commit.
func TestResumeOfAShorterFile(t *testing.T) {
	s := ordered(t, 100, 1000)
	whole := s.read(t)
	end := whole.packets[50].Eff
	p := whole.trail.At(end)
	for _, n := range []int{50, 40, 0} {
		s.file = s.file[:24+n*44]
		got := s.resume(t, p, end)
		if b := got.books; len(got.packets) > 0 || b.Sent || b.Err != nil || b.Read.Packets != 50 || b.Skipped != 50 {
			t.Errorf("%d records: %+v", n, b)
		}
	}
}

// A run that comes when event time is beyond the point lifts the rest: nothing of it
// is missing, and nothing comes before its floor.
func TestResumeThatComesLate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for seed := range 40 {
		s := &stocks(t, rnd)[0]
		s.forget = false
		whole := s.read(t)
		if len(whole.packets) < 2 {
			continue
		}
		end := whole.packets[len(whole.packets)/2].Eff
		least := len(whole.from(end).packets)
		floor := end.Add(time.Hour)
		got := s.through(t, floor, func(w *merge.Writer) *Reader {
			r := NewReader(s.cfg, byPorts{}, open{}, w)
			r.Only(s.run)
			r.Resume(whole.trail.At(end), packet.At(end))
			return r
		})
		if n := len(got.packets); n < least || n > len(whole.packets) {
			t.Fatalf("seed %d: %d packets of %d, where %d are to come", seed, n, len(whole.packets), least)
		}
		for i, p := range got.packets {
			if p.Eff < floor || i > 0 && p.Order(1).Less(got.packets[i-1].Order(1)) {
				t.Fatalf("seed %d: packet %d at %d, behind one at %d; the floor is %d", seed, i, p.Eff, got.packets[max(0, i-1)].Eff, floor)
			}
		}
	}
}
