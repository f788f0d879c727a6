package flowvec

import "pcapdir/analysis/pages"

// evict drops the conversations with the highest ranks until the table has
// room: the limit falls by an eighth as often as needed. Which conversations
// stay depends only on which were seen, not on their order or volume. What
// belongs to those that go goes too.
func (t *Table) evict() {
	ranks := t.ranksOfAll()
	for kept := len(ranks); kept >= t.cfg.MaxPairs; {
		t.limit -= min(t.limit, t.limit/8+1)
		kept = 0
		for _, rank := range ranks {
			if rank < t.limit {
				kept++
			}
		}
	}
	t.drop(ranks)
}

func (t *Table) ranksOfAll() []uint64 {
	ranks := make([]uint64, t.pairs.n)
	for i := range ranks {
		q := t.pairs.at(uint32(i + 1))
		ranks[i] = t.ranks.hash(&q.lo, &q.hi)
	}
	return ranks
}

// drop lets go of the conversations whose ranks, which are those of all, reach the
// limit. Those that stay move together, in their order, where they are.
func (t *Table) drop(ranks []uint64) {
	moved := make([]uint32, len(ranks)) // the new place of each, 0 for those that go
	kept := uint32(0)
	for i, rank := range ranks {
		q := t.pairs.at(uint32(i + 1))
		if rank >= t.limit {
			t.lost.Pairs++
			t.lost.Packets += t.packets(q)
			t.freeBeside(q)
			continue
		}
		kept++
		moved[i] = kept
		*t.pairs.at(kept) = *q
	}
	t.pairs.cut(kept)
	t.index.move(moved)
	t.flows.rebuild(pages.MakeSpread[flow](len(t.flows.slots)), moved)
}

// freeBeside frees what belongs to a pair of an open pane.
func (s *slabs) freeBeside(q *pair) {
	for side := range q.sides {
		s.busy.free(q.sides[side].busy)
	}
	if q.flags&listed != 0 {
		s.lists.free(q.since)
	}
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
