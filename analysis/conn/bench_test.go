package conn

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// crowd makes packets of n flows, three TCP and one UDP in four.
type crowd struct {
	n    int
	seqs []uint32 // next sequence number of each flow
	now  packet.Time
}

// fill makes p the next packet of flow i.
func (c *crowd) fill(p *packet.Packet, i int) {
	c.now += packet.Time(time.Microsecond)
	*p = packet.Packet{
		Eff: c.now, TS: c.now, Hash: uint64(i+1) * 0xff51afd7ed558ccd >> 7,
		Src:     packet.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
		Dst:     packet.AddrFrom4([4]byte{192, 0, 2, 1}),
		SrcPort: 40000, DstPort: 80, Proto: packet.TCP, TCPFlags: packet.ACK, Win: 100,
		Seq: c.seqs[i], Ack: 1, PayLen: 10, CapLen: 10, IPLen: 50, UDPLen: 18,
	}
	c.seqs[i] += 10
	if i%4 == 0 {
		p.Proto = packet.UDP
	}
}

// resident fills a Tracker with n established flows.
func resident(n int) (*Tracker, *crowd) {
	tr := New(DefaultConfig(), Deps{Emit: func(packet.Time, *logs.Conn) {}})
	c := &crowd{n: n, seqs: make([]uint32, n)}
	var p packet.Packet
	for i := range n {
		c.fill(&p, i)
		tr.Handle(&p)
		if p.Proto == packet.TCP { // the peer answers, so that states and acks are in place
			p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
			p.Seq, p.Ack = p.Ack, p.Seq
			tr.Handle(&p)
		}
	}
	return tr, c
}

func benchmarkHandle(b *testing.B, n int, prefetch bool) {
	tr, c := resident(n)
	var batch [256]packet.Packet
	ps := make([]*packet.Packet, len(batch))
	for i := range ps {
		ps[i] = &batch[i]
	}
	at, stride := 0, n/2+n/7|1 // far apart, and no flow twice in a batch
	b.ReportAllocs()
	for done := 0; b.Loop(); done++ {
		i := done % len(ps)
		if i == 0 {
			for _, p := range ps {
				at = (at + stride) % n
				c.fill(p, at)
			}
			if prefetch {
				tr.Prefetch(ps)
			}
		}
		tr.Handle(ps[i])
	}
	perPacket := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(perPacket, "ns/packet")
	b.ReportMetric(1e9/perPacket, "packets/s")
}

func BenchmarkHandle(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		for _, prefetch := range []bool{false, true} {
			b.Run(fmt.Sprintf("flows=%d/prefetch=%v", n, prefetch), func(b *testing.B) {
				benchmarkHandle(b, n, prefetch)
			})
		}
	}
}

// BenchmarkTouchFloor is what memory alone asks for: one word of every cache line
// that a packet of a resident TCP flow needs, flows picked as above. Other figures
// mean something only beside it.
func BenchmarkTouchFloor(b *testing.B) {
	const n = 1_000_000
	tr, _ := resident(n)
	at, stride, sum := uint32(0), uint32(n/2+n/7|1), uint64(0)
	for b.Loop() {
		at = (at + stride) % (tr.flows.tcp.used - 1)
		f := tr.flows.tcp.at(at + 1)
		sum += tr.table.slots[f.tag%uint32(len(tr.table.slots))] + f.pkts[0] + f.stream.end[0].trimmed + uint64(f.stream.timer)
	}
	tr.sink = sum
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/packet")
}

// BenchmarkOpenClose is the life of a one-packet flow: open, expire, record.
func BenchmarkOpenClose(b *testing.B) {
	tr := New(DefaultConfig(), Deps{Emit: func(packet.Time, *logs.Conn) {}})
	rng := rand.New(rand.NewPCG(1, 1))
	p := packet.Packet{Proto: packet.TCP, DstPort: 80, TCPFlags: packet.SYN, IPLen: 40, Win: 1}
	b.ReportAllocs()
	for b.Loop() {
		p.Src[15]++
		p.SrcPort++
		p.Hash, p.Seq = rng.Uint64(), rng.Uint32()
		p.Eff += packet.Time(10 * time.Microsecond)
		p.TS = p.Eff
		if tr.Handle(&p); p.Eff%packet.Time(time.Second) == 0 {
			tr.Advance(p.Eff)
		}
	}
	perPacket := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(perPacket, "ns/packet")
	b.ReportMetric(1e9/perPacket, "packets/s")
}

// Known connections, new ones and ending ones allocate nothing once the table
// has reached its size.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	tr, c := resident(5000)
	i := 0
	var p packet.Packet
	step := func() {
		i += 7
		c.now += packet.Time(100 * time.Millisecond)
		c.fill(&p, i%c.n)
		c.seqs[i%c.n] += 10 // a hole each time
		if i%3 == 0 {
			p.TCPFlags |= packet.FIN
		}
		if tr.Handle(&p); i%10 == 0 {
			tr.Advance(p.Eff)
		}
	}
	for range 50_000 {
		step()
	}
	if n := testing.AllocsPerRun(20_000, step); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}
