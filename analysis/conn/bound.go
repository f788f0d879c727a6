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

	// What a flow takes besides itself and its oddities: its slots in the table and in
	// the wheel, its place among the free ones. And what it takes besides that where links are kept,
	// or connections are shown while they are open.
	besides, besidesLink, besidesOpen = 8*8/5*2 + 8 + 4, 64, 64

	// In percent of the whole: what is left for tables and slabs, which grow by
	// doubling; and for what few connections have.
	slackPercent, spansPercent, lettersPercent, tunnelsPercent = 20, 5, 5, 5

	// plainTunnelBytes is what a tunnel without connection takes in its map.
	plainTunnelBytes = 80

	// looks is how many flows are looked at for one to go, from where the last look
	// ended. Those that were opened one after the other mostly lie so, hence the
	// first to come up are old. Where all of them are established, so many more are.
	looks, moreLooks = 16, 512
)

// bounds are how many of each may be there, 0: any number.
type bounds struct {
	plain, tcp         int    // open flows
	plainHand, tcpHand uint32 // where the next look begins
	spans, letters     int    // of all connections: ranges above holes, pieces of histories
	tunnels            int    // without connection

	evicted, gaveUp uint64
	at              packet.Time // when the last one was evicted in the instant that it began
	sameTime        uint32      // how many were then
}

// boundsFor divides c.Memory.
func boundsFor(c *Config) (b bounds) {
	if c.Memory <= 0 {
		return b
	}
	percent := c.Memory / 100
	b.spans = max(maxRanges, int(percent*spansPercent/int64(unsafe.Sizeof(span{}))))
	b.letters = max(maxHistory, int(percent*lettersPercent/int64(unsafe.Sizeof(letters{}))))
	b.tunnels = max(minPlain, int(percent*tunnelsPercent/plainTunnelBytes))
	extra := int64(besides)
	if c.VLAN || c.MAC {
		extra += besidesLink
	}
	if c.OpenInterval > 0 {
		extra += besidesOpen
	}
	flows := percent * (100 - slackPercent - spansPercent - lettersPercent - tunnelsPercent)
	tcpSize := unsafe.Sizeof(tcpFlow{}) + unsafe.Sizeof(tcpOddities{})
	plainSize := unsafe.Sizeof(plainFlow{}) + unsafe.Sizeof(oddities{})
	b.tcp = max(1, int(flows/allShares*tcpShare/(int64(tcpSize)+extra)))
	b.plain = max(1, int(flows/allShares*(allShares-tcpShare)/(int64(plainSize)+extra)))
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
// of equals the one that was silent for longest. One whose time is over anyway just
// ends. It returns where to look next.
func (t *Tracker) evict(hand, used, mark uint32, now packet.Time) uint32 {
	var victim uint32
	var least worth
	for n := uint32(0); n < used-1; n++ {
		if n >= looks && victim != 0 && least < established || n >= moreLooks {
			break
		}
		if hand++; hand >= used {
			hand = 1
		}
		f := t.flows.at(hand + mark)
		switch {
		case f.bucket == noBucket:
			continue
		case f.deadline <= now:
			t.end(hand+mark, f, f.deadline)
			return hand
		}
		if w := t.worthOf(f, now); victim == 0 || w < least || w == least && f.lastSeen < t.flows.at(victim).lastSeen {
			victim, least = hand+mark, w
		}
	}
	if victim == 0 {
		return hand
	}
	b := &t.bounds
	b.evicted++
	if least == justBegun {
		if b.at != now {
			b.at, b.sameTime = now, 0
		}
		b.sameTime++
	}
	f := t.flows.at(victim)
	f.marks |= markEvicted
	t.end(victim, f, now)
	return hand
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
	onePacket   worth = iota
	unanswered        // one side is silent, or TCP's handshake is not over
	established       // neither
	justBegun         // in this very instant
)

func (t *Tracker) worthOf(f *flow, now packet.Time) worth {
	switch {
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

// Evicted is how many connections ended early for want of room, and GaveUp of how many
// sides reassembly was given up for it.
func (t *Tracker) Evicted() uint64 { return t.bounds.evicted }

// GaveUp is explained at Evicted.
func (t *Tracker) GaveUp() uint64 { return t.bounds.gaveUp }
