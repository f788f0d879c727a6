package flowvec

import "pcapdir/analysis/pages"

// evict drops the conversations with the highest ranks until the table has
// room: the limit falls by an eighth as often as needed. Which conversations
// stay depends only on which were seen, not on their order or volume. What
// belongs to those that go goes too.
func (t *Table) evict() {
	kept := t.pairs.n
	for int(kept) >= t.cfg.MaxPairs {
		t.limit -= t.limit / 8
		kept = 0
		for place := range t.pairs.n {
			if q := t.pairs.at(place + 1); t.cfg.rank(conversationHash(&q.lo, &q.hi)) < t.limit {
				kept++
			}
		}
	}
	t.drop()
}

// drop lets go of the conversations whose ranks reach the limit.
func (t *Table) drop() {
	moved := t.keep()
	clear(t.index.slots)
	t.index.n = 0
	for place := uint32(1); place <= t.pairs.n; place++ {
		q := t.pairs.at(place)
		hash := t.index.hash(&q.lo, &q.hi)
		t.index.put(t.index.free(hash), hash, place)
	}
	t.flows.rebuild(pages.MakeSpread[flow](len(t.flows.slots)), moved)
}

// keep moves the pairs below the limit, and what belongs to them, together.
// It returns the new place of each old one, 0 for those that went.
func (t *Table) keep() []uint32 {
	old := t.take()
	moved := make([]uint32, old.pairs.n)
	for i := range moved {
		q := old.pairs.at(uint32(i + 1))
		if t.cfg.rank(conversationHash(&q.lo, &q.hi)) >= t.limit {
			t.lost.Pairs++
			t.lost.Packets += old.packets(q)
			continue
		}
		place, to := t.pairs.add()
		t.copyPair(to, q, &old)
		moved[i] = place
	}
	old.release()
	return moved
}

// copyPair copies a pair of an open pane, and what belongs to it, from other slabs.
func (s *slabs) copyPair(to, q *pair, from *slabs) {
	*to = *q
	for side := range to.sides {
		busy := &to.sides[side].busy
		*busy = moveTo(&s.busy, &from.busy, *busy)
	}
	if q.flags&listed != 0 {
		to.since = moveTo(&s.lists, &from.lists, q.since)
	}
}

// moveTo copies an entry, if there is one, to another slab.
func moveTo[T any](to, from *slab[T], place uint32) uint32 {
	if place == 0 {
		return 0
	}
	at, entry := to.add()
	*entry = *from.at(place)
	return at
}

// packets are all of a pair.
func (s *slabs) packets(q *pair) (n uint64) {
	for side := range q.sides {
		f := &q.sides[side]
		n += uint64(f.n)
		if f.busy != 0 {
			n += s.busy.at(f.busy).n
		}
	}
	return n
}
