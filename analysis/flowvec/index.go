package flowvec

import (
	"hash/maphash"
	"math/bits"

	"pcapdir/analysis/pages"
	"pcapdir/source/packet"
)

// index finds pairs by open addressing with linear probing: half a hash and a
// place in each slot, so that it grows without looking at the pairs.
type index struct {
	slots []uint64
	shift uint // from 32 bits of hash to a slot
	n     int
	seeds seeds
}

// seeds make a hash of two addresses that nobody can aim at who does not know them.
type seeds [4]uint64

func (s *seeds) hash(lo, hi *packet.Addr) uint64 {
	ah, al := lo.Words()
	bh, bl := hi.Words()
	return mix(mix(ah^s[0], al^s[1])^mix(bh^s[2], bl^s[3]), 0x9e3779b97f4a7c15^s[0])
}

func newIndex(seed maphash.Seed) index {
	x := index{slots: make([]uint64, leastSlots), shift: 32 - 8}
	for i := range x.seeds {
		x.seeds[i] = maphash.Comparable(seed, i+1)
	}
	return x
}

// hash is seeded anew in every process: it decides where a pair lies, never
// what is reported.
func (x *index) hash(lo, hi *packet.Addr) uint64 { return x.seeds.hash(lo, hi) }

func (x *index) home(hash uint64) uint32 { return uint32(hash>>32) >> x.shift }

func (x *index) slot(i uint32) *uint64 { return &x.slots[int(i)&(len(x.slots)-1)] }

func (x *index) put(slot *uint64, hash uint64, place uint32) {
	*slot = hash>>32<<32 | uint64(place)
	x.n++
}

// full says that one more would make searches long.
func (x *index) full() bool { return x.n+1 > len(x.slots)/4*3 }

func (x *index) grow() {
	old := x.slots
	x.slots = pages.MakeSpread[uint64](2 * len(old))
	x.shift--
	for _, s := range old {
		if s != 0 {
			*x.free(s) = s
		}
	}
}

// free is a slot for a hash that is not there.
func (x *index) free(hash uint64) *uint64 {
	i := x.home(hash)
	for *x.slot(i) != 0 {
		i++
	}
	return x.slot(i)
}

// move gives each pair its new place, and forgets those that have none, 0. Slot after
// slot is emptied and filed anew, from one on that was empty: so what is filed meets none
// that is still to be looked at (Knuth, 6.4).
func (x *index) move(moved []uint32) {
	first := uint32(0)
	for *x.slot(first) != 0 {
		first++
	}
	x.n = 0
	for i := range uint32(len(x.slots)) {
		slot := x.slot(first + i)
		if *slot == 0 {
			continue
		}
		hash, to := *slot, moved[uint32(*slot)-1]
		if *slot = 0; to != 0 {
			x.put(x.free(hash), hash, to)
		}
	}
}

// reset forgets all. An index much larger than it needed to be shrinks by half.
func (x *index) reset() {
	if len(x.slots) > leastSlots && x.n < len(x.slots)/8 {
		x.slots = pages.MakeSpread[uint64](len(x.slots) / 2)
		x.shift = 32 - uint(bits.TrailingZeros(uint(len(x.slots))))
	} else {
		clear(x.slots)
	}
	x.n = 0
}

// inOrder are a packet's addresses in order, and which of them sent it.
func inOrder(p *packet.Packet) (lo, hi *packet.Addr, side uint8) {
	if src, dst := p.Src.Decisive(&p.Dst); src > dst {
		return &p.Dst, &p.Src, 1
	}
	return &p.Src, &p.Dst, 0
}
