package defrag_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pcapdir/source/decode"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/defrag"
	"pcapdir/source/packet"
)

var (
	four = decodetest.From("10.0.0.1", "10.0.0.2")
	six  = decodetest.From("2001:db8::1", "2001:db8::2")
)

// text is a payload in which every place differs from its neighbours.
func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// trial is a table and what it found odd.
type trial struct {
	t     *testing.T
	table *defrag.Table
	now   packet.Time
	odd   []packet.Drop
}

func newTrial(t *testing.T) *trial { return &trial{t: t, table: defrag.New(defrag.DefaultConfig())} }

// add gives the table an IP packet and returns the datagram that it completes.
func (b *trial) add(ip []byte) []byte {
	b.t.Helper()
	f, ok := decode.Fragment(ip)
	if !ok {
		b.t.Fatal("not a fragment")
	}
	whole, odd := b.table.Add(&f, b.now)
	b.odd = append(b.odd, slices.Collect(odd.All)...)
	return whole
}

// wantOdd checks what was odd since the last call.
func (b *trial) wantOdd(want ...packet.Drop) {
	b.t.Helper()
	if !slices.Equal(b.odd, want) {
		b.t.Errorf("odd: %v, want %v", b.odd, want)
	}
	b.odd = nil
}

// v4 is a fragment of one IPv4 datagram of protocol 17.
func v4(offset int, more bool, payload []byte) []byte {
	return decodetest.Fragment(four.Proto(17, nil), 7, offset, more, payload)
}

// In whatever order the fragments come, the datagram is the packet that was cut.
func TestAnyOrder(t *testing.T) {
	for name, ip := range map[string][]byte{"v4": four.UDP(1, 2, text(3000)), "v6": six.UDP(1, 2, text(3000))} {
		pieces := decodetest.Fragments(ip, 99, 1000)
		for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}} {
			b := newTrial(t)
			for i, n := range order {
				whole := b.add(pieces[n])
				switch {
				case i < len(order)-1 && whole != nil:
					t.Errorf("%s %v: whole after %d of %d", name, order, i+1, len(order))
				case i == len(order)-1:
					wantSame(t, ip, whole)
				}
			}
			b.wantOdd()
			if c := b.table.Counts(); b.table.Len() != 0 || c != (defrag.Counts{Fragments: 4, Rebuilt: 1}) {
				t.Errorf("%s: %d left, %+v", name, b.table.Len(), c)
			}
		}
	}
}

// wantSame decodes both, so that lengths and checksums count, and compares.
func wantSame(t *testing.T, want, got []byte) {
	t.Helper()
	var p, q packet.Packet
	var in decode.Inside
	decode.Decode(101, want, uint32(len(want)), &p, &in)
	if drop := decode.Datagram(got, &q, &in); drop != packet.DropNone || p != q {
		t.Errorf("%v\n got %+v\nwant %+v", drop, q, p)
	}
	if !bytes.Equal(want[40:], got[40:]) {
		t.Error("bytes differ")
	}
}

// The extension headers ahead of the fragment header stay, and the last of them
// names what follows it.
func TestUnfragmentablePart(t *testing.T) {
	ip := six
	ip.Ext = []decodetest.Extension{{Type: 60}, {Type: 44, Body: []byte{0, 1, 0, 0, 0, 9}}}
	first := ip.Proto(17, text(64))
	ip.Ext[1].Body[1] = 64
	b := newTrial(t)
	b.add(first)
	whole := b.add(ip.Proto(17, text(8)))
	if len(whole) != 40+8+72 || whole[6] != 60 || whole[40] != 17 || whole[5] != 80 {
		t.Errorf("% x", whole)
	}
}

// Zeek does not tell datagrams of different protocols apart: they meet, oddly.
func TestProtocolIsNotPartOfTheKey(t *testing.T) {
	b := newTrial(t)
	b.add(v4(0, true, text(64)))
	b.wantOdd()
	whole := b.add(decodetest.Fragment(four.Proto(6, nil), 7, 64, false, text(8)))
	b.wantOdd(packet.OddFragmentProtocol)
	if len(whole) != 20+72 || whole[9] != 17 {
		t.Errorf("% x: not the header of the first to come", whole)
	}
}

func TestKeysAreApart(t *testing.T) {
	b := newTrial(t)
	b.add(v4(0, true, text(64)))
	for name, other := range map[string][]byte{
		"id":        decodetest.Fragment(four.Proto(17, nil), 8, 64, false, text(8)),
		"direction": decodetest.Fragment(decodetest.From("10.0.0.2", "10.0.0.1").Proto(17, nil), 7, 64, false, text(8)),
		"family":    decodetest.Fragment(decodetest.From("::ffff:10.0.0.1", "::ffff:10.0.0.2").Proto(17, nil), 7, 64, false, text(8)),
	} {
		if b.add(other) != nil {
			t.Errorf("%s does not matter", name)
		}
	}
	b.wantOdd()
}

// Where fragments overlap, what came first stays.
func TestOlderBytesStay(t *testing.T) {
	b := newTrial(t)
	old, young := bytes.Repeat([]byte{'o'}, 64), bytes.Repeat([]byte{'y'}, 200)
	b.add(v4(64, true, old))
	b.add(v4(64, true, old))
	b.wantOdd(packet.OddFragmentOverlap)
	whole := b.add(v4(0, false, young))
	b.wantOdd(packet.OddFragmentInconsistency)
	want := slices.Concat(young[:64], old, young[:72])
	if whole == nil || !bytes.Equal(whole[20:], want) {
		t.Errorf("got %q", whole)
	}
}

