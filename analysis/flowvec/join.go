package flowvec

// join takes in a pair of the same pane that another table had, with what belongs to
// it in from, but its flows. limit was that table's. It returns the place, or 0 where
// the conversation is not kept.
func (t *Table) join(q *pair, from *slabs, limit uint64) uint32 {
	if limit < t.limit { // packets of what reaches it are missing
		t.limit = limit
		t.drop(t.ranksOfAll())
	}
	place := t.placeOf(&q.lo, &q.hi)
	if place == 0 {
		t.lost.Pairs++
		t.lost.Packets += from.packets(q)
		return 0
	}
	if o := t.pairs.at(place); o.flags&known == 0 {
		t.copyPair(o, q, from)
	} else {
		t.meet(o, q, place, from)
	}
	return place
}

// meet adds q to what t has of the same conversation. All that is known of one merges
// in any order, as in a Reader.
func (t *Table) meet(o, q *pair, place uint32, from *slabs) {
	if o.flags&manyFlow == 0 {
		t.split(o, place)
	}
	if q.flags&manyFlow == 0 {
		f := from.only(q)
		t.joinFlow(place, &f)
	}
	if q.compareOrigin(o) < 0 {
		o.beginAs(q)
	}
	for side := range q.sides {
		t.joinSide(o, q, side, from)
	}
	for since, uid := range from.connections(q) {
		t.offer(o, since, uid)
	}
}

// joinSide adds q's packets of one direction. Those that o holds by itself stay in
// order, as those that follow will be: others go beside.
func (t *Table) joinSide(o, q *pair, side int, from *slabs) {
	few, own, beside := q.sides[side], &o.sides[side], q.sides[side].busy
	if few.n > 0 && own.n == 0 {
		few.busy = own.busy
		*own, few.n = few, 0
	}
	if few.n == 0 && beside == 0 {
		return
	}
	if own.busy == 0 {
		own.busy, _ = t.busy.add()
	}
	b := t.busy.at(own.busy)
	b.take(&few)
	if beside != 0 {
		other := from.busy.at(beside)
		b.counts.merge(&other.counts)
		b.active.merge(&other.active)
	}
}

// joinFlow takes in one flow of the pair at place. What cannot be kept counts as one
// packet's loss: how many it had is not known.
func (t *Table) joinFlow(place uint32, f *flow) {
	to := t.flows.find(place, f.ports, f.proto)
	if t.pairs.at(place).flags&manyFlow == 0 || to.pair == 0 && t.flows.n >= t.cfg.MaxFlows {
		t.lost.Flows++
		return
	}
	if to.pair == 0 {
		to = t.flows.add(place, f.ports, f.proto)
		to.tag = f.tag
	}
	for side := range f.bytes {
		to.bytes[side] += f.bytes[side]
	}
	to.flags |= f.flags
}
