package conn

import "pcapdir/analysis/pages"

// table finds flows by the hash of their tuple: open addressing with linear
// probing over 8-byte slots, the upper half a tag, the lower half the index of
// the flow. The home of a slot is the top bits of its tag, so neither growing nor
// deleting reads the flows.
type table struct {
	slots []uint64
	shift uint // 32 - log2(len(slots))
	n     int
}

// firstSlots is the size of an empty table; a table is kept at most 5/8 full.
const firstSlots = 1 << 10

func newTable() table { return table{slots: make([]uint64, firstSlots), shift: 32 - 10} }

// tagOf spreads a hash into a tag. The multiplication guards against hashes
// whose bits are not all equally good.
func tagOf(hash uint64) uint32 { return uint32((hash * 0x9e3779b97f4a7c15) >> 32) }

func (t *table) home(tag uint32) int { return int(tag >> t.shift) }

// insert adds a flow that is not in the table.
func (t *table) insert(tag, index uint32) {
	if t.n >= len(t.slots)/8*5 {
		t.grow()
	}
	t.n++
	t.place(uint64(tag)<<32 | uint64(index))
}

func (t *table) place(slot uint64) {
	mask := len(t.slots) - 1
	i := t.home(uint32(slot >> 32))
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}

// first is the first index under tag, or 0.
func (t *table) first(tag uint32) uint32 {
	mask := len(t.slots) - 1
	for i := t.home(tag); t.slots[i] != 0; i = (i + 1) & mask {
		if uint32(t.slots[i]>>32) == tag {
			return uint32(t.slots[i])
		}
	}
	return 0
}

func (t *table) grow() {
	old := t.slots
	t.slots = pages.MakeSpread[uint64](2 * len(old))
	t.shift--
	for _, slot := range old {
		if slot != 0 {
			t.place(slot)
		}
	}
}

// remove takes a flow out and closes the hole it leaves: every slot behind it
// moves up unless that would put it before its home (Knuth, 6.4 algorithm R).
func (t *table) remove(tag, index uint32) {
	mask := len(t.slots) - 1
	hole := t.home(tag)
	for t.slots[hole] != uint64(tag)<<32|uint64(index) {
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		home := t.home(uint32(t.slots[i] >> 32))
		if (i-home)&mask >= (i-hole)&mask {
			t.slots[hole] = t.slots[i]
			hole = i
		}
	}
	t.slots[hole] = 0
	t.n--
}
