package flowvec

import (
	"cmp"
	"slices"

	"pcapdir/source/packet"
)

// Heavy is a conversation and how much it had.
type Heavy struct {
	Source, Target packet.Addr // the initiator and the other end
	Service        Service
	Sent, Received Totals // by the initiator
}

// weight is how much row i has.
type weight struct {
	bytes uint64
	i     int
}

// Heaviest are the conversations of the last pane with the most bytes, the most first, n
// of them at most. Whatever the shards were, they are the same. They hold for ever; the
// rows of a window do not hold beyond the call.
func (w *Windows) Heaviest(n int) []Heavy {
	if n <= 0 || len(w.panes) == 0 {
		return nil
	}
	rows := w.newestRows()
	best := make([]weight, 0, 4*n)
	full := false // then the last of the first n is what others must beat
	const ahead = 64
	for i := range rows.Len() {
		if rows.starts != nil && i%ahead == 0 { // else they come as they lie
			_, sum := rows.warmPairs(i, min(ahead, rows.Len()-i))
			w.sink += sum
		}
		it := weight{rows.bytes(i), i}
		if full && rows.compareWeights(it, best[n-1]) > 0 {
			continue
		}
		if best = append(best, it); len(best) == cap(best) {
			slices.SortFunc(best, rows.compareWeights)
			best, full = best[:n], true
		}
	}
	slices.SortFunc(best, rows.compareWeights)
	heavy := make([]Heavy, min(n, len(best)))
	var c Conversation
	for k := range heavy {
		rows.read(best[k].i, &c, sums)
		h := &heavy[k]
		h.Source, h.Target = c.Ends()
		h.Sent, h.Received = c.Totals()
		h.Service = c.Service()
	}
	return heavy
}

// bytes are those of both directions of conversation i.
func (r *Rows) bytes(i int) (n uint64) {
	for _, f := range r.refsOf(i) {
		p, q := r.w.part(f), r.w.pair(f)
		for d := range q.sides {
			s := &q.sides[d]
			n += uint64(s.bytes)
			if s.busy != 0 {
				n += p.busy.at(s.busy).bytes
			}
		}
	}
	return n
}

// compareWeights puts those with more first, then in the order of hashes and addresses:
// one that does not depend on the shards. Few are alike, so nothing is looked up before it
// is needed.
func (r *Rows) compareWeights(a, b weight) int {
	if a.bytes != b.bytes {
		return cmp.Compare(b.bytes, a.bytes)
	}
	if h, o := r.Hash(a.i), r.Hash(b.i); h != o {
		return cmp.Compare(h, o)
	}
	p, q := r.w.pair(r.refsOf(a.i)[0]), r.w.pair(r.refsOf(b.i)[0])
	return cmp.Or(p.lo.Compare(q.lo), p.hi.Compare(q.hi))
}
