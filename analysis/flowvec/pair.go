package flowvec

import (
	"cmp"
	"math/bits"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// counts are the sums and extremes of one direction. The zero counts hold no packet.
type counts struct {
	n, bytes    uint64
	pay, pay2   uint64 // L4 payload, and its squares per packet
	ttlSum      uint64
	first, last packet.Time

	npay, syn, rst, weird, icmp uint32
	ttlMin, ttlMax              uint8
}

func (c *counts) merge(o *counts) {
	if o.n == 0 {
		return
	}
	if c.n == 0 {
		*c = *o
		return
	}
	c.n, c.bytes, c.pay, c.pay2 = c.n+o.n, c.bytes+o.bytes, c.pay+o.pay, c.pay2+o.pay2
	c.ttlSum += o.ttlSum
	c.first, c.last = min(c.first, o.first), max(c.last, o.last)
	c.npay, c.syn, c.rst = c.npay+o.npay, c.syn+o.syn, c.rst+o.rst
	c.weird, c.icmp = c.weird+o.weird, c.icmp+o.icmp
	c.ttlMin, c.ttlMax = min(c.ttlMin, o.ttlMin), max(c.ttlMax, o.ttlMax)
}

// flagCounts says what one TCP packet adds to syn, rst and weird. Weird are
// NULL, FIN+PSH+URG, SYN+FIN and bare FIN, which no stack sends.
func flagCounts(f packet.TCPFlags) (syn, rst, weird uint32) {
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

// origin is the key of the packet that says who began: any SYN without ACK
// before any other packet, then the earliest. It is made of content alone, so
// it does not depend on how packets were filed or sharded.
type origin struct {
	eff, ts          packet.Time
	rank             uint64
	srcPort, dstPort uint16
	proto            uint8
	noSYN            bool
	known            bool
}

func originOf(p *packet.Packet) origin {
	syn := p.Proto == packet.TCP && p.TCPFlags&(packet.SYN|packet.ACK) == packet.SYN
	return origin{
		eff: p.Eff, ts: p.TS, rank: p.Rank, srcPort: p.SrcPort, dstPort: p.DstPort,
		proto: p.Proto, noSYN: !syn, known: true,
	}
}

// compare orders origins; one that is not known comes last.
func (o *origin) compare(q *origin) int {
	if o.known != q.known || o.noSYN != q.noSYN {
		if o.known != q.known {
			return first(o.known)
		}
		return first(q.noSYN)
	}
	return cmp.Or(cmp.Compare(o.eff, q.eff), cmp.Compare(o.rank, q.rank), cmp.Compare(o.ts, q.ts),
		cmp.Compare(o.srcPort, q.srcPort), cmp.Compare(o.dstPort, q.dstPort), cmp.Compare(o.proto, q.proto))
}

func first(yes bool) int {
	if yes {
		return -1
	}
	return 1
}

func (o *origin) least(q *origin) {
	if q.compare(o) < 0 {
		*o = *q
	}
}

// service is the service that the first packet asked for.
func (o *origin) service() Service { return serviceOf(o.proto, o.dstPort) }

// pair is what a packet touches of one direction of a conversation: two cache
// lines, no pointers. What few packets need lies in slabs beside.
type pair struct {
	src, dst packet.Addr
	counts
	activity uint32      // place in the slab + 1; 0 while there is one packet
	uids     uint32      // place in the slab + 1; 0 while there is none
	origin   packet.Time // effective time of its origin
}

// start is the rest of a pair, at the same place in a slab of its own.
type start struct {
	origin origin
	hash   uint64 // of the conversation: the same in both directions
}

// maxUIDs is how many connections of a conversation a report can name.
const maxUIDs = 5

// uidList is the least connections by (first effective time, uid), in that order.
type uidList struct {
	n    int32
	eff  [maxUIDs]packet.Time
	uids [maxUIDs]logs.UID
}

// add puts one connection in its place; of the same uid the earliest stays.
func (l *uidList) add(eff packet.Time, uid logs.UID) {
	n := int(l.n)
	at := n
	for i := range n {
		if l.uids[i] == uid {
			if l.eff[i] <= eff {
				return
			}
			copy(l.eff[i:n-1], l.eff[i+1:n])
			copy(l.uids[i:n-1], l.uids[i+1:n])
			n--
			break
		}
	}
	for at = n; at > 0 && l.after(at-1, eff, uid); at-- {
	}
	if at == maxUIDs {
		return
	}
	n = min(n+1, maxUIDs)
	copy(l.eff[at+1:n], l.eff[at:n-1])
	copy(l.uids[at+1:n], l.uids[at:n-1])
	l.eff[at], l.uids[at], l.n = eff, uid, int32(n)
}

// after says whether entry i belongs behind (eff, uid).
func (l *uidList) after(i int, eff packet.Time, uid logs.UID) bool {
	if l.eff[i] != eff {
		return l.eff[i] > eff
	}
	return string(l.uids[i][:]) > string(uid[:])
}

// conversationHash is the same for both directions. Its constants are fixed,
// because it orders the rows of a report; tables that an attacker could aim at
// are indexed by seeded hashes instead.
func conversationHash(a, b *packet.Addr) uint64 {
	if a.Compare(*b) > 0 {
		a, b = b, a
	}
	ah, al := a.Words()
	bh, bl := b.Words()
	return mix(mix(ah^0xa0761d6478bd642f, al^0xe7037ed1a0b428db)^0x8ebc6af09c88c6e3,
		mix(bh^0x589965cc75374cc3, bl^0x1d8e4e27c47d124f)^0xeb44accab455d165)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
