package conn

import (
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// A snapshot has what trackers know between two instants: all packets before event
// time now were handled and told to Advance, none of now or later was. It does not say
// on which shard a connection was: what N trackers saved, M others take up.
//
// Each connection is written as it lies in memory, and behind it what it has apart:
// the numbers that it has for that only say that there is some. Not written is
//
//	the wheel, the table  the deadline and the tag say it all
//	showings              instants follow from the first packet's, see nextShowing
//	evictions             those of an instant make uids of that instant (see again), and
//	                      instants are not cut; the hands may as well begin anew

// snapshotHead is what a snapshot of a Tracker begins with.
type snapshotHead struct {
	speech     uint64 // dpd.Digest: what numbers in dpd.Speech mean
	plain, tcp int    // how many flows follow, first the plain ones
	links      bool   // each has a savedLink
}

// savedLink is the link of a flow, if seen.id is not 0: numbers are given anew in each
// process, so it is written in full.
type savedLink struct {
	seen seenLink
	link packet.Link
}

// Save writes what t knows to w. Its last call was Advance, to the same time for all
// trackers of which the snapshot is.
func (t *Tracker) Save(w *snap.Writer) {
	w.Put(&snapshotHead{dpd.Digest(), t.flows.plain.live(), t.flows.tcp.live(), t.deps.Link != nil})
	t.flows.each(func(i uint32) {
		f := t.flows.at(i)
		if f.bucket == noBucket {
			return
		}
		if i < tcpIndex {
			w.Put(t.flows.plain.at(i))
		} else {
			w.Put(t.flows.tcp.at(i - tcpIndex))
		}
		t.saveApart(w, i, f)
	})
	w.Put(&t.plain, &t.sweepPlain)
}

// saveApart writes what flow i has apart.
func (t *Tracker) saveApart(w *snap.Writer, i uint32, f *flow) {
	if t.deps.Link != nil {
		var l savedLink
		if seen, ok := t.links[i]; ok {
			l = savedLink{seen, t.deps.Link(seen.id)}
		}
		w.Put(&l)
	}
	switch {
	case f.rare == 0:
	case f.proto == packet.TCP:
		w.Put(t.tcpRares.at(f.rare))
	default:
		w.Put(t.rares.at(f.rare))
	}
	if f.histNext != 0 {
		more := t.appendHistory(nil, f)[f.histLen:]
		w.Put(&more)
	}
	if f.marks&markTunneled != 0 {
		parents := t.parents[i]
		w.Put(&parents)
	}
	if i < tcpIndex {
		return
	}
	s := f.stream()
	for role := range s.end {
		if e := &s.end[role]; e.pending != 0 {
			ranges := t.ranges(e)
			w.Put(&ranges)
		}
	}
}

// ranges are the pending ranges of a side, which has some, in their order.
func (t *Tracker) ranges(e *endpoint) (list [][2]uint64) {
	for at := e.pending; ; {
		r := t.spans.at(at)
		list = append(list, [2]uint64{r.lo, r.hi})
		if at = r.next; at == e.pending {
			return list
		}
	}
}
