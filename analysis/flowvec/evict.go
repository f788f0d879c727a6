package flowvec

// evict drops the conversations with the highest ranks until the table has
// room: the limit falls by an eighth as often as needed. Which conversations
// stay depends only on which were seen, not on their order or volume. The few
// flows that lose their pairs go too.
func (t *Table) evict() {
	kept := len(t.pairs)
	for kept >= t.cfg.MaxPairs {
		t.limit -= t.limit / 8
		kept = 0
		for i := range t.pairs {
			if t.cfg.rank(t.began[i].hash) < t.limit {
				kept++
			}
		}
	}
	moved := t.keep()
	t.reindex()
	old := t.flows.slots
	t.flows.slots, t.flows.n = make([]flow, len(old)), 0
	for i := range old {
		f := &old[i]
		if f.free() {
			continue
		}
		for d, place := range f.pair {
			if place != 0 {
				f.pair[d] = moved[place-1]
			}
		}
		if !f.free() {
			t.flows.insert(f)
			t.flows.n++
		}
	}
}

// keep moves the pairs below the limit, and what belongs to them, together.
// It returns the new place of each old one, 0 for those that went.
func (t *Table) keep() []uint32 {
	moved := make([]uint32, len(t.pairs))
	activities := make([]activity, 0, len(t.activities))
	uids := make([]uidList, 0, len(t.uids))
	n := 0
	for i := range t.pairs {
		q := t.pairs[i]
		if t.cfg.rank(t.began[i].hash) >= t.limit {
			t.lost.Pairs++
			t.lost.Packets += q.n
			continue
		}
		if q.activity != 0 {
			activities = append(activities, t.activities[q.activity-1])
			q.activity = uint32(len(activities))
		}
		if q.uids != 0 {
			uids = append(uids, t.uids[q.uids-1])
			q.uids = uint32(len(uids))
		}
		t.pairs[n], t.began[n] = q, t.began[i]
		n++
		moved[i] = uint32(n)
	}
	t.pairs, t.began, t.activities, t.uids = t.pairs[:n], t.began[:n], activities, uids
	return moved
}
