package flowvec

import (
	"hash/maphash"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Table accumulates the open pane of one shard. It takes no locks: one
// goroutine owns it.
type Table struct {
	cfg        Config
	slot       time.Duration
	tickShift  uint
	start      packet.Time // of the open pane
	at         uint        // the slot of the last packet, and its span
	from, upTo packet.Time

	slabs
	index index
	flows flowTable

	limit uint64 // conversations whose rank reaches it are not kept
	ranks seeds
	lost  Loss

	warm [prefetchLen]warmed
	sink uint64 // keeps the loads of Prefetch
}

// Loss counts what the bounds of a table cost.
type Loss struct {
	Pairs   uint64 // conversations dropped, each time that one was
	Packets uint64 // packets that count nowhere
	Flows   uint64 // packets counted in their pair, but in no flow
}

func (l *Loss) add(o Loss) {
	l.Pairs, l.Packets, l.Flows = l.Pairs+o.Pairs, l.Packets+o.Packets, l.Flows+o.Flows
}

// New makes an empty table. It starts nothing.
func New(cfg Config) *Table {
	def := DefaultConfig()
	if cfg.Pane <= 0 {
		cfg.Pane = def.Pane
	}
	if cfg.MaxPairs <= 0 {
		cfg.MaxPairs = def.MaxPairs
	}
	if cfg.MaxFlows <= 0 {
		cfg.MaxFlows = def.MaxFlows
	}
	seed := maphash.MakeSeed()
	return &Table{
		cfg: cfg, slot: cfg.slot(), tickShift: cfg.tickShift(), limit: ^uint64(0), ranks: cfg.ranks(),
		slabs: newSlabs(), index: newIndex(seed), flows: newFlowTable(maphash.Comparable(seed, 0)),
	}
}

// Len is the number of conversations of the open pane.
func (t *Table) Len() int { return int(t.pairs.n) }

// Add counts one decoded IP packet, whatever its checksum. Packets come in
// order of effective time. uid is the connection's, or zero. p is not kept.
func (t *Table) Add(p *packet.Packet, uid logs.UID) {
	if p.Eff >= t.upTo || p.Eff < t.from {
		t.move(p.Eff)
	}
	place, side := t.pairOf(p)
	if place == 0 {
		t.lost.Packets++
		return
	}
	q := t.pairs.at(place)
	ports := portsOf(p)
	if q.flags&(known|manyFlow) == known && (p.Proto != q.proto || ports != q.portsBy(side)) {
		t.split(q, place)
	}
	tick := t.tick(p.Eff)
	q.begin(p, side, tick)
	t.count(q, side, p, tick)
	if q.flags&manyFlow != 0 {
		t.note(q, place, side, p, ports, tick, uid)
	} else if uid != (logs.UID{}) {
		t.name(q, tick, uid)
	}
}

// move makes the slot of eff the current one. Times outside the open pane,
// which a caller that closes panes on time never has, count at its borders.
func (t *Table) move(eff packet.Time) {
	if t.pairs.n == 0 {
		t.start = eff.Floor(t.cfg.Pane)
	}
	t.at = slotIn(eff, t.start, t.slot)
	at := t.at
	t.from = t.start.Add(time.Duration(at) * t.slot)
	t.upTo = t.from.Add(t.slot)
}

// tick is eff in the units of the open pane.
func (t *Table) tick(eff packet.Time) uint32 {
	return uint32(max(0, min(int64(eff-t.start)>>t.tickShift, 1<<32-1)))
}

// count adds p to its direction's accumulators.
func (t *Table) count(q *pair, side uint8, p *packet.Packet, tick uint32) {
	s := &q.sides[side]
	if s.n == fewPackets || p.IPLen|p.PayLen >= large {
		if s.busy == 0 {
			s.busy, _ = t.busy.add()
		}
		b := t.busy.at(s.busy)
		b.take(s)
		if p.IPLen|p.PayLen >= large {
			b.add(p, tick, t.at)
			return
		}
	}
	s.add(p, tick, t.at)
}

// split puts the one flow that q had beside it, because there will be a second.
// Without room for both, q stays as it is and its packets count as one flow's.
func (t *Table) split(q *pair, place uint32) {
	if t.flows.n+2 > t.cfg.MaxFlows {
		t.lost.Flows++
		return
	}
	f := t.only(q)
	f.pair = place
	*t.flows.add(place, f.ports, f.proto) = f
	q.flags |= manyFlow
}

// only is the flow of a pair that has one.
func (s *slabs) only(q *pair) (f flow) {
	f.ports, f.proto = q.portsBy(0), q.proto
	for side := range q.sides {
		var c counts
		q.sides[side].fill(&c)
		if b := q.sides[side].busy; b != 0 {
			c.merge(&s.busy.at(b).counts)
		}
		if c.n != 0 {
			f.flags |= sawSide << side
		}
		if c.npay != 0 {
			f.flags |= sawPayload << side
		}
		f.bytes[side] = c.bytes
	}
	if q.flags&listed == 0 {
		f.tag = tagOf(q.uid)
	}
	return f
}

// note adds p to its flow, and its connection to the pair where that is new.
func (t *Table) note(q *pair, place uint32, side uint8, p *packet.Packet, ports [2]uint16, tick uint32, uid logs.UID) {
	ports = oriented(ports, side)
	f := t.flows.find(place, ports, p.Proto)
	if f.pair == 0 {
		if t.flows.n >= t.cfg.MaxFlows {
			t.lost.Flows++
			return
		}
		f = t.flows.add(place, ports, p.Proto)
	}
	f.bytes[side] += uint64(p.IPLen)
	f.flags |= sawSide << side
	if p.PayLen != 0 {
		f.flags |= sawPayload << side
	}
	if tag := tagOf(uid); tag != f.tag && uid != (logs.UID{}) {
		f.tag = tag
		t.name(q, tick, uid)
	}
}

// pairOf is the place of p's conversation, made when it is new, or 0 when it
// is not kept, and which side sent p.
func (t *Table) pairOf(p *packet.Packet) (place uint32, side uint8) {
	lo, hi, side := inOrder(p)
	return t.placeOf(lo, hi), side
}

// placeOf is the place of the conversation of two addresses, likewise.
func (t *Table) placeOf(lo, hi *packet.Addr) uint32 {
	hash := t.index.hash(lo, hi)
	slot := t.findPair(hash, lo, hi)
	if *slot != 0 {
		return uint32(*slot)
	}
	if t.limit != ^uint64(0) && t.ranks.hash(lo, hi) >= t.limit {
		return 0
	}
	if int(t.pairs.n) >= t.cfg.MaxPairs {
		if t.evict(); t.ranks.hash(lo, hi) >= t.limit {
			return 0
		}
		slot = t.findPair(hash, lo, hi)
	}
	if t.index.full() {
		t.index.grow()
		slot = t.findPair(hash, lo, hi)
	}
	place, q := t.pairs.add()
	q.lo, q.hi = *lo, *hi
	t.index.put(slot, hash, place)
	return place
}

// findPair is the slot of the index that holds the conversation, or where it belongs.
func (t *Table) findPair(hash uint64, lo, hi *packet.Addr) *uint64 {
	for i := t.index.home(hash); ; i++ {
		slot := t.index.slot(i)
		if *slot == 0 {
			return slot
		}
		if uint32(*slot>>32) == uint32(hash>>32) {
			if q := t.pairs.at(uint32(*slot)); q.lo == *lo && q.hi == *hi {
				return slot
			}
		}
	}
}
