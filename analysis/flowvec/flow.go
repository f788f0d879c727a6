package flowvec

import (
	"math/bits"

	"pcapdir/source/packet"
)

// flow is one 5-tuple of the open pane (ICMP and the like: one pair and
// protocol). Its addresses are those of its pairs. It points to them, so that
// a packet of a known flow costs one search.
type flow struct {
	hash    uint64    // p.Hash
	uid     uint64    // first half of the connection last seen on it
	bytes   [2]uint64 // per direction; 0 is that of the packet that made the flow
	pair    [2]uint32 // place in the slab + 1; 0 while that direction was not seen
	ports   [2]uint16 // source and destination port in direction 0
	proto   uint8
	payload [2]bool // whether the direction carried any
}

func (f *flow) free() bool { return f.pair == [2]uint32{} }

// flowTable is open addressing with linear probing, flows in their slots: one
// miss where an index beside a slab takes two.
type flowTable struct {
	slots []flow
	shift uint
	n     int
}

const leastSlots = 1 << 8

func newFlowTable() flowTable { return flowTable{slots: make([]flow, leastSlots), shift: 64 - 8} }

// home spreads the hash once more: a shard's flows share bits of it.
func (t *flowTable) home(hash uint64) uint64 { return hash * 0x9e3779b97f4a7c15 >> t.shift }

// portsOf are the ports that tell flows apart: none for ICMP, whose type and
// code differ in the two directions.
func portsOf(p *packet.Packet) [2]uint16 {
	if p.Proto != packet.TCP && p.Proto != packet.UDP {
		return [2]uint16{}
	}
	return [2]uint16{p.SrcPort, p.DstPort}
}

// direction says which way p goes in f: 0, 1, or -1 when it is another flow's.
func (f *flow) direction(p *packet.Packet, ports [2]uint16, pairs []pair) int {
	if f.hash != p.Hash || f.proto != p.Proto {
		return -1
	}
	if f.ports == ports && f.along(p, 0, pairs) {
		return 0
	}
	if f.ports == [2]uint16{ports[1], ports[0]} && f.along(p, 1, pairs) {
		return 1
	}
	return -1
}

// along compares addresses with the pair of direction d, or with the other
// one's, reversed, while d was not seen.
func (f *flow) along(p *packet.Packet, d int, pairs []pair) bool {
	if i := f.pair[d]; i != 0 {
		q := &pairs[i-1]
		return q.src == p.Src && q.dst == p.Dst
	}
	q := &pairs[f.pair[1-d]-1]
	return q.dst == p.Src && q.src == p.Dst
}

// find is p's flow and direction, or the free slot where it belongs and -1.
func (t *flowTable) find(p *packet.Packet, ports [2]uint16, pairs []pair) (*flow, int) {
	mask := uint64(len(t.slots) - 1)
	for i := t.home(p.Hash); ; i++ {
		f := &t.slots[i&mask]
		if f.free() {
			return f, -1
		}
		if d := f.direction(p, ports, pairs); d >= 0 {
			return f, d
		}
	}
}

// full says that one more flow would make searches long.
func (t *flowTable) full() bool { return t.n+1 > len(t.slots)/4*3 }

// grow doubles the table.
func (t *flowTable) grow() {
	old := t.slots
	t.slots = make([]flow, 2*len(old))
	t.shift = 64 - uint(bits.TrailingZeros(uint(len(t.slots))))
	for i := range old {
		if !old[i].free() {
			t.insert(&old[i])
		}
	}
}

func (t *flowTable) insert(f *flow) {
	mask := uint64(len(t.slots) - 1)
	i := t.home(f.hash) & mask
	for ; !t.slots[i].free(); i = (i + 1) & mask {
	}
	t.slots[i] = *f
}

// reset forgets all flows. A table much larger than the pane needed shrinks by half.
func (t *flowTable) reset() {
	if len(t.slots) > leastSlots && t.n < len(t.slots)/8 {
		t.slots = make([]flow, len(t.slots)/2)
		t.shift++
	} else {
		clear(t.slots)
	}
	t.n = 0
}
