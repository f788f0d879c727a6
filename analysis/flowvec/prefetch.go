package flowvec

import "pcapdir/source/packet"

// probes is how far a search goes on to read ahead. Most end before; those that do
// not read ahead another conversation.
const probes = 4

// prefetchLen is how many packets are looked up at once.
const prefetchLen = 256

// warmed is what is known of a coming packet.
type warmed struct {
	hash  uint64
	place uint32
	side  uint8
}

// Prefetch reads what the coming packets will change: the index, then their
// pairs, then what lies beside those. Loads that do not depend on each other
// overlap, so that Add finds all of it in the cache. Nothing that is seen changes.
func (t *Table) Prefetch(ps []*packet.Packet) {
	for len(ps) > prefetchLen {
		t.prefetch(ps[:prefetchLen])
		ps = ps[prefetchLen:]
	}
	t.prefetch(ps)
}

func (t *Table) prefetch(ps []*packet.Packet) {
	warm := t.warm[:len(ps)]
	var sum uint32
	for i, p := range ps {
		lo, hi, side := inOrder(p)
		warm[i].hash, warm[i].side = t.index.hash(lo, hi), side
	}
	for i := range warm { // so short that many of its loads are under way at once
		sum += uint32(*t.index.slot(t.index.home(warm[i].hash)))
	}
	for i := range warm {
		w := &warm[i]
		at := t.index.home(w.hash)
		slot := *t.index.slot(at)
		for range probes {
			if slot == 0 || uint32(slot>>32) == uint32(w.hash>>32) {
				break
			}
			at++
			slot = *t.index.slot(at)
		}
		w.place = uint32(slot)
	}
	for i := range warm {
		if w := &warm[i]; w.place != 0 { // one load from each of its cache lines
			q := t.pairs.at(w.place)
			sum += uint32(q.lo[0]) + q.sides[w.side].first
		}
	}
	for i, p := range ps {
		w := &warm[i]
		if w.place == 0 {
			continue
		}
		q := t.pairs.at(w.place)
		if q.flags&manyFlow != 0 {
			sum += t.flows.slots[t.flows.home(w.place, oriented(portsOf(p), w.side), p.Proto)].pair
		}
		if s := &q.sides[w.side]; s.n == fewPackets && s.busy != 0 {
			b := t.busy.at(s.busy)
			sum += uint32(b.n) + b.npay + b.active[t.at/slotsPerCounter]
		}
	}
	t.sink += uint64(sum)
}
