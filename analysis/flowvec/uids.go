package flowvec

import (
	"bytes"
	"iter"

	"pcapdir/analysis/logs"
)

// maxUIDs is how many connections of a conversation a report can name.
const maxUIDs = 5

// uidList is the least connections by (first tick, uid), in that order.
type uidList struct {
	n     uint32
	since [maxUIDs]uint32
	uids  [maxUIDs]logs.UID
}

// add puts one connection in its place; of the same uid the earliest stays.
func (l *uidList) add(since uint32, uid logs.UID) {
	n := int(l.n)
	if n == maxUIDs && since > l.since[n-1] {
		return
	}
	for i := range n {
		if l.uids[i] == uid {
			if l.since[i] <= since {
				return
			}
			copy(l.since[i:n-1], l.since[i+1:n])
			copy(l.uids[i:n-1], l.uids[i+1:n])
			n--
			break
		}
	}
	at := n
	for at > 0 && l.after(at-1, since, uid) {
		at--
	}
	if at == maxUIDs {
		return
	}
	n = min(n+1, maxUIDs)
	copy(l.since[at+1:n], l.since[at:n-1])
	copy(l.uids[at+1:n], l.uids[at:n-1])
	l.since[at], l.uids[at], l.n = since, uid, uint32(n)
}

// after says whether entry i belongs behind (since, uid).
func (l *uidList) after(i int, since uint32, uid logs.UID) bool {
	if l.since[i] != since {
		return l.since[i] > since
	}
	return bytes.Compare(l.uids[i][:], uid[:]) > 0
}

// name adds a connection to those of q.
func (t *Table) name(q *pair, tick uint32, uid logs.UID) {
	if uid != q.uid {
		t.offer(q, tick, uid)
		q.uid = uid
	}
}

// offer adds a connection to those of q, which may have it already, and since later.
func (s *slabs) offer(q *pair, since uint32, uid logs.UID) {
	switch {
	case q.flags&listed != 0:
		s.lists.at(q.since).add(since, uid)
	case q.uid == logs.UID{}:
		q.uid, q.since = uid, since
	case q.uid == uid:
		q.since = min(q.since, since)
	default:
		place, l := s.lists.add()
		l.add(q.since, q.uid)
		l.add(since, uid)
		q.since, q.flags = place, q.flags|listed
	}
}

// connections are those of q that are remembered, with the ticks at which they were first seen.
func (s *slabs) connections(q *pair) iter.Seq2[uint32, logs.UID] {
	return func(yield func(uint32, logs.UID) bool) {
		if q.flags&listed == 0 {
			if q.uid != (logs.UID{}) {
				yield(q.since, q.uid)
			}
			return
		}
		l := s.lists.at(q.since)
		for i := range l.n {
			if !yield(l.since[i], l.uids[i]) {
				return
			}
		}
	}
}
