package conn

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// A TCP flow is four cache lines, any other less than three: growth is paid per packet.
func TestSizes(t *testing.T) {
	if a, b := unsafe.Sizeof(plainFlow{}), unsafe.Sizeof(tcpFlow{}); a > 176 || b > 256 {
		t.Errorf("a flow is %d bytes, one of TCP %d: more than 176 and 256", a, b)
	}
}

// The wheel against a sorted list: random deadlines, renewals and sweeps, over
// spans from nanoseconds to centuries, on both sides of the epoch.
func TestWheelAgainstList(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var flows flowSlab
		w := wheel{flows: &flows}
		open := map[uint32]*flow{}
		now := packet.Time(rng.Int64() - rng.Int64())
		w.start(now)
		for range 2000 {
			span := int64(1) << rng.IntN(50)
			switch rng.IntN(4) {
			case 0, 1:
				i, f := flows.alloc(transport(rng.IntN(2)))
				f.deadline = now.Add(time.Duration(rng.Int64N(span)))
				w.place(i, f)
				open[i] = f
			case 2:
				for i, f := range open {
					f.deadline = now.Add(time.Duration(rng.Int64N(span)))
					w.update(i, f)
					break
				}
			default:
				now = now.Add(time.Duration(rng.Int64N(span)))
				var got, want []uint32
				for i, f := range open {
					if f.deadline < now {
						want = append(want, i)
						delete(open, i)
					}
				}
				reached := packet.Time(-1 << 63)
				w.sweep(now, func(due []uint32) {
					for _, i := range due {
						at := flows.at(i).deadline
						if at < reached || at-reached > packet.Time(100*time.Millisecond) {
							t.Fatalf("seed %d: a flow ended at %d when all before %d had", seed, at, reached)
						}
						got = append(got, i)
						flows.release(i)
					}
				}, func(before packet.Time) {
					if before < reached {
						t.Fatalf("seed %d: reached %d, then %d", seed, reached, before)
					}
					reached = before
				})
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d: expired %v, want %v", seed, got, want)
				}
			}
		}
	}
}

// Jumps of centuries and the ends of time must neither hang nor lose a flow.
func TestExtremeTimes(t *testing.T) {
	n := 0
	tr := New(DefaultConfig(), Deps{Emit: func(packet.Time, *logs.Conn) { n++ }})
	times := []packet.Time{-1 << 63, -1 << 62, -1, 0, 1 << 40, 1 << 62, noTime - 1, noTime}
	for _, at := range times {
		tr.Advance(at)
		p := packet.Packet{Eff: at, TS: at, Proto: packet.UDP, UDPLen: 8}
		tr.Handle(&p)
	}
	tr.Flush(noTime)
	if n < len(times)-2 || n > len(times) || tr.Len() != 0 {
		t.Errorf("%d records of %d packets far apart, %d connections left", n, len(times), tr.Len())
	}
}

func TestTableAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	tab := newTable()
	tags := map[uint32]uint32{}
	for step := range 200_000 {
		if index := uint32(rng.IntN(5000) + 1); tags[index] == 0 {
			tag := uint32(rng.IntN(300))<<23 | 1 // crowded homes
			tags[index] = tag
			tab.insert(tag, index)
		} else if step%3 != 0 {
			tab.remove(tags[index], index)
			delete(tags, index)
		}
	}
	found := 0
	for at, slot := range tab.slots {
		if slot == 0 {
			continue
		}
		found++
		tag := uint32(slot >> 32)
		if tags[uint32(slot)] != tag {
			t.Fatalf("slot %d holds %x, which is not in the table", at, slot)
		}
		for i := tab.home(tag); i != at; i = (i + 1) & (len(tab.slots) - 1) {
			if tab.slots[i] == 0 {
				t.Fatalf("slot %d is not reachable from its home %d", at, tab.home(tag))
			}
		}
	}
	if found != len(tags) || tab.n != len(tags) {
		t.Errorf("%d slots and a count of %d, want %d", found, tab.n, len(tags))
	}
}

// Ranges against a bitmap: the same octets, in the fewest ranges.
func TestSpansAgainstBitmap(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	tr := New(DefaultConfig(), Deps{})
	for range 200 {
		var e endpoint
		var seen [300]bool
		for range 30 {
			lo := uint64(rng.IntN(280))
			hi := lo + uint64(rng.IntN(20)+1)
			tr.addSpan(&e, lo, hi)
			for i := lo; i < hi; i++ {
				seen[i] = true
			}
		}
		var got [300]bool
		sum, n := uint64(0), uint32(0)
		i := e.pending
		for range tr.spans.at(i).count {
			r := tr.spans.at(i)
			if above := tr.spans.at(r.next); r.next != e.pending && (above.lo <= r.hi || above.prev != i) {
				t.Fatalf("ranges [%d,%d) and [%d,…) touch or are not linked", r.lo, r.hi, above.lo)
			}
			for at := r.lo; at < r.hi; at++ {
				got[at] = true
				sum++
			}
			i, n = r.next, n+1
		}
		if i != e.pending {
			t.Fatalf("the ring has not %d ranges", n)
		}
		if got != seen || sum != tr.spans.at(e.pending).sum {
			t.Fatalf("ranges cover other octets, or %d bytes are %d", sum, tr.spans.at(e.pending).sum)
		}
		tr.freeSpans(&e)
	}
}

