package anomaly

import (
	"cmp"
	"container/heap"
	"iter"
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
		if top := &tops[win.context.Actor(i)]; !win.context.Incidental(i) && (*top == 0 || win.farther(i, int(*top-1))) {
			*top = uint32(i + 1)
		}
	}
	win.counts = tops
	all := incidents{win, win.heap[:0]}
	for actor, top := range tops {
		if top != 0 {
			all.list = append(all.list, incident{uint32(actor), int(top - 1)})
		}
	}
	win.heap = all.list
	heap.Init(&all)
	return func(yield func(incident) bool) {
		for len(all.list) > 0 && yield(heap.Pop(&all).(incident)) {
		}
	}
}

// incidents is a heap, the farthest first: few of them are looked at.
type incidents struct {
	win  *window
	list []incident
}

func (h *incidents) Len() int           { return len(h.list) }
func (h *incidents) Less(i, j int) bool { return h.win.farther(h.list[i].top, h.list[j].top) }
func (h *incidents) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }

// Push is there for the interface.
func (h *incidents) Push(x any) { h.list = append(h.list, x.(incident)) }

// Pop is there for the interface.
func (h *incidents) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// farther puts rows in the order of a report.
func (win *window) farther(i, j int) bool {
	if win.distance[i] != win.distance[j] {
		return win.distance[i] > win.distance[j]
	}
	return win.compareEnds(i, j) < 0
}

func (win *window) compareEnds(i, j int) int {
	si, ti := win.context.Ends(i)
	sj, tj := win.context.Ends(j)
	return cmp.Or(si.Compare(sj), ti.Compare(tj))
}
