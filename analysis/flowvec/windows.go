package flowvec

import (
	"time"

	"pcapdir/analysis/pages"
	"pcapdir/source/packet"
)

// Windows keeps the last panes and joins them into windows. One goroutine owns
// it. Panes stay as the shards left them; what is sorted, merged and joined are
// references to their pairs. A conversation is put together when it is read.
type Windows struct {
	pane  time.Duration
	keep  time.Duration // the longest window
	quiet int64
	panes []closedPane // in time order, without those that had no packets
	lost  Loss

	parts []*Pane // of all panes; a reference says which
	first uint32  // number of parts[0]; numbers only rise

	newest []ref    // of the last pane, as they lie in memory
	sorted []ref    // the same in order
	all    []ref    // of all panes, in order
	spare  []ref    // where the next of them is made
	starts []uint32 // of the rows in hand
	begins []uint32 // of the rows of the last pane
	latest Rows     // these, once they were asked for
	picked []ref    // of a window that is neither
	sink   uint32   // of what was read ahead: else it would not be read
}

// closedPane is one pane's place among all.
type closedPane struct {
	end      packet.Time
	part     uint32 // number of its first part
	complete bool
}

// NewWindows makes windows of panes, none longer than longest.
func NewWindows(pane, longest time.Duration) *Windows {
	return &Windows{pane: pane, keep: longest, quiet: quietSlots(Config{Pane: pane}.slot())}
}

// Push adds the pane that ends at end, later than all before it, and takes over
// its parts, which may be nil and come in any order. complete says that nothing
// is known to be missing from it.
func (w *Windows) Push(end packet.Time, parts []*Pane, complete bool) {
	w.forget(end.Add(-w.keep))
	lost := w.add(end, parts)
	w.lost.add(lost)
	pane := &w.panes[len(w.panes)-1]
	pane.complete = complete && lost == Loss{}
	w.recall(pane.part)
}

// add makes a pane the newest, and says what the bounds cost.
func (w *Windows) add(end packet.Time, parts []*Pane) (lost Loss) {
	w.panes = append(w.panes, closedPane{end: end, part: w.first + uint32(len(w.parts))})
	lost = w.take(parts)
	w.sortNewest()
	w.merge()
	w.latest = Rows{}
	return lost
}

// Lost is what the tables' bounds cost since the start.
func (w *Windows) Lost() Loss { return w.lost }

// forget drops the panes that ended by oldest, and gives their memory back.
func (w *Windows) forget(oldest packet.Time) {
	gone := 0
	for gone < len(w.panes) && w.panes[gone].end <= oldest {
		gone++
	}
	until := w.first + uint32(len(w.parts))
	if gone < len(w.panes) {
		until = w.panes[gone].part
	}
	n := until - w.first
	for _, p := range w.parts[:n] {
		p.release()
	}
	w.parts = append(w.parts[:0], w.parts[n:]...)
	w.first, w.panes = until, append(w.panes[:0], w.panes[gone:]...)
}

// take makes references to all pairs of the parts, but those for whose like
// another part had no room, and says what the bounds cost.
func (w *Windows) take(parts []*Pane) (lost Loss) {
	limit, size := ^uint64(0), 0
	for _, p := range parts {
		if p != nil {
			limit, size = min(limit, p.limit), size+int(p.pairs.n)
			lost.add(p.Lost)
		}
	}
	w.newest = pages.Sized(w.newest, size)[:0]
	for _, p := range parts {
		if p == nil {
			continue
		}
		number, ranks := w.first+uint32(len(w.parts)), p.cfg.ranks()
		w.parts = append(w.parts, p)
		for place := uint32(1); place <= p.pairs.n; place++ {
			q := p.pairs.at(place)
			hash := conversationHash(&q.lo, &q.hi)
			if p.limit > limit && ranks.hash(&q.lo, &q.hi) >= limit {
				lost.Pairs++
				lost.Packets += p.packets(q)
				continue
			}
			w.newest = append(w.newest, ref{hash: hash, part: number, place: place})
		}
	}
	return lost
}

// recall lets each conversation of the newest pane, whose first part is given,
// begin where its life began, for as long as it lives: until it was silent for
// the longest window. Without that a long connection would turn round whenever
// a window begins with a reply. Panes before say it, as it was recalled to them.
func (w *Windows) recall(newest uint32) {
	if len(w.panes) == 1 {
		return
	}
	rows := w.rows(w.all, &w.starts)
	for i := range rows.Len() {
		refs := rows.refsOf(i)
		if refs[0].part >= newest || refs[len(refs)-1].part < newest {
			continue
		}
		b := w.began(refs)
		if b.part >= newest {
			continue
		}
		for k := len(refs) - 1; refs[k].part >= newest; k-- {
			w.part(refs[k]).recall(refs[k].place, b)
		}
	}
}

// Window joins the panes of the window of that length that ends with the last
// pane pushed, into conversations, each once, in no order that means anything.
// complete says that all its panes are there and complete; a pane without
// packets counts as missing. The rows hold until the next Push or Window.
func (w *Windows) Window(length time.Duration) (rows Rows, complete bool) {
	from := len(w.panes)
	end := w.panes[from-1].end
	complete = true
	for from > 0 && w.panes[from-1].end > end.Add(-length) {
		from--
		complete = complete && w.panes[from].complete
	}
	complete = complete && len(w.panes)-from == int(length/w.pane)
	switch from {
	case len(w.panes) - 1:
		return w.newestRows(), complete
	case 0:
		return w.rows(w.all, &w.starts), complete
	}
	w.picked = w.picked[:0]
	for _, r := range w.all {
		if r.part >= w.panes[from].part {
			w.picked = append(w.picked, r)
		}
	}
	return w.rows(w.picked, &w.starts), complete
}
