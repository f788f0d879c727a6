package flowvec

import (
	"time"

	"pcapdir/analysis/pages"
	"pcapdir/source/packet"
)

// Pane is what one shard accumulated of one pane. It is read-only once it has
// left its table. Its memory goes back to the table when no window needs it.
type Pane struct {
	Start packet.Time // the pane is [Start, Start + Config.Pane)
	Lost  Loss

	cfg       Config
	slot      time.Duration
	tickShift uint
	limit     uint64 // as in Table
	slabs
	began []Service // of each pair, what was asked for when it began in an earlier pane; empty where none did
}

// recall notes of the pair at place that it began in an earlier pane.
func (p *Pane) recall(place uint32, b beginning) {
	if len(p.began) == 0 {
		p.began = pages.Make[Service](int(p.pairs.n))
	}
	p.began[place-1] = b.service
	q := p.pairs.at(place)
	q.flags |= recalled
	if b.noSYN {
		q.flags |= beganNoSYN
	}
	if b.side != 0 {
		q.flags |= beganHi
	}
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
// afresh. It is nil when there was nothing. The Pane belongs to the caller,
// until it is given to Windows.
func (t *Table) ClosePane() *Pane {
	if t.pairs.n == 0 && t.lost == (Loss{}) {
		return nil
	}
	t.sumFlows()
	p := &Pane{
		Start: t.start, Lost: t.lost, cfg: t.cfg, slot: t.slot, tickShift: t.tickShift, limit: t.limit,
		slabs: t.take(),
	}
	t.flows.reset()
	t.index.reset()
	t.limit, t.lost, t.from, t.upTo = ^uint64(0), Loss{}, 0, 0
	return p
}

// sumFlows adds up the flows of the pairs that have many. Sums lie in the order
// of their pairs, because that is the order in which they are read.
func (t *Table) sumFlows() {
	for place := uint32(1); place <= t.pairs.n && t.flows.n > 0; place++ {
		if q := t.pairs.at(place); q.flags&manyFlow != 0 {
			q.sums, _ = t.sums.add()
		}
	}
	for i := range t.flows.slots {
		f := &t.flows.slots[i]
		if f.pair == 0 {
			continue
		}
		sums := t.sums.at(t.pairs.at(f.pair).sums)
		for side := range sums {
			if f.flags&(sawSide<<side) != 0 {
				sums[side].add(serviceOf(f.proto, f.ports[1-side]), f.bytes[side], f.flags&(sawPayload<<side) != 0)
			}
		}
	}
}
