package conn

// span is a range [lo, hi) of octets above a hole. The ranges of a side are a
// ring in order of lo, so that the lowest, which endpoint.pending names, and the
// highest, which new data mostly goes to, are both at hand.
type span struct {
	lo, hi     uint64
	next, prev uint32
	count      uint32 // ranges in the ring; kept in the lowest
	sum        uint64 // their octets; kept in the lowest
}

// addSpan adds [lo, hi), which is above reassembled, to the pending ranges. It
// joins what it touches.
func (t *Tracker) addSpan(e *endpoint, lo, hi uint64) {
	if e.pending == 0 {
		i, r := t.spans.alloc()
		*r = span{lo: lo, hi: hi, next: i, prev: i, count: 1, sum: hi - lo}
		e.pending = i
		return
	}
	at := t.spans.at(e.pending).prev
	for at != e.pending && t.spans.at(at).lo > hi {
		at = t.spans.at(at).prev
	}
	r := t.spans.at(at)
	switch {
	case r.lo > hi:
		t.insertSpan(e, r.prev, lo, hi)
		t.rebase(e, t.spans.at(e.pending).prev)
	case r.hi < lo:
		t.insertSpan(e, at, lo, hi)
	default:
		t.widenSpan(e, at, lo, hi)
	}
}

// insertSpan adds a range behind another in the ring.
func (t *Tracker) insertSpan(e *endpoint, behind uint32, lo, hi uint64) {
	i, r := t.spans.alloc()
	b := t.spans.at(behind)
	*r = span{lo: lo, hi: hi, next: b.next, prev: behind}
	t.spans.at(b.next).prev = i
	b.next = i
	lowest := t.spans.at(e.pending)
	lowest.count++
	lowest.sum += hi - lo
}

// rebase makes range i the lowest.
func (t *Tracker) rebase(e *endpoint, i uint32) {
	from, to := t.spans.at(e.pending), t.spans.at(i)
	to.count, to.sum = from.count, from.sum
	e.pending = i
}

// widenSpan joins [lo, hi) to range at, which it touches, and that to those below.
// No range above is touched: they begin behind hi.
func (t *Tracker) widenSpan(e *endpoint, at uint32, lo, hi uint64) {
	r := t.spans.at(at)
	before := r.hi - r.lo
	r.lo, r.hi = min(r.lo, lo), max(r.hi, hi)
	t.spans.at(e.pending).sum += r.hi - r.lo - before
	for at != e.pending {
		below := t.spans.at(r.prev)
		if below.hi < r.lo {
			return
		}
		before, lo, hi := r.hi-r.lo, below.lo, below.hi
		t.dropSpan(e, r.prev)
		r.lo, r.hi = min(r.lo, lo), max(r.hi, hi)
		t.spans.at(e.pending).sum += r.hi - r.lo - before
	}
}

// dropSpan removes range i.
func (t *Tracker) dropSpan(e *endpoint, i uint32) {
	r := t.spans.at(i)
	lowest := t.spans.at(e.pending)
	lowest.count--
	lowest.sum -= r.hi - r.lo
	t.spans.at(r.prev).next = r.next
	t.spans.at(r.next).prev = r.prev
	switch {
	case r.next == i:
		e.pending = 0
	case i == e.pending:
		t.rebase(e, r.next)
	}
	t.spans.release(i)
}

func (t *Tracker) freeSpans(e *endpoint) {
	for e.pending != 0 {
		t.dropSpan(e, e.pending)
	}
}