// A sender of alternate octets cannot make the ranges grow without bound.
func TestRangesAreBounded(t *testing.T) {
	tr := New(DefaultConfig(), Deps{Emit: func(packet.Time, *logs.Conn) {}})
	send := func(seq, ack uint32, n uint32, back bool) {
		p := packet.Packet{Proto: packet.TCP, SrcPort: 4000, DstPort: 6001, TCPFlags: packet.TCPFlags(packet.ACK), Seq: seq, Ack: ack, PayLen: n, CapLen: n, Win: 1}
		if back {
			p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
		}
		tr.Handle(&p)
	}
	send(1, 1, 1, false)
	send(1, 3, 0, true) // acknowledged, so that the limit on bytes above a hole is off
	for i := range uint32(100_000) {
		send(10+2*i, 1, 1, false)
	}
	if tr.spans.used > maxRanges+3 {
		t.Errorf("%d ranges are kept, more than %d", tr.spans.used, maxRanges)
	}
}

// FuzzTracker: any packets at any times; nothing panics, leaks or goes uncounted.
func FuzzTracker(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 20 {
		seed := make([]byte, 400)
		for i := range seed {
			seed[i] = byte(rng.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		left := int64(0)
		cfg := DefaultConfig()
		cfg.StampClock = len(b)%2 == 0
		tr := New(cfg, Deps{
			Emit:  func(_ packet.Time, c *logs.Conn) { left -= int64(c.OrigPkts + c.RespPkts) },
			Weird: func(packet.Time, string, *packet.Packet, logs.UID) {},
		})
		var now packet.Time
		for ; len(b) >= 20; b = b[20:] {
			p, advance := fuzzPacket(b, now)
			if now = p.Eff; advance {
				tr.Advance(now)
			}
			tr.Handle(&p)
			cut := p.Proto == packet.ICMP && p.CapLen < p.PayLen
			bad := p.Flags&packet.BadChecksum != 0 && p.Proto != 50
			if !cut && !bad && (p.Proto != packet.TCP || p.Flags&packet.BadTCPHeader == 0) {
				left++
			}
		}
		tr.Flush(now)
		if left != 0 || tr.Len() != 0 {
			t.Errorf("%d packets uncounted, %d connections left", left, tr.Len())
		}
		checkFree(t, &tr.flows.plain, "flows")
		checkFree(t, &tr.flows.tcp, "TCP flows")
		checkFree(t, &tr.wheel.rosters, "rosters")
		checkFree(t, &tr.rares, "oddities")
		checkFree(t, &tr.tcpRares, "oddities of TCP")
		checkFree(t, &tr.spans, "ranges")
		checkFree(t, &tr.letters, "history pieces")
	})
}

// fuzzPacket makes a packet of 20 bytes: small fields, so that packets meet.
func fuzzPacket(b []byte, now packet.Time) (p packet.Packet, advance bool) {
	gap := packet.Time(b[0]) << (b[1] % 40)
	p = packet.Packet{
		Eff: now + gap, TS: now + gap - packet.Time(b[2]&1)<<(b[2]%40),
		Proto:    [...]uint8{packet.TCP, packet.TCP, packet.UDP, packet.ICMP, 50}[b[3]%5],
		TCPFlags: packet.TCPFlags(b[4]), Flags: packet.Flags(b[5] & b[6] & 15), Win: uint16(b[7]),
		Seq: binary.LittleEndian.Uint32(b[8:]) >> (b[18] % 32), Ack: binary.LittleEndian.Uint32(b[12:]) >> (b[18] % 31),
		PayLen: uint32(b[16]) << (b[17] % 9), SrcPort: uint16(b[18] % 3), DstPort: uint16(b[19] % 3), UDPLen: uint16(b[16]),
	}
	p.CapLen = p.PayLen
	if b[17] > 250 {
		p.CapLen /= 2
	}
	p.Src[15], p.Dst[15] = b[19]>>4&1, b[19]>>5&1
	p.Hash = uint64(p.Src[15]+p.Dst[15]) * 77
	return p, b[1] > 128
}

// checkFree fails if an element of s is not on its free list.
func checkFree[T any](t *testing.T, s *slab[T], what string) {
	t.Helper()
	if n := uint32(len(s.free)); s.used > 0 && n != s.used-1 {
		t.Errorf("%d of %d %s were not freed", s.used-1-n, s.used-1, what)
	}
}

// Instants that wait are bounded by what is open, not by what opened within an interval.
func TestShowingsAreBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.OpenInterval = time.Hour
	shown := 0
	tr := New(cfg, Deps{Emit: func(packet.Time, *logs.Conn) {}, Open: func(packet.Time, *logs.Conn) { shown++ }})
	for n := range 100_000 {
		p := packet.Packet{
			Eff: packet.Time(n) * packet.Time(36*time.Millisecond), Proto: packet.UDP, SrcPort: uint16(n), DstPort: 6001, UDPLen: 8,
			Src: packet.AddrFrom4([4]byte{10, 0, byte(n >> 16), 1}), Dst: packet.AddrFrom4([4]byte{10, 1, 0, 1}), Hash: uint64(n+1) * 0xff51afd7ed558ccd,
		}
		if n%100 == 0 { // one of them stays
			p.SrcPort, p.DstPort, p.Src, p.Hash = 7, 7, p.Dst, 7
		}
		p.TS = p.Eff
		tr.Handle(&p)
		if n%1000 == 0 {
			tr.Advance(p.Eff)
		}
		if waiting := len(tr.showings.list) - tr.showings.next; waiting > max(1024, 3*tr.Len()) {
			t.Fatalf("after %d flows %d instants wait, %d flows are open", n, waiting, tr.Len())
		}
	}
	tr.Advance(packet.Time(time.Hour + time.Second))
	if shown != 1 {
		t.Errorf("%d were shown, want the one that stayed", shown)
	}
}
