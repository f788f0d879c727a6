package flowvec

import (
	"cmp"
	"math/bits"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// pair is what one shard knows of one conversation in the open pane: no
// pointers, and for the many that say little nothing beside it. Times are in
// ticks since the pane began. It and each of its sides begin a cache line: a packet
// touches two.
type pair struct {
	lo, hi packet.Addr // lo <= hi by bytes; side 0 is lo to hi
	uid    logs.UID    // connection last seen, while it has one flow
	since  uint32      // tick at which uid was first seen; place of the list when listed
	sums   uint32      // place of its flows' sums when it has many and the pane is closed
	at     uint32      // tick of the origin
	ports  [2]uint16   // source and destination port of the origin
	proto  uint8       // of the origin
	flags  pairFlags
	_      [2]byte
	sides  [2]few
}

type pairFlags uint8

const (
	known      pairFlags = 1 << iota // it has an origin
	noSYN                            // which is no SYN
	fromHi                           // and was sent by hi
	manyFlow                         // it has several flows; with one, that has the origin's ports
	listed                           // it has several connections
	recalled                         // who began is known from an earlier pane, which Pane.began tells more of:
	beganHi                          // it was hi,
	beganNoSYN                       // and not with a SYN
)

// fewPackets is how many packets a side holds by itself: with most
// conversations that is all there ever are.
const fewPackets = 15

// few are the sums and times of up to fewPackets packets of one direction, none of them
// large. When it is full it is emptied into a busy.
type few struct {
	first, last       uint32 // ticks
	bytes, pay, pay2  uint32
	busy              uint32 // place of what it cannot hold, or 0
	ttlSum            uint16
	n, npay, syn, rst uint8
	weird, icmp       uint8
	ttlMin, ttlMax    uint8
	slots             [fewPackets]uint16
}

// large is from where on a packet's length could overflow few's sums.
const large = 1 << 14

func (s *few) add(p *packet.Packet, tick uint32, slot uint) {
	if s.n == 0 {
		s.first, s.ttlMin, s.ttlMax = tick, p.TTL, p.TTL
	}
	s.slots[s.n] = uint16(slot)
	s.n++
	s.first, s.last = min(s.first, tick), max(s.last, tick)
	s.bytes += p.IPLen
	if p.PayLen != 0 {
		s.npay++
		s.pay += p.PayLen
		s.pay2 += p.PayLen * p.PayLen
	}
	s.ttlSum += uint16(p.TTL)
	s.ttlMin, s.ttlMax = min(s.ttlMin, p.TTL), max(s.ttlMax, p.TTL)
	switch p.Proto {
	case packet.TCP:
		syn, rst, weird := flagCounts(p.TCPFlags)
		s.syn, s.rst, s.weird = s.syn+syn, s.rst+rst, s.weird+weird
	case packet.ICMP, packet.ICMPv6:
		s.icmp++
	}
}

// flagCounts says what one TCP packet adds to syn, rst and weird. Weird are
// NULL, FIN+PSH+URG, SYN+FIN and bare FIN, which no stack sends.
func flagCounts(f packet.TCPFlags) (syn, rst, weird uint8) {
	const shown = packet.FIN | packet.SYN | packet.RST | packet.PSH | packet.ACK | packet.URG
	f &= shown
	if f&packet.SYN != 0 && f&packet.ACK == 0 {
		syn = 1
	}
	if f&packet.RST != 0 {
		rst = 1
	}
	const xmas, synFIN = packet.FIN | packet.PSH | packet.URG, packet.SYN | packet.FIN
	if f == 0 || f == packet.FIN || f&xmas == xmas || f&synFIN == synFIN {
		weird = 1
	}
	return syn, rst, weird
}

// busy is the rest of a direction that heard more than few can hold.
type busy struct {
	counts
	active activity
}

// take empties f into b, which may be its own.
func (b *busy) take(f *few) {
	var c counts
	f.fill(&c)
	b.counts.merge(&c)
	for _, slot := range f.slots[:f.n] {
		b.active.add(uint(slot))
	}
	*f = few{busy: f.busy}
}

// add counts a packet too large for few.
func (b *busy) add(p *packet.Packet, tick uint32, slot uint) {
	small := *p
	small.IPLen, small.PayLen = 0, 0
	var f few
	f.add(&small, tick, slot)
	b.take(&f)
	b.bytes += uint64(p.IPLen)
	if pay := uint64(p.PayLen); pay != 0 {
		b.npay++
		b.pay += pay
		b.pay2 += pay * pay
	}
}

// begin lets the packet be the origin of its conversation if it is the least
// by (SYN first, time, ports, protocol, side). That is made of content alone,
// so it does not depend on how packets were filed or sharded.
func (q *pair) begin(p *packet.Packet, side uint8, tick uint32) {
	syn := p.Proto == packet.TCP && p.TCPFlags&(packet.SYN|packet.ACK) == packet.SYN
	if q.flags&known != 0 && !(syn && q.flags&noSYN != 0) && tick != q.at {
		return // packets come in time order: only these can be less
	}
	o := pair{at: tick, ports: [2]uint16{p.SrcPort, p.DstPort}, proto: p.Proto, flags: known}
	if !syn {
		o.flags |= noSYN
	}
	if side != 0 {
		o.flags |= fromHi
	}
	if q.flags&known != 0 && o.compareOrigin(q) >= 0 {
		return
	}
	q.beginAs(&o)
}

// origin are the flags that tell of it.
const origin = known | noSYN | fromHi

// beginAs gives q the origin of o.
func (q *pair) beginAs(o *pair) {
	q.at, q.ports, q.proto, q.flags = o.at, o.ports, o.proto, q.flags&^origin|o.flags&origin
}

func (q *pair) compareOrigin(o *pair) int {
	return cmp.Or(cmp.Compare(q.flags&noSYN, o.flags&noSYN), cmp.Compare(q.at, o.at),
		cmp.Compare(q.ports[0], o.ports[0]), cmp.Compare(q.ports[1], o.ports[1]),
		cmp.Compare(q.proto, o.proto), cmp.Compare(q.flags&fromHi, o.flags&fromHi))
}

// portsBy are the origin's ports as its packets in direction side have them.
func (q *pair) portsBy(side uint8) [2]uint16 {
	if q.proto != packet.TCP && q.proto != packet.UDP {
		return [2]uint16{}
	}
	if (q.flags&fromHi != 0) == (side != 0) {
		return q.ports
	}
	return [2]uint16{q.ports[1], q.ports[0]}
}

// portsOf are the ports that tell flows apart: none for ICMP, whose type and
// code differ in the two directions.
func portsOf(p *packet.Packet) [2]uint16 {
	if p.Proto != packet.TCP && p.Proto != packet.UDP {
		return [2]uint16{}
	}
	return [2]uint16{p.SrcPort, p.DstPort}
}

// conversationHash is the same for both directions. Its constants are fixed,
// because it orders the rows of a report; tables that an attacker could aim at
// are indexed by seeded hashes instead.
func conversationHash(lo, hi *packet.Addr) uint64 {
	ah, al := lo.Words()
	bh, bl := hi.Words()
	return mix(mix(ah^0xa0761d6478bd642f, al^0xe7037ed1a0b428db)^0x8ebc6af09c88c6e3,
		mix(bh^0x589965cc75374cc3, bl^0x1d8e4e27c47d124f)^0xeb44accab455d165)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
