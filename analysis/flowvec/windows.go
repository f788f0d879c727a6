package flowvec

import (
	"slices"
	"time"

	"pcapdir/source/packet"
)

// Windows keeps the last panes and joins them into windows. One goroutine owns it.
type Windows struct {
	pane  time.Duration
	keep  time.Duration // the longest window
	panes []closedPane  // in time order, without those that had no packets
	lives []life
	lost  Loss
}

// closedPane is one pane's conversations, in their order.
type closedPane struct {
	end      packet.Time
	rows     []Conversation
	complete bool
}

// life remembers who began a conversation for as long as it lives: until it
// was silent for the longest window. Without it a long connection would turn
// round whenever a window begins with a reply.
type life struct {
	key
	from beginning
	seen packet.Time // end of the last pane that had it
}

// NewWindows makes windows of panes, none longer than longest.
func NewWindows(pane, longest time.Duration) *Windows {
	return &Windows{pane: pane, keep: longest}
}

// Push adds the pane that ends at end, later than all before it. complete says
// that nothing is known to be missing from it.
func (w *Windows) Push(end packet.Time, parts []*Pane, complete bool) {
	rows, lost := Merge(parts)
	w.lost = Loss{w.lost.Pairs + lost.Pairs, w.lost.Packets + lost.Packets, w.lost.Flows + lost.Flows}
	gone := 0
	for gone < len(w.panes) && w.panes[gone].end <= end.Add(-w.keep) {
		gone++
	}
	w.panes = append(slices.Delete(w.panes, 0, gone), closedPane{end, rows, complete && lost == Loss{}})
	w.remember(rows, end)
}

// Lost is what the tables' bounds cost since the start.
func (w *Windows) Lost() Loss { return w.lost }

// remember walks the living and the pane's conversations together, both in
// order, and lets each of the pane's begin where its life began.
func (w *Windows) remember(rows []Conversation, end packet.Time) {
	next := make([]life, 0, max(len(rows), len(w.lives)))
	old := w.lives
	oldest := end.Add(-w.keep)
	for i := range rows {
		r := &rows[i]
		for len(old) > 0 && old[0].compare(&r.key) < 0 {
			next = appendLiving(next, old[0], oldest)
			old = old[1:]
		}
		if len(old) > 0 && old[0].compare(&r.key) == 0 {
			if old[0].seen > oldest && old[0].from.compare(&r.from.origin) < 0 {
				r.from = old[0].from
			}
			old = old[1:]
		}
		next = append(next, life{r.key, r.from, end})
	}
	for _, l := range old {
		next = appendLiving(next, l, oldest)
	}
	w.lives = next
}

func appendLiving(to []life, l life, oldest packet.Time) []life {
	if l.seen > oldest {
		to = append(to, l)
	}
	return to
}

// Window joins the panes of the window of that length that ends with the last
// pane pushed, into conversations in their order. complete says that all its
// panes are there and complete; a pane without packets counts as missing. The
// rows are to be read only, and hold until the next Push.
func (w *Windows) Window(length time.Duration) (rows []Conversation, complete bool) {
	end := w.panes[len(w.panes)-1].end
	from := len(w.panes)
	complete = true
	for from > 0 && w.panes[from-1].end > end.Add(-length) {
		from--
		complete = complete && w.panes[from].complete
	}
	in := w.panes[from:]
	complete = complete && len(in) == int(length/w.pane)
	if len(in) == 1 {
		return in[0].rows, complete
	}
	return w.joined(in), complete
}

// joined merges the panes' sorted rows; those of one conversation in time order.
func (w *Windows) joined(panes []closedPane) []Conversation {
	quiet := quietSlots(Config{Pane: w.pane}.slot())
	heads := make([][]Conversation, len(panes))
	most := 0
	for i := range panes {
		heads[i] = panes[i].rows
		most = max(most, len(heads[i]))
	}
	rows := make([]Conversation, 0, most*5/4)
	for {
		var least *Conversation
		for _, h := range heads {
			if len(h) > 0 && (least == nil || h[0].compare(&least.key) < 0) {
				least = &h[0]
			}
		}
		if least == nil {
			return rows
		}
		rows = append(rows, Conversation{key: least.key})
		row := &rows[len(rows)-1]
		for i, h := range heads {
			if len(h) > 0 && h[0].compare(&row.key) == 0 {
				row.join(&h[0], quiet)
				heads[i] = h[1:]
			}
		}
	}
}
