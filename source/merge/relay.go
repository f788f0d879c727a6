package merge

import (
	"context"

	"pcapdir/source/packet"
)

// Relay is the place between the readers and the shards of whoever makes packets
// out of several others, maybe of several files: it takes, in the one order, what
// readers divert, and sends on what is made of it. There is one, and it belongs
// to one goroutine.
type Relay struct {
	in    *Merger
	out   *Writer
	one   [1]*packet.Packet
	taken uint64 // packets since the last Advance
	all   uint64 // packets before
}

// NewRelay makes the relay of f. ctx ends its waits.
func NewRelay(ctx context.Context, f *Frontier) *Relay {
	r := &Relay{in: newMerger(f, f.cfg.Shards), out: newWriter(f.relay)}
	r.out.step = 1
	r.out.Bind(ctx)
	return r
}

// Diverted is a packet that a reader sent to the relay.
type Diverted struct {
	*packet.Packet        // holds until the next call of Next
	File           uint64 // that it is from
	Data           []byte // what the reader sent with it: the receiver's to keep
}

// Load takes the key up to which diverted packets may now be handled:
// packet.MaxOrder at the end of input.
func (r *Relay) Load() (safe packet.Order) {
	safe, _ = r.in.Load()
	return safe
}

// Next is the diverted packet that comes next. False says that all below the key
// loaded last are taken.
func (r *Relay) Next() (d Diverted, ok bool) {
	if len(r.in.heap) == 0 {
		return d, false
	}
	h := *r.in.first()
	next := r.in.Next(r.one[:0])
	if len(next) == 0 {
		return d, false
	}
	r.taken++
	i := len(h.batch.Packets) - len(h.left)
	return Diverted{next[0], h.batch.File, h.batch.Data[i]}, true
}

// Append sends a copy of p to a shard. p has the order fields (Eff, Rank, Rec, Sub)
// of the packet that Next gave last, and file is where that is from. It waits
// while the queue is full. False says that the context ended.
func (r *Relay) Append(shard int, file uint64, p *packet.Packet) bool {
	if file != r.out.File {
		if !r.out.Flush() {
			return false
		}
		r.out.File = file
	}
	return r.out.Append(shard, p)
}

// Advance says that everything below safe, the key loaded last, is done: what was
// made of it goes to the shards, and then they may handle what is below safe. It
// is called after every Load, whether there was something to do or not. False
// says that the context ended.
func (r *Relay) Advance(safe packet.Order) bool {
	if !r.out.Flush() {
		return false
	}
	r.out.frontier.advance(safe, r.taken)
	r.all, r.taken = r.all+r.taken, 0
	return true
}

// Cut says that the relay has got to where state is saved: below the key loaded last
// all is done, and nothing beyond. Pass is to follow. It is asked after Advance.
func (r *Relay) Cut() bool {
	mark, ok := r.in.Mark()
	return ok && mark.Cut
}

// Pass says that the state is saved. Load goes on behind.
func (r *Relay) Pass() { r.in.Pass() }

// Wait sleeps until there may be something to do.
func (r *Relay) Wait() error { return r.in.Wait(r.out.ctx) }

// Passed is how many packets the relay took, and how many it appended, as of the
// last Advance.
func (r *Relay) Passed() (taken, made uint64) { return r.all, r.out.Handed() }
