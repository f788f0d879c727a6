package anomaly

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"pcapdir/analysis/flowvec"
)

// A crowd is many alike: what one actor does with one service. Of each crowd and
// window only flowvec.CrowdShare are learned: those with the lowest lots.

// outside is the lot of a row that does not stand for the window, and anyLot the
// highest of those that do.
const (
	outside = math.MaxUint64
	anyLot  = outside - 1
)

// draw gives each row its lot, the same conversation another one in every
// window, and leaves out what is too many of a crowd.
func (win *window) draw(seed uint64) {
	rows := win.context.Rows()
	counts := cleared(win.counts, win.context.Crowds())
	for i := range win.lots {
		win.lots[i] = min(anyLot, sampleHash(rows.Hash(i), win.end, seed))
		counts[win.context.Crowd(i)]++
	}
	win.counts = counts
	large := map[uint32]*lowestLots{}
	for i, lot := range win.lots {
		crowd := win.context.Crowd(i)
		if counts[crowd] <= flowvec.CrowdShare {
			continue
		}
		in := large[crowd]
		if in == nil {
			in = &lowestLots{win: win}
			large[crowd] = in
		}
		if left := in.take(drawn{lot, i}); left.row >= 0 {
			win.lots[left.row] = outside
		}
	}
}

// drawn is a row and its lot.
type drawn struct {
	lot uint64
	row int
}

// compare orders rows by their lots. That two conversations share one takes
// addresses made for it; then those decide, never the order of rows.
func (win *window) compare(a, b drawn) int {
	if a.lot != b.lot {
		return cmp.Compare(a.lot, b.lot)
	}
	return win.compareEnds(a.row, b.row)
}

// lowestLots is a heap of the lowest lots of a crowd, the highest of them first.
type lowestLots struct {
	win  *window
	list []drawn
}

func (l *lowestLots) Len() int           { return len(l.list) }
func (l *lowestLots) Less(i, j int) bool { return l.win.compare(l.list[i], l.list[j]) > 0 }
func (l *lowestLots) Swap(i, j int)      { l.list[i], l.list[j] = l.list[j], l.list[i] }

// Push is there for the interface.
func (l *lowestLots) Push(x any) { l.list = append(l.list, x.(drawn)) }

// Pop is there for the interface.
func (l *lowestLots) Pop() any {
	last := l.list[len(l.list)-1]
	l.list = l.list[:len(l.list)-1]
	return last
}

// take adds a row and returns the one that is too many, or one with row -1.
func (l *lowestLots) take(d drawn) (left drawn) {
	if len(l.list) < flowvec.CrowdShare {
		heap.Push(l, d)
		return drawn{row: -1}
	}
	if top := l.list[0]; l.win.compare(d, top) < 0 {
		l.list[0] = d
		heap.Fix(l, 0)
		return top
	}
	return d
}

// samples are the vectors of the most rows with the lowest lots, up to a highest, in
// their order, without those held back.
func (win *window) samples(most int, highest uint64, held []bool) []*sample {
	chosen := win.lowest(most, highest, held)
	out := make([]*sample, len(chosen))
	for i, e := range chosen {
		s := &sample{hash: e.lot, end: win.end, service: win.context.Service(e.row)}
		s.packets = win.reader.Vector(e.row, &s.vector)
		out[i] = s
	}
	return out
}

// lowest are the most rows with the lowest lots, up to a highest. Lots are spread evenly,
// so a limit is soon found below which there are enough but not many more.
func (win *window) lowest(most int, highest uint64, held []bool) (chosen []drawn) {
	limit := highest
	if n := win.len(); n > most {
		limit = min(limit, uint64(float64(anyLot)*float64(most)/float64(n)))
	}
	for {
		chosen = chosen[:0]
		for i, lot := range win.lots {
			if lot <= limit && !held[i] {
				chosen = append(chosen, drawn{lot, i})
			}
		}
		if len(chosen) >= most || limit >= highest {
			break
		}
		if limit > highest/2 {
			limit = highest
		} else {
			limit = min(limit/2*3+1, highest)
		}
	}
	slices.SortFunc(chosen, win.compare)
	return chosen[:min(most, len(chosen))]
}
