package source

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/source/books"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/decompress"
	"pcapdir/source/defrag"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
	"pcapdir/source/snap"
)

// raw is a record of an IP packet without link layer, of which cut bytes were
// not captured.
func raw(at packet.Time, ip []byte, cut int) pcapfile.Record {
	return pcapfile.Record{TS: at, LinkType: 101, Wire: uint32(len(ip)), Data: ip[:len(ip)-cut]}
}

// readFiles reads files through the defragmenter to one shard.
func readFiles(t *testing.T, cfg Config, files ...[]pcapfile.Record) (kept []books.File, got []packet.Packet, counts defrag.Counts) {
	t.Helper()
	ctx, done := context.WithCancel(t.Context())
	f := merge.NewFrontier(merge.Config{Shards: 1, Batch: 2, Queue: 1})
	d := NewDefragmenter(defrag.DefaultConfig(), oneShard{}, f, nil)
	var running errgroup.Group
	running.Go(func() error { return d.Run(ctx) })
	go func() { _ = f.Schedule(ctx) }()
	kept = make([]books.File, len(files))
	var entries []merge.Entry
	for i, recs := range files {
		var text bytes.Buffer
		if err := pcaptest.WritePcap(&text, pcaptest.PcapOptions{}, recs); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, merge.Entry{File: uint64(i), First: recs[0].TS, Start: func(w *merge.Writer) {
			running.Go(func() error {
				kept[i] = NewReader(cfg, oneShard{}, open{}, w).Read(ctx, &text, decompress.Plain)
				return nil
			})
		}})
	}
	f.Admit(entries...) // at once: a file that is admitted after another was read is late
	f.CloseInput()
	m := merge.NewMerger(f, 0)
	refs := make([]*packet.Packet, 0, 4)
	for {
		safe, _ := m.Load()
		for refs = m.Next(refs[:0]); len(refs) > 0; refs = m.Next(refs[:0]) {
			for _, p := range refs {
				got = append(got, *p)
			}
		}
		if safe == packet.MaxOrder {
			break
		}
		if err := m.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := running.Wait(); err != nil {
		t.Error(err)
	}
	done()
	flow := books.Flow{Arrived: uint64(len(got))}
	flow.Relayed, flow.Made = d.Passed()
	for i := range kept {
		flow.Handed += kept[i].Handed
		if err := kept[i].Check(); err != nil {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if err := flow.Check(); err != nil {
		t.Error(err)
	}
	return kept, got, d.Counts()
}

// The datagram takes the place of the fragment that completed it, and its books
// are apart from those of records.
func TestDatagramTakesThePlaceOfItsLastFragment(t *testing.T) {
	ip := decodetest.From("10.0.0.1", "10.0.0.2")
	whole := ip.UDP(7, 9, make([]byte, 2000))
	pieces := decodetest.Fragments(whole, 1, 1000)
	at := func(ms int) packet.Time {
		return packet.Unix(1_700_000_000, 0).Add(time.Duration(ms) * time.Millisecond)
	}
	books, got, counts := readFiles(t, Config{Sort: true, Window: 100 * time.Millisecond},
		[]pcapfile.Record{raw(at(0), pieces[2], 0), raw(at(400), ip.UDP(1, 1, nil), 0), raw(at(600), ip.UDP(3, 3, nil), 0)},
		[]pcapfile.Record{raw(at(200), pieces[1], 1), raw(at(250), pieces[1], 0), raw(at(500), pieces[0], 0)},
	)
	if len(got) != 4 || got[0].Drop != packet.DropFragment || got[1].SrcPort != 1 || got[3].SrcPort != 3 {
		t.Fatalf("%+v", got)
	}
	if d := got[2]; d.TS != at(500) || d.Eff != at(500) || d.Rec != 2 || d.SrcPort != 7 || d.DstPort != 9 ||
		d.IPLen != uint32(len(whole)) || d.PayLen != 2000 || d.CapLen != 2000 || d.Flags != 0 {
		t.Errorf("datagram: %+v", d)
	}
	if counts != (defrag.Counts{Fragments: 3, Rebuilt: 1}) {
		t.Errorf("%+v", counts)
	}
	for i, b := range books {
		if b.Check() != nil || b.Handled.Packets != uint64(3-i) || b.Dropped[packet.DropFragment].Packets != uint64(i) {
			t.Errorf("books %d: %+v", i, b)
		}
	}
}

// What is odd is said in the fragment's place, before its datagram, each with a
// key of its own; what was put together and is no packet is a drop like any other.
func TestOddFragments(t *testing.T) {
	ip := decodetest.From("10.0.0.1", "10.0.0.2")
	ip.ID, ip.Frag = 1, 0x6000 // don't fragment, more fragments
	first := ip.Proto(packet.TCP, make([]byte, 8))
	ip.Frag = 1
	last := ip.Proto(packet.TCP, make([]byte, 8))
	at := packet.Unix(1_700_000_000, 0)
	_, got, _ := readFiles(t, Config{}, []pcapfile.Record{raw(at, last, 0), raw(at, first, 0)})
	var drops []packet.Drop
	for i, p := range got {
		drops = append(drops, p.Drop)
		if p.Rec != 1 || p.Sub != uint32(i) || p.TS != at {
			t.Errorf("%+v", p)
		}
	}
	if want := []packet.Drop{packet.OddFragmentDF, packet.OddFragmentSmall, packet.DropTransport}; !slices.Equal(drops, want) {
		t.Errorf("%v, want %v", drops, want)
	}
}

// A late fragment makes a late datagram.
func TestLateFlagStays(t *testing.T) {
	r := NewReassembly(defrag.DefaultConfig())
	pieces := decodetest.Fragments(decodetest.From("2001:db8::1", "2001:db8::2").UDP(7, 9, make([]byte, 200)), 1, 128)
	for i, piece := range pieces {
		p := packet.Packet{Rec: uint64(i), Sub: 256, Outer: 5, Depth: 1, Flags: packet.Late | packet.Fragmented}
		r.Add(&p, piece, func(d *packet.Packet) bool {
			if i == 0 || d.Flags != packet.Late|packet.IPv6 || d.Rec != 1 || d.Sub != 256 || d.Outer != 5 || d.Depth != 1 {
				t.Errorf("%d: %+v", i, d)
			}
			return true
		})
	}
	if r.Expire(packet.MaxTime); r.Counts() != (defrag.Counts{Fragments: 2, Rebuilt: 1}) {
		t.Errorf("%+v", r.Counts())
	}
}

// A datagram that is in the making when another process takes over becomes whole
// there.
func TestDatagramOfTwoProcesses(t *testing.T) {
	whole := decodetest.From("10.0.0.1", "10.0.0.2").UDP(7, 9, make([]byte, 200))
	pieces := decodetest.Fragments(whole, 1, 128)
	before := NewDefragmenter(defrag.DefaultConfig(), oneShard{}, nil, nil)
	before.reassembly.Add(&packet.Packet{}, pieces[1], nil)
	var state bytes.Buffer
	w := snap.NewWriter(&state)
	if before.Save(w); w.Close() != nil {
		t.Fatal("not saved")
	}
	after := NewDefragmenter(defrag.DefaultConfig(), oneShard{}, nil, nil)
	r := snap.NewReader(&state, int64(state.Len()))
	if err := after.Load(r); err != nil || r.End() != nil {
		t.Fatal(err, r.End())
	}
	var got []packet.Packet
	after.reassembly.Add(&packet.Packet{Rec: 5}, pieces[0], func(p *packet.Packet) bool {
		got = append(got, *p)
		return true
	})
	if len(got) != 1 || got[0].PayLen != 200 || got[0].DstPort != 9 || got[0].Rec != 5 {
		t.Errorf("%+v", got)
	}
}

// The bytes of fragments in a window are bounded: beyond, the oldest records are
// let out early.
func TestWindowIsBoundedInBytes(t *testing.T) {
	w := newWindow(time.Hour, leastStamp)
	data, most := make([]byte, 60_000), 0
	for i := range 1000 {
		p := packet.Packet{TS: packet.Time(i), Flags: packet.Fragmented}
		w.hold(&p, data)
		w.add(&p)
		for q := w.next(false); q != nil; q = w.next(false) {
			if got := w.release(q); len(got) != len(data) {
				t.Fatalf("%d bytes of %d", len(got), len(data))
			}
		}
		most = max(most, w.held)
	}
	if most > w.heldLimit || most < w.heldLimit/2 {
		t.Errorf("%d bytes held, the limit is %d", most, w.heldLimit)
	}
	for q := w.next(true); q != nil; q = w.next(true) {
		w.release(q)
	}
	if w.held != 0 || len(w.fragments) != 0 {
		t.Errorf("%d bytes in %d fragments stay", w.held, len(w.fragments))
	}
}
