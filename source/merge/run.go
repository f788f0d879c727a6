package merge

import (
	"pcapdir/source/packet"
)

// Run is one open file on its way to the shards, or what the relay makes.
type Run struct {
	File uint64 // content id
	// Floor is the least effective time that the run may use. A reader lifts
	// whatever is below.
	Floor packet.Time
	// Watermark is what had been handled when a file was admitted that begins below
	// that: a packet whose own stamp is below is late. Of other files none is.
	Watermark packet.Time

	frontier *Frontier
	source   *sourceState
	seq      uint64 // rises in the order of opening, from 1
	// queues has one bounded queue per shard and, of a file, a last one for the
	// relay. One for several files, or one budget of batches for several queues,
	// would deadlock: a file behind could take the room that the file at the
	// frontier needs.
	queues []chan *packet.Batch

	progress  packet.Order // guarded by frontier.mu
	undrained int          // queues that are not empty and closed yet; guarded by frontier.mu
}

func newRun(f *Frontier, w *waiting) *Run {
	f.opened++
	r := &Run{
		seq:  f.opened,
		File: w.File, Floor: w.Floor, Watermark: w.Watermark,
		frontier: f, source: w.source, progress: w.lower,
	}
	r.makeQueues(f.cfg.Shards + 1)
	return r
}

func (r *Run) makeQueues(n int) {
	r.undrained = n
	for range n {
		r.queues = append(r.queues, make(chan *packet.Batch, r.frontier.cfg.Queue))
	}
}
