package anomaly

import (
	"cmp"
	"iter"
	"slices"
)

// incident is what one actor did in a window: a reader wants one line for a
// scan, not a thousand.
type incident struct {
	actor uint32 // its number in the window
	top   int    // its farthest row, of those that show what it stands out by
}

// incidents groups the rows by initiator, or by target where many failed at
// it. They come farthest first; among equals by the addresses of the top row.
func (win *window) incidents() iter.Seq[incident] {
	tops := cleared(win.counts, win.context.Actors()) // row + 1
	for i := range win.distance {
		if top := &tops[win.context.Actor(i)]; !win.context.Incidental(i) && (*top == 0 || win.compareFar(i, int(*top-1)) < 0) {
			*top = uint32(i + 1)
		}
	}
	win.counts = tops
	var bins [numBins]int
	for _, top := range tops {
		if top != 0 {
			bins[binOf(win.distance[top-1])]++
		}
	}
	return func(yield func(incident) bool) {
		for above := numBins; above > 0; {
			from := above
			for n := 0; from > 0 && n < someIncidents; n += bins[from] {
				from--
			}
			for _, in := range win.between(tops, from, above) {
				if !yield(in) {
					return
				}
			}
			above = from
		}
	}
}

// someIncidents is how many are put in order at a time, or somewhat more: of
// hundreds of thousands few are looked at.
const someIncidents = 256

// between are the incidents whose distance lies in the bins from one up to another, in order.
func (win *window) between(tops []uint32, from, above int) (some []incident) {
	for actor, top := range tops {
		if top == 0 {
			continue
		}
		if b := binOf(win.distance[top-1]); from <= b && b < above {
			some = append(some, incident{uint32(actor), int(top - 1)})
		}
	}
	slices.SortFunc(some, func(a, b incident) int { return win.compareFar(a.top, b.top) })
	return some
}

// compareFar puts rows in the order of a report.
func (win *window) compareFar(i, j int) int {
	if far := cmp.Compare(win.distance[j], win.distance[i]); far != 0 {
		return far
	}
	return win.compareEnds(i, j)
}

func (win *window) compareEnds(i, j int) int {
	si, ti := win.context.Ends(i)
	sj, tj := win.context.Ends(j)
	return cmp.Or(si.Compare(sj), ti.Compare(tj))
}
