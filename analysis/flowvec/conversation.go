package flowvec

import (
	"slices"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Conversation is both directions between two addresses over whole panes,
// complete: every shard's part is in it. It is where a Reader puts one.
type Conversation struct {
	lo, hi packet.Addr // lo <= hi by bytes
	sides  [2]side     // 0 is lo to hi
	pane   [2]side     // of the pane in hand
	from   uint8       // the side that began
	began  Service     // what its first packet asked for
}

// side is one direction of a conversation.
type side struct {
	counts
	flows, dry uint32
	squares    float64 // of the bytes of each flow
	peak       uint32  // most packets in one second
	bursts     bursts
	ports      portSet
}

func (s *side) clear() { *s = side{} }

// join appends a later pane's side.
func (s *side) join(next *side, quiet int64) {
	s.counts.merge(&next.counts)
	s.flows, s.dry, s.squares = s.flows+next.flows, s.dry+next.dry, s.squares+next.squares
	s.peak = max(s.peak, next.peak)
	s.bursts.join(&next.bursts, quiet)
	s.ports.merge(&next.ports)
}

// Totals are one direction's packets, and bytes by the IP headers.
type Totals struct{ Packets, Bytes uint64 }

// oriented is the initiator's direction and the other one. A conversation of
// which only replies were heard has no packet in f.
func (c *Conversation) oriented() (f, r *side) { return &c.sides[c.from], &c.sides[1-c.from] }

// Ends are the initiator and the other end.
func (c *Conversation) Ends() (source, target packet.Addr) {
	if c.from == 0 {
		return c.lo, c.hi
	}
	return c.hi, c.lo
}

// Totals are the initiator's and the other direction's.
func (c *Conversation) Totals() (f, r Totals) {
	a, b := c.oriented()
	return Totals{a.n, a.bytes}, Totals{b.n, b.bytes}
}

// Span is from the first to the last packet of either direction.
func (c *Conversation) Span() (first, last packet.Time) {
	a, b := &c.sides[0], &c.sides[1]
	switch {
	case a.n == 0:
		a = b
	case b.n == 0:
		b = a
	}
	return packet.Time(min(a.first, b.first)), packet.Time(max(a.last, b.last))
}

// Service is the one that the initiator sent the most bytes to; where it used
// more than four, the one that it began with.
func (c *Conversation) Service() Service {
	f, _ := c.oriented()
	return f.ports.top(c.began)
}

// UIDs are conversation i's first connections, up to 5: pane by pane, in each
// by time and uid.
func (r *Rows) UIDs(i int) (all []logs.UID) {
	refs := r.refsOf(i)
	for len(refs) > 0 && len(all) < maxUIDs {
		var l uidList
		start := r.w.part(refs[0]).Start
		for len(refs) > 0 && r.w.part(refs[0]).Start == start {
			for since, uid := range r.w.part(refs[0]).connections(r.w.pair(refs[0])) {
				l.add(since, uid)
			}
			refs = refs[1:]
		}
		for _, u := range l.uids[:l.n] {
			if len(all) < maxUIDs && !slices.Contains(all, u) {
				all = append(all, u)
			}
		}
	}
	return all
}
