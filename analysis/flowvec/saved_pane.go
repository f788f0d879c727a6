package flowvec

import (
	"slices"

	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// Ends are those of the panes that windows to come still need, in order: the next
// pane to be pushed ends a pane after the last at the earliest.
func (w *Windows) Ends() (ends []packet.Time) {
	for _, p := range w.panes {
		if p.end > w.panes[len(w.panes)-1].end.Add(w.pane-w.keep) {
			ends = append(ends, p.end)
		}
	}
	return ends
}

// Save writes all but the panes.
func (w *Windows) Save(out *snap.Writer) { out.Put(&w.lost) }

// Load reads what Save wrote.
func (w *Windows) Load(in *snap.Reader) error {
	in.Get(&w.lost)
	return in.Err()
}

// savedPane heads what is saved of one pane. Its parts follow.
type savedPane struct {
	end      packet.Time
	complete bool
	parts    uint32
}

// SavePane writes one of Ends. What it writes does not change any more.
func (w *Windows) SavePane(end packet.Time, out *snap.Writer) {
	i := slices.IndexFunc(w.panes, func(p closedPane) bool { return p.end == end })
	parts := w.parts[w.panes[i].part-w.first:]
	if i+1 < len(w.panes) {
		parts = parts[:w.panes[i+1].part-w.panes[i].part]
	}
	out.Put(&savedPane{end, w.panes[i].complete, uint32(len(parts))})
	for _, p := range parts {
		p.save(out)
	}
}

// LoadPane reads what SavePane wrote and makes it the newest pane. After an error
// w is as it was.
func (w *Windows) LoadPane(in *snap.Reader) error {
	var head savedPane
	if !in.Get(&head) {
		return in.Err()
	}
	if n := len(w.panes); n > 0 && w.panes[n-1].end >= head.end {
		return errDamaged
	}
	var parts []*Pane
	for range head.parts {
		p, err := loadPane(in)
		if err != nil {
			return err
		}
		if p.cfg.Pane != w.pane {
			return ErrConfig
		}
		parts = append(parts, p)
	}
	w.add(head.end, parts)
	w.panes[len(w.panes)-1].complete = head.complete
	return nil
}

// savedPart heads what is saved of one shard's part.
type savedPart struct {
	start packet.Time
	lost  Loss
	cfg   Config
	limit uint64
	began []Service
}

func (p *Pane) save(w *snap.Writer) {
	w.Put(&savedPart{p.Start, p.Lost, p.cfg, p.limit, p.began})
	p.slabs.save(w)
}

func loadPane(r *snap.Reader) (*Pane, error) {
	var head savedPart
	if !r.Get(&head) {
		return nil, r.Err()
	}
	p := &Pane{
		Start: head.start, Lost: head.lost, cfg: head.cfg, slot: head.cfg.slot(), tickShift: head.cfg.tickShift(), limit: head.limit,
		slabs: newSlabs(), began: head.began,
	}
	if err := p.load(r); err != nil {
		return nil, err
	}
	for place := range p.pairs.n {
		if p.pairs.at(place+1).flags&recalled != 0 && len(p.began) != int(p.pairs.n) {
			return nil, errDamaged
		}
	}
	return p, nil
}
