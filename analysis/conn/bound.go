package conn

import (
	"unsafe"

	"pcapdir/source/packet"
)

// How a bound on memory is kept. Memory of the slabs never goes back, and each kind
// of flow has a slab of its own, so each has a bound of its own: two thirds of all are
// for TCP. When a flow is to be opened and its kind has no room, another one of the
// kind ends early; its record says so.
const (
	tcpShare, allShares = 2, 3

	// What a flow takes besides itself: its slots in the table and in the wheel.
	besides = 8*8/5*2 + 8

	// looks is how many flows are looked at for one to go, from where the last look
	// ended. Those that were opened one after the other mostly lie so, hence the
	// first to come up are old.
	looks = 16
)

// bounds are how many flows of each kind may be open, 0: any number.
type bounds struct {
	plain, tcp         int
	plainHand, tcpHand uint32 // where the next look begins
	spans              int    // ranges above holes, of all connections
	evicted            uint64
}

// boundsFor divides bytes, 0: none. A twentieth is for what few connections have:
// ranges above holes.
func boundsFor(bytes int64) (b bounds) {
	if bytes <= 0 {
		return b
	}
	spans := bytes / 20
	bytes -= spans
	b.spans = max(maxRanges, int(spans/int64(unsafe.Sizeof(span{}))))
	b.tcp = max(1, int(bytes/allShares*tcpShare/int64(unsafe.Sizeof(tcpFlow{})+besides)))
	b.plain = max(1, int(bytes/allShares*(allShares-tcpShare)/int64(unsafe.Sizeof(flow{})+besides)))
	return b
}

// makeRoom ends a flow of that kind, at time now, where there are as many as may be.
func (t *Tracker) makeRoom(tr transport, now packet.Time) {
	b := &t.bounds
	if tr == tcp {
		if b.tcp > 0 && t.flows.tcp.live() >= b.tcp {
			b.tcpHand = t.evict(b.tcpHand, t.flows.tcp.used, tcpIndex, now)
		}
	} else if b.plain > 0 && t.flows.plain.live() >= b.plain {
		b.plainHand = t.evict(b.plainHand, t.flows.plain.used, 0, now)
	}
}

// evict looks at some flows of a slab from hand on and ends the one that says least,
// of equals the one that was silent for longest. It returns where to look next.
func (t *Tracker) evict(hand, used, mark uint32, now packet.Time) uint32 {
	var victim uint32
	var least worth
	for range min(looks, used-1) {
		if hand++; hand >= used {
			hand = 1
		}
		f := t.flows.at(hand + mark)
		if f.bucket == noBucket {
			continue
		}
		if w := worthOf(f); victim == 0 || w < least || w == least && f.lastSeen < t.flows.at(victim).lastSeen {
			victim, least = hand+mark, w
		}
	}
	if victim == 0 {
		return hand
	}
	t.bounds.evicted++
	f := t.flows.at(victim)
	f.marks |= markEvicted
	t.end(victim, f, now)
	return hand
}

// worth is how much a connection says: those that say little go first.
type worth uint8

const (
	onePacket  worth = iota
	unanswered       // one side is silent, or TCP's handshake is not over
	established
)

func worthOf(f *flow) worth {
	switch {
	case f.pkts[orig]+f.pkts[resp] <= 1:
		return onePacket
	case f.pkts[orig] == 0 || f.pkts[resp] == 0:
		return unanswered
	case f.proto == packet.TCP && f.idle == idleUDP: // the timeout of the handshake
		return unanswered
	}
	return established
}

// Evicted is how many connections ended early for want of room.
func (t *Tracker) Evicted() uint64 { return t.bounds.evicted }
