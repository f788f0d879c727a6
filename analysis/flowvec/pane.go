package flowvec

import (
	"slices"
	"time"

	"pcapdir/source/packet"
)

// Pane is what one shard accumulated of one pane. It is read-only once it has
// left its table.
type Pane struct {
	Start packet.Time // the pane is [Start, Start + Config.Pane)
	Lost  Loss

	cfg        Config
	slot       time.Duration
	limit      uint64 // as in Table
	pairs      []pair
	began      []start    // one for each pair
	flows      []flowSums // one for each pair
	activities []activity
	uids       []uidList
}

// flowSums sum up the flows of one direction over a pane.
type flowSums struct {
	n, dry  uint32 // flows, and those of them without payload
	squares [2]uint64
	ports   portSet
}

// add counts a flow of so many bytes.
func (s *flowSums) add(service Service, bytes uint64, payload bool) {
	s.n++
	if !payload {
		s.dry++
	}
	s.squares = add128(s.squares, square(bytes))
	s.ports.add(service, bytes)
}

func (s *flowSums) merge(o *flowSums) {
	s.n, s.dry = s.n+o.n, s.dry+o.dry
	s.squares = add128(s.squares, o.squares)
	s.ports.merge(&o.ports)
}

// ClosePane hands over what was accumulated since the last close and starts
// afresh. It is nil when there was nothing. The Pane belongs to the caller.
func (t *Table) ClosePane() *Pane {
	if len(t.pairs) == 0 && t.lost == (Loss{}) {
		return nil
	}
	p := &Pane{
		Start: t.start, Lost: t.lost, cfg: t.cfg, slot: t.slot, limit: t.limit,
		pairs: slices.Clone(t.pairs), began: slices.Clone(t.began), flows: make([]flowSums, len(t.pairs)),
		activities: slices.Clone(t.activities), uids: slices.Clone(t.uids),
	}
	for i := range t.flows.slots {
		f := &t.flows.slots[i]
		for d, place := range f.pair {
			if place != 0 {
				p.flows[place-1].add(serviceOf(f.proto, f.ports[1-d]), f.bytes[d], f.payload[d])
			}
		}
	}
	t.reset()
	return p
}

func (t *Table) reset() {
	t.flows.reset()
	if len(t.index) > leastSlots && len(t.pairs) < len(t.index)/8 {
		t.index = make([]uint32, len(t.index)/2)
	} else {
		clear(t.index)
	}
	t.pairs, t.began = emptied(t.pairs), emptied(t.began)
	t.activities, t.uids = emptied(t.activities), emptied(t.uids)
	t.limit, t.lost, t.from, t.upTo = ^uint64(0), Loss{}, 0, 0
}

// emptied is s without its entries; a slab much larger than they needed goes.
func emptied[T any](s []T) []T {
	if cap(s) > 1024 && len(s) < cap(s)/8 {
		return nil
	}
	return s[:0]
}
