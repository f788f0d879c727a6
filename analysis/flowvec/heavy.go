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
	hash  uint64
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
	compare := func(a, b weight) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.hash, b.hash), rows.compareEnds(a.i, b.i))
	}
	best := make([]weight, 0, 2*n)
	full := false // then the last of the first n is what others must beat
	for i := range rows.Len() {
		it := weight{rows.bytes(i), rows.Hash(i), i}
		if full && compare(it, best[n-1]) > 0 {
			continue
		}
		if best = append(best, it); len(best) == cap(best) {
			slices.SortFunc(best, compare)
			best, full = best[:n], true
		}
	}
	slices.SortFunc(best, compare)
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
			n += uint64(q.sides[d].bytes)
			if q.busy[d] != 0 {
				n += p.busy.at(q.busy[d]).bytes
			}
		}
	}
	return n
}

// compareEnds puts conversations in the order of their addresses.
func (r *Rows) compareEnds(i, j int) int {
	a, b := r.w.pair(r.refsOf(i)[0]), r.w.pair(r.refsOf(j)[0])
	return cmp.Or(a.lo.Compare(b.lo), a.hi.Compare(b.hi))
}
