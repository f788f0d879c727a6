package flowvec

import "pcapdir/analysis/pages"

// Rows are the conversations of a window, each once. They come as is fastest to
// read: their order depends on the shards, and nothing that is reported may
// depend on it. Read-only, so any number of goroutines may read them.
type Rows struct {
	w      *Windows
	refs   []ref
	starts []uint32 // of each row in refs, and the end; nil where each row has one
}

// rows finds where conversations begin in sorted references, and keeps that in starts.
func (w *Windows) rows(refs []ref, starts *[]uint32) Rows {
	r := Rows{w: w, refs: refs}
	i := 1
	for i < len(refs) && !w.same(refs[i-1], refs[i]) {
		i++
	}
	if i >= len(refs) {
		return r
	}
	at := pages.Sized(*starts, len(refs)+1)[:0]
	for k := range i {
		at = append(at, uint32(k))
	}
	for ; i < len(refs); i++ {
		if !w.same(refs[i-1], refs[i]) {
			at = append(at, uint32(i))
		}
	}
	at = append(at, uint32(len(refs)))
	*starts, r.starts = at, at
	return r
}

// newestRows are those of the last pane: where no conversation is in two parts,
// as they lie in memory, which spares a cache miss for each.
func (w *Windows) newestRows() Rows {
	if w.latest.w == nil {
		w.latest = w.rows(w.sorted, &w.begins)
		if w.latest.starts == nil {
			w.latest.refs = w.newest
		}
	}
	return w.latest
}

// Same says that two windows that end with the same pane are of the same panes.
func (r *Rows) Same(o *Rows) bool {
	return len(r.refs) == len(o.refs) && len(r.refs) > 0 && &r.refs[0] == &o.refs[0]
}

// Len is the number of conversations.
func (r *Rows) Len() int {
	if r.starts == nil {
		return len(r.refs)
	}
	return len(r.starts) - 1
}

func (r *Rows) refsOf(i int) []ref {
	if r.starts == nil {
		return r.refs[i : i+1]
	}
	return r.refs[r.starts[i]:r.starts[i+1]]
}

// Hash is the same for the same two addresses, always.
func (r *Rows) Hash(i int) uint64 { return r.refsOf(i)[0].hash }

// warm reads one number of each cache line of the pairs of n rows from i on, and
// of the sums of those with many flows. Loads that do not depend on each other
// overlap: rows come in the order of hashes, so each is a miss.
func (r *Rows) warm(i, n int) (sum uint32) {
	refs, sum := r.warmPairs(i, n)
	for _, f := range refs {
		p := r.w.part(f)
		if place := p.pairs.at(f.place).sums; place != 0 {
			s := p.sums.at(place)
			sum += s[0].n + uint32(s[0].ports.n) + s[1].n + uint32(s[1].ports.n)
		}
	}
	return sum
}

// warmPairs is warm without those sums.
func (r *Rows) warmPairs(i, n int) (refs []ref, sum uint32) {
	from, to := i, i+n
	if r.starts != nil {
		from, to = int(r.starts[i]), int(r.starts[i+n])
	}
	refs = r.refs[from:to]
	for _, f := range refs {
		q := r.w.pair(f)
		sum += uint32(q.lo[0]) + q.sides[0].first + q.sides[1].first
	}
	return refs, sum
}

// depth says how much of a conversation is read.
type depth uint8

const (
	sums  depth = iota // all but when it was heard
	whole              // all
)

// read puts conversation i together. Everything adds, takes an extreme or sets
// bits until a pane is complete; only then is anything derived that could not
// be merged, and panes are joined in time order.
func (r *Rows) read(i int, c *Conversation, deep depth) {
	refs := r.refsOf(i)
	b := r.w.began(refs)
	q := r.w.pair(refs[0])
	c.lo, c.hi, c.began, c.from = q.lo, q.hi, b.service, b.side
	c.sides[0].clear()
	c.sides[1].clear()
	for len(refs) > 0 {
		start, n := r.w.part(refs[0]).Start, 1
		for n < len(refs) && r.w.part(refs[n]).Start == start {
			n++
		}
		into := &c.sides
		if c.sides[0].n|c.sides[1].n != 0 {
			c.pane[0].clear()
			c.pane[1].clear()
			into = &c.pane
		}
		if n == 1 {
			r.w.part(refs[0]).fill(refs[0].place, into, r.w.quiet, deep)
		} else {
			r.w.fillParts(refs[:n], into, deep)
		}
		if into == &c.pane {
			c.sides[0].join(&c.pane[0], r.w.quiet)
			c.sides[1].join(&c.pane[1], r.w.quiet)
		}
		refs = refs[n:]
	}
}

