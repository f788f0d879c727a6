package flowvec

import (
	"math/bits"
	"time"

	"pcapdir/source/packet"
)

// activity is when within a pane one direction was heard. Each second is one
// word, so that a packet touches one cache line: a bit for each of its slots,
// and above them the number of its packets, which stops at 4 million (a sum
// that stops still merges in any order). A direction with few packets has none: it
// holds their slots itself.
type activity [slotsPerPane / slotsPerCounter]uint32

const (
	slotBits   = 1<<slotsPerCounter - 1
	onePacket  = 1 << slotsPerCounter
	mostCounts = 1<<(32-slotsPerCounter) - 1
)

func (a *activity) add(slot uint) {
	w := &a[slot/slotsPerCounter]
	*w |= 1 << (slot % slotsPerCounter)
	if *w>>slotsPerCounter != mostCounts {
		*w += onePacket
	}
}

func (a *activity) merge(o *activity) {
	for i, w := range o {
		sum := min(a[i]>>slotsPerCounter+w>>slotsPerCounter, mostCounts)
		a[i] = sum<<slotsPerCounter | (a[i]|w)&slotBits
	}
}

// peak is the most packets in one second.
func (a *activity) peak() (most uint32) {
	for _, w := range a {
		most = max(most, w>>slotsPerCounter)
	}
	return most
}

// bursts sum up runs of activity that silence parts, over a span of whole
// panes. Slots are numbered from the epoch, so spans can be joined in time
// order: a burst that reaches over their border becomes one.
type bursts struct {
	n                   uint64 // bursts
	first, second, last int64  // slots in which they began; second holds from n = 2
	end                 int64  // last active slot
	gaps, gaps2         uint64 // sums of the n-1 distances between beginnings, in slots
}

// burstsOf reads a, whose slot 0 is number base. quiet is how many slots apart
// two packets of different bursts are at least.
func burstsOf(a *activity, base, quiet int64) (b bursts) {
	for w, word := range a {
		for word &= slotBits; word != 0; word &= word - 1 {
			b.hit(base+int64(w*slotsPerCounter+bits.TrailingZeros32(word)), quiet)
		}
	}
	return b
}

// hit adds an active slot, which is not before those that b has.
func (b *bursts) hit(at, quiet int64) {
	switch {
	case b.n == 0:
		b.first = at
	case at-b.end < quiet:
		b.end = at
		return
	default:
		if b.n == 1 {
			b.second = at
		}
		b.addGap(at - b.last)
	}
	b.n++
	b.last, b.end = at, at
}

// peakOf is the most of the slots, in rising order, in one second.
func peakOf(slots []uint16) (most uint32) {
	n, second := uint32(0), uint16(0)
	for _, s := range slots {
		if s/slotsPerCounter != second {
			n, second = 0, s/slotsPerCounter
		}
		n++
		most = max(most, n)
	}
	return most
}

// join appends next, which does not begin before b ends.
func (b *bursts) join(next *bursts, quiet int64) {
	switch {
	case next.n == 0:
		return
	case b.n == 0:
		*b = *next
		return
	}
	n := *next
	if n.first-b.end < quiet { // the same burst goes on
		if n.n == 1 {
			b.end = n.end
			return
		}
		// Its first gap began when the burst did.
		n.dropGap(n.second - n.first)
		n.first, n.n = n.second, n.n-1
	}
	if b.n == 1 {
		b.second = n.first
	}
	b.addGap(n.first - b.last)
	b.n, b.gaps, b.gaps2 = b.n+n.n, b.gaps+n.gaps, b.gaps2+n.gaps2
	b.last, b.end = n.last, n.end
}

func (b *bursts) addGap(g int64)  { b.gaps, b.gaps2 = b.gaps+uint64(g), b.gaps2+uint64(g*g) }
func (b *bursts) dropGap(g int64) { b.gaps, b.gaps2 = b.gaps-uint64(g), b.gaps2-uint64(g*g) }

// quietSlots is how far apart the slots of two packets are at least when more
// than the silence lies between them.
func quietSlots(slot time.Duration) int64 { return max(2, int64(silence/slot)+1) }

// slotIn is the slot of a pane that holds eff. Times outside it count at its borders.
func slotIn(eff, start packet.Time, slot time.Duration) uint {
	return uint(max(0, min(int64(eff.Sub(start)/slot), slotsPerPane-1)))
}

// slotNumber is the number of the slot that holds t.
func slotNumber(t packet.Time, slot time.Duration) int64 {
	return int64(t.Floor(slot)) / int64(slot)
}
