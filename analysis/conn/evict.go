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

	// probation is the part of the open flows that those may be that say little: the
	// established leave them that, or none would live until it is established.
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

// allocFlow gives a flow of that kind a place, at time now: another one of the kind ends
// for it where there are as many as may be.
func (t *Tracker) allocFlow(tr transport, now packet.Time) (uint32, *flow) {
	room, mark, live, used := &t.bounds.plain, uint32(0), t.flows.plain.live(), t.flows.plain.used
	if tr == tcp {
		room, mark, live, used = &t.bounds.tcp, tcpIndex, t.flows.tcp.live(), t.flows.tcp.used
	}
	if room.most > 0 && live >= room.most {
		room.victims.cover(used)
		t.evict(&room.victims, mark, live, now)
	}
	i, f := t.flows.alloc(tr)
	room.victims.begin(i - mark)
	return i, f
}

// evict ends the flow that says least of some of the live ones of a slab, of equals the
// one that was silent for longest. One whose time is over anyway just ends. Established
// ones are looked at where there are few others, or these began in this instant.
func (t *Tracker) evict(v *victims, mark uint32, live int, now packet.Time) {
	least := candidate{worth: nobody}
	for n := 0; n < looks && v.unsettled > max(n, live/probation) && least.worth != overdue; {
		place := v.next()
		if c := t.candidate(mark+place, now); c.worth == established || c.worth == nobody {
			v.settle(place)
		} else {
			least = least.or(c)
			n++
		}
	}
	if least.worth > established {
		for n, left := 0, v.used; n < looks && left > 0; left-- {
			if v.any++; v.any >= v.used {
				v.any = 1
			}
			if c := t.candidate(mark+v.any, now); c.worth != nobody {
				least = least.or(c)
				n++
			}
		}
	}
	switch least.worth {
	case nobody:
		return
	case overdue:
		if t.firstEff(least.f) == now { // its stamp lies so far behind
			t.bounds.repeat(now)
		}
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
	if c.worth < o.worth || c.worth == o.worth && (c.worth == nobody || c.f.lastSeen <= o.f.lastSeen) {
		return c
	}
	return o
}

// repeat notes that one ends for want of room in the instant in which it began.
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
	return b.sameTime
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
