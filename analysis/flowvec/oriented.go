package flowvec

import (
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Totals are one direction's packets, and bytes by the IP headers.
type Totals struct{ Packets, Bytes uint64 }

// oriented is the initiator's direction and the other one. A conversation of
// which only replies were heard has no packet in f.
func (c *Conversation) oriented() (f, r *side) {
	return &c.sides[c.from.side], &c.sides[1-c.from.side]
}

// Ends are the initiator and the other end.
func (c *Conversation) Ends() (source, target packet.Addr) {
	if c.from.side == 0 {
		return c.lo, c.hi
	}
	return c.hi, c.lo
}

// Totals are the initiator's and the other direction's.
func (c *Conversation) Totals() (f, r Totals) {
	a, b := c.oriented()
	return Totals{a.n, a.bytes}, Totals{b.n, b.bytes}
}

// Service is the one that the initiator sent the most bytes to; where it used
// more than four, the one that it began with.
func (c *Conversation) Service() Service {
	f, _ := c.oriented()
	return f.ports.top(&c.from.origin)
}

// UIDs are the conversation's first connections, up to 5, in their order. The
// slice is the conversation's own.
func (c *Conversation) UIDs() []logs.UID { return c.uids[:c.nuids] }

// Hash is the same for the same two addresses, always.
func (c *Conversation) Hash() uint64 { return c.hash }
