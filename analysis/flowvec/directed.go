package flowvec

import (
	"pcapdir/source/packet"
)

// Directed is one direction of a conversation: what one address sent another.
type Directed struct {
	Src, Dst         packet.Addr
	Service          Service // what that packet asked for, as this direction has it
	SrcPort, DstPort uint16  // of the conversation's first SYN, else packet, as this direction has them
	Sent, Answered   Totals
	TTL              float64 // mean
	First, Last      packet.Time
	Hash             uint64 // the same for the same two addresses, always
}

// Directed appends the directions of conversation i that have packets.
func (r *Rows) Directed(dst []Directed, i int, c *Conversation) []Directed {
	r.read(i, c, sums)
	refs := r.refsOf(i)
	q := r.w.pair(r.w.origin(refs))
	ends := [2]packet.Addr{c.lo, c.hi}
	for side := range c.sides {
		s, o := &c.sides[side], &c.sides[1-side]
		if s.n == 0 {
			continue
		}
		ports := q.portsBy(uint8(side))
		dst = append(dst, Directed{
			Src: ends[side], Dst: ends[1-side], Service: serviceOf(q.proto, ports[1]), SrcPort: ports[0], DstPort: ports[1],
			Sent: Totals{s.n, s.bytes}, Answered: Totals{o.n, o.bytes}, TTL: s.meanTTL(),
			First: packet.Time(s.first), Last: packet.Time(s.last), Hash: refs[0].hash + uint64(side),
		})
	}
	return dst
}
