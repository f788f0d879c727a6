package conn

import (
	"slices"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Provisional records show connections that live long before they end: as they
// stand whenever another Config.OpenInterval of event time has passed since their
// first packet. What is shown at an instant are the packets until then, those of the
// instant itself included, so a record depends on the connection's own packets
// alone. The instant at which the input ends is no such instant: all ends in it.

// showing is an instant at which a flow is to be shown, if it is still open.
type showing struct {
	at   packet.Time
	flow uint32
	uid  logs.UID // the flow's, which may be another's by then
}

// showings are in order of their instants: flows open in that order, and all of
// them wait for the same time.
type showings struct {
	list []showing
	next int // of list
}

// addShowing adds an instant. Flows that have ended leave theirs behind; when most
// may be such, they are taken out: what waits is bounded by what is open.
func (t *Tracker) addShowing(at packet.Time, i uint32, uid logs.UID) {
	s := &t.showings
	if waiting := len(s.list) - s.next; waiting >= t.showingsLimit() {
		s.list, s.next = slices.DeleteFunc(slices.Delete(s.list, 0, s.next), func(w showing) bool { return !t.lives(w) }), 0
	}
	s.list = append(s.list, showing{at, i, uid})
}

// showingsLimit is how many instants may wait.
func (t *Tracker) showingsLimit() int { return max(1024, 2*t.table.n) }

// lives says whether the flow of an instant is still in the table.
func (t *Tracker) lives(s showing) bool {
	f := t.flows.at(s.flow)
	return f.uid == s.uid && f.bucket != noBucket
}

// first is the first instant, if there is one.
func (s *showings) first() (at packet.Time, ok bool) {
	if s.next == len(s.list) {
		return 0, false
	}
	return s.list[s.next].at, true
}

// take takes out the first if it is before end.
func (s *showings) take(end packet.Time) (showing, bool) {
	if s.next == len(s.list) || s.list[s.next].at >= end {
		return showing{}, false
	}
	first := s.list[s.next]
	if s.next++; s.next > len(s.list)/2 {
		s.list, s.next = slices.Delete(s.list, 0, s.next), 0
	}
	return first, true
}

// show emits the provisional records of instants before end. No packet behind such
// an instant was handled yet, and all until then were.
func (t *Tracker) show(end packet.Time) {
	for {
		s, ok := t.showings.take(end)
		if !ok {
			return
		}
		f := t.flows.at(s.flow)
		if !t.lives(s) || f.deadline <= s.at {
			continue // it has ended, or ends at once
		}
		t.emitting = t.parents[s.flow]
		c := t.record(f)
		t.recordLink(s.flow, f, c)
		t.deps.Open(s.at, c)
		t.addShowing(after(s.at, t.cfg.OpenInterval), s.flow, s.uid)
	}
}