// Fragments that disagree on the end: as in Zeek the largest holds, and a hole
// above what the last fragment said is not waited for.
func TestSizes(t *testing.T) {
	b := newTrial(t)
	b.add(v4(64, false, text(8)))
	b.add(v4(128, false, text(8)))
	b.wantOdd(packet.OddFragmentSize)
	if b.add(v4(0, true, text(64))) != nil || b.add(v4(72, true, text(56))) == nil {
		t.Error("not whole with the last hole filled")
	}
	b = newTrial(t)
	b.add(v4(200, true, text(64)))
	b.add(v4(64, false, text(8)))
	b.wantOdd()
	if whole := b.add(v4(0, true, text(64))); len(whole) != 20+72 {
		t.Errorf("%d bytes, want what is contiguous", len(whole))
	}
	b.wantOdd(packet.OddFragmentSize)
}

// Fragments without payload say where the end is, and complete nothing.
func TestEmptyFragment(t *testing.T) {
	b := newTrial(t)
	b.add(v4(0, true, text(64)))
	if b.add(v4(64, false, nil)) != nil {
		t.Error("completed by nothing")
	}
	b.wantOdd()
	if b.add(v4(0, true, text(64))) == nil {
		t.Error("not completed by a repetition")
	}
	b.wantOdd(packet.OddFragmentOverlap)
}

func TestOddSizes(t *testing.T) {
	b := newTrial(t)
	b.add(v4(0, true, text(40)))
	b.wantOdd(packet.OddFragmentSmall)
	df := v4(48, true, text(64))
	df[6] |= 0x40
	b.add(df)
	b.wantOdd(packet.OddFragmentDF)
	b.add(v4(63_992, true, text(64)))
	b.wantOdd(packet.OddFragmentLarge)
}

// A datagram of more than 65535 bytes says less than it has, as in Zeek.
func TestOverflow(t *testing.T) {
	b := newTrial(t)
	for offset := 0; offset < 65_528; offset += 8_000 {
		b.add(v4(offset, true, text(8_000)))
	}
	whole := b.add(v4(65_528, false, text(9_000)))
	var p packet.Packet
	var in decode.Inside
	if drop := decode.Datagram(whole, &p, &in); len(whole) != 20+74_528 || drop != packet.DropNone || p.IPLen != (20+74_528)&0xffff {
		t.Errorf("%d bytes, %v, %+v", len(whole), drop, p)
	}
}

// Five minutes after its first fragment, whatever came since, it is over.
func TestTimeout(t *testing.T) {
	b := newTrial(t)
	b.add(v4(0, true, text(64)))
	b.now = b.now.Add(5*time.Minute - 1)
	b.add(v4(64, true, text(64)))
	if b.table.Len() != 1 {
		t.Error("gone before its time")
	}
	b.now++
	if b.add(v4(128, false, text(8))) != nil {
		t.Error("completed after its time")
	}
	if c := b.table.Counts(); c != (defrag.Counts{Fragments: 3, Expired: 1}) || b.table.Len() != 1 {
		t.Errorf("%+v, %d in the making", c, b.table.Len())
	}
	b.table.Expire(packet.MaxTime)
	if c := b.table.Counts(); c.Expired != 2 || b.table.Len() != 0 {
		t.Errorf("%+v, %d in the making", c, b.table.Len())
	}
}

// A flood costs the oldest datagrams, whether they are many or large.
func TestBounds(t *testing.T) {
	for name, cfg := range map[string]defrag.Config{
		"datagrams": {Timeout: time.Minute, Datagrams: 100, Bytes: 1 << 30},
		"bytes":     {Timeout: time.Minute, Datagrams: 1 << 30, Bytes: 1000 * 1000},
	} {
		table := defrag.New(cfg)
		const n = 5000
		for id := range uint32(n) {
			f, _ := decode.Fragment(decodetest.Fragment(four.Proto(17, nil), id, 0, true, text(1000)))
			table.Add(&f, 0)
			if table.Len() > 1000 || cfg.Datagrams < n && table.Len() > cfg.Datagrams {
				t.Fatalf("%s: %d datagrams in the making", name, table.Len())
			}
		}
		if c := table.Counts(); c.Evicted != n-uint64(table.Len()) || table.Len() < 100 {
			t.Errorf("%s: %+v, %d left", name, c, table.Len())
		}
		for _, id := range []uint32{0, n - 1} {
			f, _ := decode.Fragment(decodetest.Fragment(four.Proto(17, nil), id, 1000, false, text(8)))
			if whole, _ := table.Add(&f, 0); (whole != nil) != (id == n-1) {
				t.Errorf("%s: datagram %d whole: %v", name, id, whole != nil)
			}
		}
	}
}

// One datagram cannot hold more than it can be long, however much is sent.
func TestNeverEnding(t *testing.T) {
	cfg := defrag.DefaultConfig()
	cfg.Bytes = 1 << 20
	table := defrag.New(cfg)
	for round := range 20 {
		for offset := (round % 2) * 8; offset < 65_528; offset += 16 {
			f, _ := decode.Fragment(v4(offset, true, text(8+8*(round%5))))
			table.Add(&f, 0)
		}
	}
	if c := table.Counts(); c.Evicted != 0 || table.Len() != 1 {
		t.Errorf("%+v", c)
	}
}
