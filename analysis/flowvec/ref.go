package flowvec

import (
	"cmp"
	"slices"

	"pcapdir/analysis/pages"
)

// ref is one pair of one part.
type ref struct {
	hash  uint64 // of the conversation
	part  uint32
	place uint32
}

// Sorting takes 3 passes over 11 bits of the hash, the highest. What has all
// of those in common, next to nothing, is then sorted by comparing.
const (
	digitBits = 11
	digits    = 3
	ignored   = 64 - digits*digitBits // bits that are not looked at
)

// sortNewest sorts the references of the newest pane by (hash, addresses, part).
func (w *Windows) sortNewest() {
	w.sorted = pages.Sized(w.sorted, len(w.newest))
	if len(w.newest) > 1<<digitBits {
		w.sortDigits()
	} else {
		copy(w.sorted, w.newest)
		slices.SortFunc(w.sorted, func(x, y ref) int { return cmp.Compare(x.hash>>ignored, y.hash>>ignored) })
	}
	a := w.sorted
	for lo := 0; lo < len(a); {
		hi := lo + 1
		for hi < len(a) && a[hi].hash>>ignored == a[lo].hash>>ignored {
			hi++
		}
		if hi-lo > 1 {
			slices.SortFunc(a[lo:hi], w.compare)
		}
		lo = hi
	}
}

func (w *Windows) sortDigits() {
	from, to, next := w.newest, w.sorted, pages.Sized(w.spare, len(w.newest))
	w.spare = next
	var counts [digits][1 << digitBits]uint32
	for i := range from {
		for d := range counts {
			counts[d][from[i].digit(d)]++
		}
	}
	for d := range counts {
		at := uint32(0)
		for i, n := range counts[d] {
			counts[d][i] = at
			at += n
		}
		for i := range from {
			place := &counts[d][from[i].digit(d)]
			to[*place] = from[i]
			*place++
		}
		from, to, next = to, next, to
	}
}

// digit counts from the lowest that is sorted by.
func (r *ref) digit(d int) uint64 {
	return r.hash >> (ignored + d*digitBits) & (1<<digitBits - 1)
}

// compare orders references: by conversation, then by part, which is time
// order. Parts of one pane merge in any order.
func (w *Windows) compare(a, b ref) int {
	if a.hash != b.hash {
		return cmp.Compare(a.hash, b.hash)
	}
	p, q := w.pair(a), w.pair(b)
	return cmp.Or(p.lo.Compare(q.lo), p.hi.Compare(q.hi), cmp.Compare(a.part, b.part))
}

// merge makes all of what it was, less the panes that went, and the newest.
func (w *Windows) merge() {
	old, fresh := w.all, w.sorted
	out := pages.Sized(w.spare, len(old)+len(fresh))[:0]
	for _, r := range old {
		if r.part < w.first {
			continue
		}
		for len(fresh) > 0 && (fresh[0].hash < r.hash || fresh[0].hash == r.hash && w.compare(fresh[0], r) < 0) {
			out = append(out, fresh[0])
			fresh = fresh[1:]
		}
		out = append(out, r)
	}
	w.all, w.spare = append(out, fresh...), w.all
}
