package flowvec

import "pcapdir/source/packet"

// prefetchLen is how many packets are looked up at once.
const prefetchLen = 256

// Prefetch reads what the coming packets will change: their flows, then the
// pairs, then the seconds of those. Loads that do not depend on each other
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
	var sum uint64
	for i, p := range ps {
		f := &t.flows.slots[t.flows.home(p.Hash)]
		warm[i] = f.pair[0]
		sum += f.hash // a slot may lie on two lines
		if f.pair[1] != 0 && f.ports[0] != p.SrcPort {
			warm[i] = f.pair[1]
		}
	}
	for i, place := range warm {
		if place == 0 {
			continue
		}
		q := &t.pairs[place-1]
		sum += uint64(q.src[0]) + uint64(q.origin) // one from each of its cache lines
		warm[i] = q.activity
	}
	second := t.at / slotsPerCounter
	for _, place := range warm {
		if place != 0 {
			sum += uint64(t.activities[place-1][second])
		}
	}
	t.sink += sum
}
