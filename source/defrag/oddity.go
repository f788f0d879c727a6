package defrag

import "pcapdir/source/packet"

// Oddities is a set of what can be odd about a fragment: packet.OddFragmentOverlap
// and those behind it.
type Oddities uint8

func (o *Oddities) add(d packet.Drop) { *o |= 1 << (d - packet.OddFragmentOverlap) }

// All calls yield for each oddity of the set, in the order of their numbers.
func (o Oddities) All(yield func(packet.Drop) bool) {
	for d := packet.OddFragmentOverlap; o != 0; d, o = d+1, o>>1 {
		if o&1 != 0 && !yield(d) {
			return
		}
	}
}
