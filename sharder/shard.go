package sharder

import (
	"context"
	"time"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// Handler is what one shard does with its packets. All calls come from the
// shard's goroutine.
type Handler interface {
	// Handle takes packets in key order, none of them beyond the next epoch's
	// end. The slice and the packets hold during the call only.
	Handle(ps []*packet.Packet)
	// Advance says that every packet of an effective time before end was
	// handled. end is the end of an epoch, or a mark (merge.Mark) inside one; it
	// never falls, and may pass many empty epochs at once.
	Advance(end packet.Time)
	// Flush ends all that is open at the event time at, as if the input ended:
	// Advance has been called for it, no packet has it, and later ones come after.
	Flush(at packet.Time)
	// Save saves what there is: every packet below key was handled, none of the
	// others, and Advance was called for the last epoch that ended at or before it.
	Save(key packet.Order)
	// Finish is the last call: the input has ended, everywhere. last is the
	// largest effective time of all shards' packets, and Advance has been
	// called for the start of its epoch.
	Finish(last packet.Time)
}

// batch is how many packets a Handler gets at once: enough for the loads of its
// tables to overlap; from 32 to 512 the figures are the same.
const batch = 256

// Shard runs one Handler over one share of the packets.
type Shard struct {
	merger  *merge.Merger
	handler Handler
	epoch   time.Duration
	end     packet.Time // end of the epoch that is open
}

// NewShard makes a shard; epoch is the length of its epochs in event time.
func NewShard(m *merge.Merger, h Handler, epoch time.Duration) *Shard {
	return &Shard{merger: m, handler: h, epoch: epoch, end: -packet.MaxTime}
}

// Run handles packets until the input ends, and then finishes. If ctx ends
// first its error is returned, and Finish is not called.
func (s *Shard) Run(ctx context.Context) error {
	refs := make([]*packet.Packet, 0, batch)
	for {
		safe, last := s.merger.Load()
		for refs = s.merger.Next(refs[:0]); len(refs) > 0; refs = s.merger.Next(refs[:0]) {
			s.handle(refs)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if safe == packet.MaxOrder {
			s.finish(last)
			return nil
		}
		// Everything below safe is handled, so the epochs that end at or before
		// it have passed, with packets or without: always say so.
		s.advance(safe.Eff)
		if mark, ok := s.merger.Mark(); ok {
			s.pass(mark)
			continue
		}
		if err := s.merger.Wait(ctx); err != nil {
			return err
		}
	}
}

// handle passes refs on, cut at the ends of epochs.
func (s *Shard) handle(refs []*packet.Packet) {
	if refs[len(refs)-1].Eff < s.end { // the usual case: one epoch
		s.handler.Handle(refs)
		return
	}
	from := 0
	for i, p := range refs {
		if p.Eff >= s.end {
			if i > from {
				s.handler.Handle(refs[from:i])
			}
			from = i
			s.advance(p.Eff)
		}
	}
	s.handler.Handle(refs[from:])
}

// advance passes the epochs that have ended when event time reaches t.
func (s *Shard) advance(t packet.Time) {
	if t < s.end || t == -packet.MaxTime {
		return
	}
	start := t.Floor(s.epoch)
	s.handler.Advance(start)
	s.end = start.Add(s.epoch)
}

// Resume makes the shard go on behind key, where its state was saved. It is called
// before Run.
func (s *Shard) Resume(key packet.Order) { s.end = key.Eff.Floor(s.epoch).Add(s.epoch) }

// pass does what a mark asks for. It may stand inside an epoch.
func (s *Shard) pass(m merge.Mark) {
	switch {
	case m.Cut:
		s.handler.Save(m.Key)
	case m.Flush:
		s.handler.Advance(m.Key.Eff)
		s.handler.Flush(m.Key.Eff)
	default:
		s.handler.Advance(m.Key.Eff)
	}
	s.merger.Pass()
}

// finish advances to the end of all input, the same for every shard, so that
// timers that end before it have run everywhere.
func (s *Shard) finish(last packet.Time) {
	s.advance(last)
	s.handler.Finish(last)
}
