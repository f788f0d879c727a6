package merge

import (
	"pcapdir/source/packet"
)

// Run is one open file on its way to the shards.
type Run struct {
	File uint64 // content id
	// Floor is the least effective time that the run may use. A reader lifts
	// whatever is below.
	Floor packet.Time
	// Watermark is what had been handled when the file was admitted: a packet
	// whose own stamp is below is late.
	Watermark packet.Time

	frontier *Frontier
	seq      uint64 // rises in the order of opening
	// queues has one bounded queue per shard. One for several files, or one
	// budget of batches for several queues, would deadlock: a file behind could
	// take the room that the file at the frontier needs.
	queues []chan []packet.Packet

	progress  packet.Order // guarded by frontier.mu
	undrained int          // shards that have not taken everything; guarded by frontier.mu
}

func newRun(f *Frontier, w *waiting) *Run {
	f.opened++
	r := &Run{
		seq:  f.opened,
		File: w.File, Floor: w.lower.Eff, Watermark: w.watermark,
		frontier: f, progress: w.lower, undrained: f.cfg.Shards,
	}
	for range f.cfg.Shards {
		r.queues = append(r.queues, make(chan []packet.Packet, f.cfg.Queue))
	}
	return r
}
