package conn_test

import (
	"math/rand/v2"
	"time"

	"pcapdir/source/packet"
)

// talk is a random stream of packets over a few tuples, in key order. It is
// meant to reach every rule, not to look like traffic.
type talk struct {
	rng  *rand.Rand
	now  packet.Time
	next [8]uint32 // next sequence number by tuple and direction
	rec  uint64
}

func newTalk(seed uint64) *talk {
	return &talk{rng: rand.New(rand.NewPCG(seed, 1)), now: packet.Unix(1_700_000_000, 0)}
}

// gaps are what passes between packets: from a burst to beyond every timeout.
var talkGaps = []time.Duration{
	0, 0, time.Microsecond, time.Millisecond, 100 * time.Millisecond, time.Second, 3 * time.Second,
	5 * time.Second, 6 * time.Second, 9 * time.Second, 10 * time.Second, 60 * time.Second, 301 * time.Second,
}

// packet is the next packet. With probability late it is behind the clock.
func (k *talk) packet(late float64) packet.Packet {
	r := k.rng
	k.now = k.now.Add(talkGaps[r.IntN(len(talkGaps))] / time.Duration(1+r.IntN(8)))
	p := packet.Packet{Eff: k.now, TS: k.now, Rec: k.rec, Win: uint16(r.IntN(3))}
	k.rec++
	if r.Float64() < late {
		p.TS = k.now.Add(-time.Duration(r.Int64N(int64(2 * time.Minute))))
		p.Flags |= packet.Late
	}
	if r.IntN(20) == 0 {
		p.Flags |= packet.BadChecksum
	}
	host := r.IntN(2)
	a, b := packet.AddrFrom4([4]byte{10, 0, 0, byte(host)}), packet.AddrFrom4([4]byte{192, 0, 2, 1})
	back := r.IntN(2)
	switch r.IntN(8) {
	case 0:
		k.datagram(&p, back)
	case 1:
		k.message(&p)
	case 2:
		p.Proto, p.IPLen = 132, 60
	default:
		k.segment(&p, host, back)
	}
	p.Src, p.Dst = a, b
	if back == 1 {
		p.Src, p.Dst = b, a
	}
	p.Hash = symmetricHash(&p)
	return p
}

func (k *talk) datagram(p *packet.Packet, back int) {
	port := [...]uint16{53, 443, 7000}[k.rng.IntN(3)]
	p.Proto, p.SrcPort, p.DstPort = packet.UDP, 5000, port
	if back == 1 {
		p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
	}
	p.PayLen = uint32(k.rng.IntN(100))
	p.UDPLen, p.IPLen, p.CapLen = uint16(p.PayLen+8), p.PayLen+28, p.PayLen
}

func (k *talk) message(p *packet.Packet) {
	p.Proto, p.SrcPort, p.DstPort = packet.ICMP, [...]uint16{8, 0, 3, 13}[k.rng.IntN(4)], uint16(k.rng.IntN(2))
	p.PayLen = uint32(k.rng.IntN(60))
	p.IPLen, p.CapLen = p.PayLen+28, p.PayLen-p.PayLen/2*uint32(k.rng.IntN(2))
}

// segment is a TCP packet that mostly follows on and sometimes does anything.
func (k *talk) segment(p *packet.Packet, host, back int) {
	r := k.rng
	port := [...]uint16{80, 22}[r.IntN(2)]
	p.Proto, p.SrcPort, p.DstPort = packet.TCP, 4000, port
	if back == 1 {
		p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
	}
	at := host*4 + int(port)%3*2%4 + back
	flags := [...]packet.TCPFlags{
		packet.SYN, packet.SYN | packet.ACK, packet.ACK, packet.ACK, packet.ACK | packet.PSH,
		packet.ACK | packet.PSH, packet.FIN | packet.ACK, packet.RST, packet.RST | packet.ACK,
		packet.TCPFlags(r.IntN(256)),
	}
	p.TCPFlags = flags[r.IntN(len(flags))]
	p.Seq, p.Ack = k.next[at], k.next[at^1]
	if p.TCPFlags&packet.PSH != 0 {
		p.PayLen = uint32(1 + r.IntN(3000))
	}
	switch r.IntN(12) {
	case 0:
		p.Seq += uint32(r.IntN(20000)) // beyond a hole
	case 1:
		p.Seq -= uint32(r.IntN(2000)) // again
	case 2:
		p.Seq = r.Uint32()
	case 3:
		p.Ack = r.Uint32()
	case 4:
		p.Flags |= packet.BadTCPHeader
		p.PayLen = 0
	}
	p.IPLen, p.CapLen = p.PayLen+40, p.PayLen/uint32(1+r.IntN(20)/19)
	if end := p.Seq + p.PayLen; int32(end-k.next[at]) > 0 {
		k.next[at] = end
	}
}