// fill reads both sides of a conversation that one part has alone, into two that
// are clear.
func (p *Pane) fill(place uint32, into *[2]side, quiet int64, deep depth) {
	q := p.pairs.at(place)
	for d := range into {
		s, f := &into[d], &q.sides[d]
		if f.fill(&s.counts); f.busy != 0 {
			s.counts.merge(&p.busy.at(f.busy).counts)
		}
		if s.n == 0 {
			continue
		}
		p.absolute(&s.counts)
		if q.sums != 0 {
			s.finishFlows(&p.sums.at(q.sums)[d])
		} else {
			s.flows = 1
			if s.npay == 0 {
				s.dry = 1
			}
			s.squares = float128(square(s.bytes))
			s.ports.n, s.ports.services[0], s.ports.words[0] = 1, q.service(uint8(d)), s.bytes
		}
		if deep == sums {
			continue
		}
		if f.busy != 0 {
			active := p.busy.at(f.busy).active
			active.addAll(f)
			s.finishTimes(&active, p, quiet)
			continue
		}
		s.peak = peakOf(f.slots[:f.n])
		base := slotNumber(p.Start, p.slot)
		for _, slot := range f.slots[:f.n] {
			s.bursts.hit(base+int64(slot), quiet)
		}
	}
}

// fillParts reads both sides of a conversation that shards share in one pane.
func (w *Windows) fillParts(refs []ref, into *[2]side, deep depth) {
	for d := range into {
		var flows flowSums
		var active activity
		s := &into[d]
		for _, r := range refs {
			p, q := w.part(r), w.pair(r)
			var c counts
			q.sides[d].fill(&c)
			if b := q.sides[d].busy; b != 0 {
				c.merge(&p.busy.at(b).counts)
				active.merge(&p.busy.at(b).active)
			}
			if q.sums != 0 { // also where another shard has the packets, once they were dealt anew
				flows.merge(&p.sums.at(q.sums)[d])
			} else if c.n != 0 {
				flows.add(q.service(uint8(d)), c.bytes, c.npay != 0)
			}
			if c.n != 0 {
				active.addAll(&q.sides[d])
				p.absolute(&c)
				s.counts.merge(&c)
			}
		}
		if s.n == 0 {
			continue
		}
		if s.finishFlows(&flows); deep == whole {
			s.finishTimes(&active, w.part(refs[0]), w.quiet)
		}
	}
}

// absolute turns ticks into times.
func (p *Pane) absolute(c *counts) {
	c.first = int64(p.Start) + c.first<<p.tickShift
	c.last = int64(p.Start) + c.last<<p.tickShift
}

func (a *activity) addAll(f *few) {
	for _, slot := range f.slots[:f.n] {
		a.add(uint(slot))
	}
}

func (s *side) finishFlows(f *flowSums) {
	s.flows, s.dry, s.squares, s.ports = f.n, f.dry, float128(f.squares), f.ports
}

func (s *side) finishTimes(a *activity, p *Pane, quiet int64) {
	s.peak = a.peak()
	s.bursts = burstsOf(a, slotNumber(p.Start, p.slot), quiet)
}

// service is where packets of that side of a pair with one flow go.
func (q *pair) service(side uint8) Service { return serviceOf(q.proto, q.portsBy(side)[1]) }

// beginning is who began a conversation, and what it asked for.
type beginning struct {
	side    uint8
	service Service
	noSYN   bool
	part    uint32 // that says so
}

// origin is what has the origin of a conversation whose references are in time
// order: the first SYN, else the first packet.
func (w *Windows) origin(refs []ref) ref {
	best := refs[0]
	for _, r := range refs[1:] {
		q, o := w.pair(r), w.pair(best)
		syn, was := q.flags&noSYN == 0, o.flags&noSYN == 0
		if syn != was && syn || syn == was && w.part(r).Start == w.part(best).Start && q.compareOrigin(o) < 0 {
			best = r
		}
	}
	return best
}

// began is the beginning of such a conversation: an earlier one that is recalled, but
// of a SYN in the window where that had none.
func (w *Windows) began(refs []ref) beginning {
	best := w.origin(refs)
	o := w.pair(best)
	if q := w.pair(refs[0]); q.flags&recalled != 0 && (q.flags&beganNoSYN == 0 || o.flags&noSYN != 0) {
		return beginning{sideOf(q.flags, beganHi), w.part(refs[0]).began[refs[0].place-1], q.flags&beganNoSYN != 0, refs[0].part}
	}
	return beginning{sideOf(o.flags, fromHi), serviceOf(o.proto, o.ports[1]), o.flags&noSYN != 0, best.part}
}

// sideOf is 1 where the flag that says hi is set.
func sideOf(flags, hi pairFlags) uint8 {
	if flags&hi != 0 {
		return 1
	}
	return 0
}

// part is the part that a reference is to.
func (w *Windows) part(r ref) *Pane { return w.parts[r.part-w.first] }

func (w *Windows) pair(r ref) *pair { return w.part(r).pairs.at(r.place) }

// same says whether two references are to one conversation.
func (w *Windows) same(a, b ref) bool {
	if a.hash != b.hash {
		return false
	}
	p, q := w.pair(a), w.pair(b)
	return p.lo == q.lo && p.hi == q.hi
}
