package conn

import (
	"math/bits"

	"pcapdir/source/packet"
)

const (
	// looks is how many flows are looked at for one to go, from where the last look ended.
	// Those that were opened one after the other mostly lie so, hence the first to come up
	// are old.
	looks = 8

	// probation is the part of a slab that those have that say little: the established
	// leave them that, or none would live until it is established.
	probation = 16
)

// victims is where a slab is searched for flows to end. A bit of settled is set where
// nothing is to be gained but by ending an established connection: those in a row are
// passed over without a look at each. Every flow that is opened is looked at until it
// has settled, once more at most.
type victims struct {
	settled   []uint64
	unsettled int    // how many bits are not set, of places that were ever used
	hand, any uint32 // where the last look ended: at those that have not settled, at all
	used      uint32 // places that settled has bits for
}

// cover takes in all places that a slab has used, 0 included, which is none.
func (v *victims) cover(used uint32) {
	for ; v.used < used; v.used++ {
		if v.used%64 == 0 {
			v.settled = append(v.settled, 0)
		}
		if v.unsettled++; v.used == 0 {
			v.settle(0)
		}
	}
}

func (v *victims) settle(place uint32) {
	if bit := uint64(1) << (place % 64); v.settled[place/64]&bit == 0 {
		v.settled[place/64] |= bit
		v.unsettled--
	}
}

// begin says that a flow was opened at place.
func (v *victims) begin(place uint32) {
	if bit := uint64(1) << (place % 64); place < v.used && v.settled[place/64]&bit != 0 {
		v.settled[place/64] &^= bit
		v.unsettled++
	}
}

// began says that a flow was opened.
func (b *bounds) began(index uint32) {
	if index >= tcpIndex {
		b.tcpVictims.begin(index - tcpIndex)
	} else {
		b.plainVictims.begin(index)
	}
}

// next is the next place that has not settled. There must be one.
func (v *victims) next() uint32 {
	for v.hand++; ; v.hand = (v.hand/64 + 1) * 64 {
		if v.hand >= v.used {
			v.hand = 0
		}
		if rest := ^v.settled[v.hand/64] >> (v.hand % 64); rest != 0 {
			if v.hand += uint32(bits.TrailingZeros64(rest)); v.hand < v.used {
				return v.hand
			}
		}
	}
}

// makeRoom ends a flow of that kind, at time now, where there are as many as may be.
func (t *Tracker) makeRoom(tr transport, now packet.Time) {
	b := &t.bounds
	if tr == tcp {
		if b.tcp > 0 && t.flows.tcp.live() >= b.tcp {
			b.tcpVictims.cover(t.flows.tcp.used)
			t.evict(&b.tcpVictims, tcpIndex, now)
		}
	} else if b.plain > 0 && t.flows.plain.live() >= b.plain {
		b.plainVictims.cover(t.flows.plain.used)
		t.evict(&b.plainVictims, 0, now)
	}
}

// evict ends the flow that says least of some of a slab, of equals the one that was
// silent for longest. One whose time is over anyway just ends. Established ones are
// looked at where there are few others, or these began in this instant.
func (t *Tracker) evict(v *victims, mark uint32, now packet.Time) {
	least := candidate{worth: nobody}
	for n := 0; n < looks && v.unsettled > max(n, int(v.used/probation)) && least.worth != overdue; {
		place := v.next()
		if c := t.candidate(place+mark, now); c.worth == established || c.worth == nobody {
			v.settle(place)
		} else {
			least = least.or(c)
			n++
		}
	}
	if least.worth > established {
		for range min(looks, v.used) {
			if v.any++; v.any >= v.used {
				v.any = 1
			}
			least = least.or(t.candidate(v.any+mark, now))
		}
	}
	switch least.worth {
	case nobody:
		return
	case overdue:
		t.end(least.index, least.f, least.f.deadline)
		return
	case justBegun:
		t.bounds.repeat(now)
	}
	t.bounds.evicted++
	least.f.marks |= markEvicted
	t.end(least.index, least.f, now)
}

// candidate is a flow that may end for want of room.
type candidate struct {
	f     *flow
	index uint32
	worth worth
}

func (t *Tracker) candidate(index uint32, now packet.Time) candidate {
	f := t.flows.at(index)
	return candidate{f, index, t.worthOf(f, now)}
}

// or is the one of both that goes first.
func (c candidate) or(o candidate) candidate {
	if c.worth != o.worth || c.worth == nobody {
		if c.worth < o.worth {
			return c
		}
		return o
	}
	if c.f.lastSeen <= o.f.lastSeen {
		return c
	}
	return o
}

// repeat notes that one is evicted in the instant in which it began.
func (b *bounds) repeat(now packet.Time) {
	if b.at != now {
		b.at, b.sameTime = now, 0
	}
	b.sameTime++
}

// again tells a flow at time now apart from one of the same tuple that began and was
// evicted in the same instant: it is part of the uid.
func (b *bounds) again(now packet.Time) uint32 {
	if b.at != now {
		return 0
	}
	return b.sameTime << 16
}

// worth is how much a connection says: those that say little go first.
type worth uint8

const (
	overdue     worth = iota // it is over
	onePacket                // it says next to nothing
	unanswered               // one side is silent, or TCP's handshake is not over
	established              // neither
	justBegun                // in this very instant
	nobody                   // no flow is there
)

func (t *Tracker) worthOf(f *flow, now packet.Time) worth {
	switch {
	case f.bucket == noBucket:
		return nobody
	case f.deadline <= now:
		return overdue
	case t.firstEff(f) == now:
		return justBegun
	case f.pkts[orig]+f.pkts[resp] <= 1:
		return onePacket
	case f.pkts[orig] == 0 || f.pkts[resp] == 0:
		return unanswered
	case f.proto == packet.TCP && f.idle == idleUDP: // the timeout of the handshake
		return unanswered
	}
	return established
}
