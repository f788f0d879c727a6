package sharder

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"testing/quick"

	"github.com/cespare/xxhash/v2"

	"pcapdir/source/packet"
)

func reverse(p packet.Packet) packet.Packet {
	p.Src, p.Dst = p.Dst, p.Src
	p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
	return p
}

func TestBothDirectionsMeet(t *testing.T) {
	for _, mode := range []Mode{Pair, FourTuple, FiveTuple} {
		h := Hasher{Mode: mode, Shards: 7, Seed: 42}
		f := func(src, dst packet.Addr, sport, dport uint16, proto, flags uint8) bool {
			p := packet.Packet{Src: src, Dst: dst, SrcPort: sport, DstPort: dport, Proto: proto % 20, Flags: packet.Flags(flags & 1)}
			q := reverse(p)
			a, b := h.Route(&p), h.Route(&q)
			return a == b && p.Hash == q.Hash && a >= 0 && a < 7
		}
		if err := quick.Check(f, nil); err != nil {
			t.Errorf("mode %d: %v", mode, err)
		}
	}
}

func TestModesSplitWhatTheySay(t *testing.T) {
	base := packet.Packet{Src: packet.AddrFrom4([4]byte{10, 0, 0, 1}), Dst: packet.AddrFrom4([4]byte{10, 0, 0, 2}), Proto: packet.TCP}
	spread := func(mode Mode, vary func(p *packet.Packet, i int)) int {
		h := Hasher{Mode: mode, Shards: 16, Seed: 1}
		shards := map[int]bool{}
		for i := range 1000 {
			p := base
			vary(&p, i)
			shards[h.Route(&p)] = true
		}
		return len(shards)
	}
	ports := func(p *packet.Packet, i int) { p.SrcPort = uint16(i) }
	protos := func(p *packet.Packet, i int) { p.Proto = []uint8{packet.TCP, packet.UDP}[i%2] }
	icmp := func(p *packet.Packet, i int) { p.Proto, p.SrcPort = packet.ICMP, uint16(i) }
	for _, c := range []struct {
		name string
		mode Mode
		vary func(p *packet.Packet, i int)
		want int
	}{
		{"a pair stays together", Pair, ports, 1},
		{"ports spread", FourTuple, ports, 16},
		{"protocols of one 4-tuple stay together", FourTuple, protos, 1},
		{"protocols spread", FiveTuple, protos, 2},
		{"ICMP goes by the pair", FiveTuple, icmp, 1},
	} {
		if got := spread(c.mode, c.vary); got != c.want {
			t.Errorf("%s: on %d shards, want %d", c.name, got, c.want)
		}
	}
}

func TestShardsAreEvenAndSeedsDiffer(t *testing.T) {
	const n, shards = 70_000, 7
	for _, mode := range []Mode{Pair, FourTuple, FiveTuple} {
		a, b := Hasher{Mode: mode, Shards: shards, Seed: 1}, Hasher{Mode: mode, Shards: shards, Seed: 2}
		var load [shards]int
		same := 0
		for i := range n {
			p := packet.Packet{Src: packet.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Proto: packet.TCP}
			s := a.Route(&p)
			load[s]++
			if b.Route(&p) == s {
				same++
			}
		}
		for s, got := range load {
			if got < n/shards*9/10 || got > n/shards*11/10 {
				t.Errorf("mode %d: shard %d has %d of %d", mode, s, got, n)
			}
		}
		if same > n/shards*12/10 {
			t.Errorf("mode %d: two seeds agree on %d of %d packets", mode, same, n)
		}
	}
}

func TestRouteAllocatesNothing(t *testing.T) {
	h := Hasher{Mode: FiveTuple, Shards: 7}
	p := packet.Packet{Proto: packet.TCP, Flags: packet.IPv6}
	if n := testing.AllocsPerRun(100, func() { h.Route(&p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRoute(b *testing.B) {
	for _, c := range []struct {
		name  string
		flags packet.Flags
	}{{"IPv4", 0}, {"IPv6", packet.IPv6}} {
		b.Run(c.name, func(b *testing.B) {
			h := Hasher{Shards: 8, Seed: 1}
			p := packet.Packet{Src: packet.Addr{15: 1}, Dst: packet.Addr{15: 2}, Proto: packet.TCP, SrcPort: 1, DstPort: 2, Flags: c.flags}
			b.ReportAllocs()
			for b.Loop() {
				p.SrcPort++
				h.Route(&p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/packet")
		})
	}
}

func TestSum24IsXXH64(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		a, b, c := r.Uint64(), r.Uint64(), r.Uint64()
		var text [24]byte
		binary.LittleEndian.PutUint64(text[:], a)
		binary.LittleEndian.PutUint64(text[8:], b)
		binary.LittleEndian.PutUint64(text[16:], c)
		if got, want := sum24(a, b, c), xxhash.Sum64(text[:]); got != want {
			t.Fatalf("%x %x %x: %x, want %x", a, b, c, got, want)
		}
	}
}
