package flowvec

import (
	"math/bits"

	"pcapdir/analysis/pages"
)

// places numbers keys from 0 as they come, by open addressing with linear
// probing. It is emptied and filled again for each window.
type places[K comparable, V any] struct {
	slots []uint64 // half a hash, and the number + 1
	shift uint     // from 32 bits of hash to a slot
	list  []entry[K, V]
	hash  func(K) uint64
}

// entry is what is known of a key, beside it: one miss where two slices take two.
type entry[K comparable, V any] struct {
	key   K
	value V
}

// reset forgets all keys, with room for n before it must grow.
func (p *places[K, V]) reset(n int) {
	size := max(leastSlots, 1<<bits.Len(uint(n)))
	p.slots = pages.Sized(p.slots, size)
	clear(p.slots)
	p.shift = 32 - uint(bits.TrailingZeros(uint(size)))
	p.list = pages.Sized(p.list, n)[:0]
}

// home is where the search for a hash begins.
func (p *places[K, V]) home(h uint64) uint32 { return uint32(h>>32) >> p.shift }

// of is the number of k.
func (p *places[K, V]) of(k K) uint32 {
	h := p.hash(k)
	mask := uint32(len(p.slots) - 1)
	for i := p.home(h); ; i++ {
		slot := &p.slots[i&mask]
		if *slot == 0 {
			p.list = append(p.list, entry[K, V]{key: k})
			*slot = h>>32<<32 | uint64(len(p.list))
			if len(p.list) > len(p.slots)/4*3 {
				p.grow()
			}
			return uint32(len(p.list) - 1)
		}
		if *slot>>32 == h>>32 && p.list[uint32(*slot)-1].key == k {
			return uint32(*slot) - 1
		}
	}
}

// at is what is known of the key with that number.
func (p *places[K, V]) at(n uint32) *V { return &p.list[n].value }

func (p *places[K, V]) grow() {
	old := p.slots
	p.slots = pages.MakeSpread[uint64](2 * len(old))
	p.shift--
	mask := uint32(len(p.slots) - 1)
	for _, s := range old {
		i := p.home(s)
		for s != 0 && p.slots[i&mask] != 0 {
			i++
		}
		if s != 0 {
			p.slots[i&mask] = s
		}
	}
}
