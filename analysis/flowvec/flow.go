package flowvec

import (
	"encoding/binary"
	"math/bits"

	"pcapdir/analysis/logs"
	"pcapdir/analysis/pages"
)

// flow is one 5-tuple of a conversation that has several (ICMP and the like:
// one protocol). Of a conversation with one flow the pair itself says all.
type flow struct {
	bytes [2]uint64 // per side
	pair  uint32    // place in the slab; 0: the slot is free
	tag   uint32    // of the connection last seen on it
	ports [2]uint16 // of lo and of hi
	proto uint8
	flags uint8 // for each side, whether it was seen and whether it carried payload
}

const (
	sawSide    = 1 // shifted by the side
	sawPayload = 4
)

// flowTable is open addressing with linear probing, flows in their slots.
type flowTable struct {
	slots []flow
	seed  uint64
	shift uint
	n     int
}

const leastSlots = 1 << 8

func newFlowTable(seed uint64) flowTable {
	return flowTable{slots: make([]flow, leastSlots), seed: seed, shift: 64 - 8}
}

func (t *flowTable) home(pair uint32, ports [2]uint16, proto uint8) uint64 {
	key := uint64(pair)<<32 | uint64(ports[0])<<16 | uint64(ports[1])
	return mix(key^t.seed, 0x9fb21c651e98df25^uint64(proto)) * 0x9e3779b97f4a7c15 >> t.shift
}

// find is the slot of that flow: free when it is not there.
func (t *flowTable) find(pair uint32, ports [2]uint16, proto uint8) *flow {
	mask := uint64(len(t.slots) - 1)
	for i := t.home(pair, ports, proto); ; i++ {
		f := &t.slots[i&mask]
		if f.pair == 0 || f.pair == pair && f.ports == ports && f.proto == proto {
			return f
		}
	}
}

// add makes a flow that is not there yet.
func (t *flowTable) add(pair uint32, ports [2]uint16, proto uint8) *flow {
	if t.n+1 > len(t.slots)/4*3 {
		t.rebuild(pages.MakeSpread[flow](2*len(t.slots)), nil)
	}
	t.n++
	f := t.find(pair, ports, proto)
	f.pair, f.ports, f.proto = pair, ports, proto
	return f
}

// rebuild moves all flows to fresh slots. moved, where given, has the new place
// of each pair, 0 for those whose flows go.
func (t *flowTable) rebuild(fresh []flow, moved []uint32) {
	old := t.slots
	t.slots, t.shift, t.n = fresh, 64-uint(bits.TrailingZeros(uint(len(fresh)))), 0
	for i := range old {
		f := old[i]
		if f.pair != 0 && moved != nil {
			f.pair = moved[f.pair-1]
		}
		if f.pair != 0 {
			*t.find(f.pair, f.ports, f.proto) = f
			t.n++
		}
	}
}

// reset forgets all flows. A table much larger than the pane needed shrinks by half.
func (t *flowTable) reset() {
	if len(t.slots) > leastSlots && t.n < len(t.slots)/8 {
		t.slots = pages.MakeSpread[flow](len(t.slots) / 2)
		t.shift++
	} else if t.n > 0 {
		clear(t.slots)
	}
	t.n = 0
}

// oriented puts the ports of a packet of that side in a flow's order.
func oriented(ports [2]uint16, side uint8) [2]uint16 {
	if side != 0 {
		return [2]uint16{ports[1], ports[0]}
	}
	return ports
}

// tagOf tells connections on one 5-tuple apart.
func tagOf(uid logs.UID) uint32 {
	return binary.BigEndian.Uint32(uid[:]) ^ binary.BigEndian.Uint32(uid[8:])
}
