//go:build invariants

package conn

import (
	"fmt"
	"math/bits"

	"pcapdir/source/packet"
)

// What must hold of a Tracker between two calls, whatever packets came:
//
//	index    every open flow has one slot of the table, under its own tag, that a
//	         search from the tag's home reaches; no other slot is taken
//	timers   every open flow has one seat, in a bucket that comes up no later than its
//	         deadline; all rosters of a bucket but the first are full; a bucket is
//	         marked as occupied if it has a roster
//	deadline no flow ends before its own rules say so
//	spans    pending ranges are in order, apart, above what was reassembled, and
//	         sum up to what is kept with the lowest
//	memory   what the open flows refer to is all that is in use
//	room     a flow is passed over where one must end for another only if it is
//	         established, and the places that are not are counted
//
// crossCheck panics where something of this does not hold. It walks everything, so
// it does so for every packet of a small table, and now and then for a large one.
func (t *Tracker) crossCheck() {
	const small, now = 64, 4096
	if t.checks++; t.table.n > small && t.checks%now != 0 {
		return
	}
	seats := t.checkTimers()
	t.checkIndex(seats)
	var used usage
	for i := range seats {
		t.checkFlow(i, &used)
	}
	t.checkMemory(len(seats), used)
	t.checkVictims(&t.bounds.plain.victims, 0)
	t.checkVictims(&t.bounds.tcp.victims, tcpIndex)
}

func breach(format string, args ...any) { panic("conn: " + fmt.Sprintf(format, args...)) }

// checkTimers walks the wheel; what has a seat is open.
func (t *Tracker) checkTimers() map[uint32]bool {
	w := &t.wheel
	seats := map[uint32]bool{}
	for level := range w.heads {
		for bucket, head := range w.heads[level] {
			if (head != 0) != (w.occupied[level]&(1<<bucket) != 0) {
				breach("bucket %d of level %d is marked wrongly", bucket, level)
			}
			for at, first := head, true; at != 0; at, first = w.rosters.at(at).next, false {
				r := w.rosters.at(at)
				if r.n == 0 || r.n > rosterLen || !first && r.n < rosterLen {
					breach("roster %d has %d seats taken", at, r.n)
				}
				for seat, i := range r.flows[:r.n] {
					f := t.flows.at(i)
					if f.bucket != uint16(level*bucketCount+bucket) || f.roster != at || int(f.seat) != seat || seats[i] {
						breach("flow %d is not where roster %d has it", i, at)
					}
					if tickOf(f.deadline) < w.bucketStart(level, uint64(bucket)) {
						breach("flow %d is due before its bucket", i)
					}
					seats[i] = true
				}
			}
		}
	}
	return seats
}

// checkIndex walks the table.
func (t *Tracker) checkIndex(seats map[uint32]bool) {
	mask, found := len(t.table.slots)-1, map[uint32]bool{}
	for at, slot := range t.table.slots {
		if slot == 0 {
			continue
		}
		i, tag := uint32(slot), uint32(slot>>32)
		if found[i] || !seats[i] || t.flows.at(i).tag != tag {
			breach("slot %d names flow %d wrongly", at, i)
		}
		found[i] = true
		for from := t.table.home(tag); from != at; from = (from + 1) & mask {
			if t.table.slots[from] == 0 {
				breach("slot %d of flow %d is not reached", at, i)
			}
		}
	}
	if len(found) != len(seats) || len(found) != t.table.n {
		breach("%d flows in the table, %d with timers, %d counted", len(found), len(seats), t.table.n)
	}
}

// usage is what flows refer to in the slabs.
type usage struct{ plain, tcp, spans, letters, rares, tcpRares int }

// checkFlow checks one open flow.
func (t *Tracker) checkFlow(i uint32, u *usage) {
	f := t.flows.at(i)
	if f.deadline < t.deadline(f) {
		breach("flow %d is due %d ns early", i, t.deadline(f)-f.deadline)
	}
	for at := f.histNext; at != 0; at = t.letters.at(at).next {
		u.letters++
	}
	if i < tcpIndex {
		u.plain++
		if f.rare != 0 {
			u.rares++
		}
		return
	}
	u.tcp++
	if f.rare != 0 {
		u.tcpRares++
	}
	s := f.stream()
	for role := range s.end {
		u.spans += t.checkSpans(i, &s.end[role])
	}
}

// checkSpans walks the pending ranges of a side.
func (t *Tracker) checkSpans(i uint32, e *endpoint) (n int) {
	if e.pending == 0 {
		return 0
	}
	below, sum := e.reassembled, uint64(0)
	for at := e.pending; ; {
		r := t.spans.at(at)
		if r.lo <= below || r.hi <= r.lo || t.spans.at(r.next).prev != at {
			breach("flow %d: range [%d, %d) behind %d", i, r.lo, r.hi, below)
		}
		n, sum, below = n+1, sum+r.hi-r.lo, r.hi
		if at = r.next; at == e.pending {
			break
		}
	}
	if lowest := t.spans.at(e.pending); int(lowest.count) != n || lowest.sum != sum || n > maxRanges {
		breach("flow %d: %d ranges of %d octets, kept are %d and %d", i, n, sum, lowest.count, lowest.sum)
	}
	return n
}

// checkMemory compares what is in use with what the slabs have handed out.
func (t *Tracker) checkMemory(open int, u usage) {
	for _, c := range []struct {
		name       string
		used, have int
	}{
		{"plain flows", u.plain, t.flows.plain.inUse()}, {"TCP flows", u.tcp, t.flows.tcp.inUse()}, {"ranges", u.spans, t.spans.inUse()},
		{"pieces of histories", u.letters, t.letters.inUse()}, {"oddities", u.rares, t.rares.inUse()}, {"oddities of TCP", u.tcpRares, t.tcpRares.inUse()},
		{"flows", u.plain + u.tcp, open},
	} {
		if c.used != c.have {
			breach("%d %s are referred to, %d are in use", c.used, c.name, c.have)
		}
	}
	for i := range t.parents {
		t.checkOpen(i, "parents")
	}
	for i := range t.links {
		t.checkOpen(i, "a link")
	}
	for n := t.showings.next + 1; n < len(t.showings.list); n++ {
		if t.showings.list[n].at < t.showings.list[n-1].at {
			breach("showing %d is out of order", n)
		}
	}
}

// checkVictims checks which places of a slab are passed over.
func (t *Tracker) checkVictims(v *victims, mark uint32) {
	unsettled := int(v.used)
	for at, word := range v.settled {
		unsettled -= bits.OnesCount64(word)
		for ; word != 0; word &= word - 1 {
			place := uint32(at*64 + bits.TrailingZeros64(word))
			if place > 0 && t.worthOf(t.flows.at(mark+place), -packet.MaxTime) < established {
				breach("flow %d is passed over, though it says little", mark+place)
			}
		}
	}
	if v.unsettled != unsettled {
		breach("%d places may be looked at, %d are counted", unsettled, v.unsettled)
	}
}

func (t *Tracker) checkOpen(i uint32, what string) {
	if t.flows.at(i).bucket == noBucket {
		breach("flow %d, which has ended, has %s", i, what)
	}
}

// inUse is how many elements are handed out.
func (s *slab[T]) inUse() int {
	if s.used == 0 {
		return 0
	}
	return int(s.used) - 1 - len(s.free)
}
