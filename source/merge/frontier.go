package merge

import (
	"slices"
	"sync"

	"pcapdir/source/packet"
)

// Config sizes the hand-off between readers and shards. No result depends on it.
type Config struct {
	Shards int // at least 1
	Batch  int // packets per batch
	Queue  int // batches per (file, shard)
}

// DefaultConfig is what was measured best: batches of 256 cost about a
// nanosecond per packet to hand over, single packets forty times that.
func DefaultConfig(shards int) Config {
	return Config{Shards: shards, Batch: 256, Queue: 4}
}

// Frontier is the state that readers, shards and the scheduler share: which
// files wait, which are open, and how far shards may go. One lock guards all of
// it; it is taken once per batch, never per packet.
type Frontier struct {
	cfg  Config
	pool sync.Pool // spare batches; what bounds them are the queues

	mu      sync.Mutex
	waiting []*waiting // by lower key: the next to open is first
	open    []*Run     // progress below the end of input
	runs    []*Run     // open, or not yet drained by every shard; copied on change, shards read it unlocked
	version int        // of runs
	opened  uint64     // runs ever
	safe    packet.Order
	rest    packet.Order // where safe stands when no file is open and none waits
	last    packet.Time  // how far event time got: the largest effective time of the runs that ended, or idle time
	closed  bool         // no file comes any more

	shards    []chan struct{} // capacity 1: safe has risen
	scheduler chan struct{}   // capacity 1: look whether a file is due
}

// NewFrontier makes a frontier with no files. It starts nothing.
func NewFrontier(cfg Config) *Frontier {
	f := &Frontier{cfg: cfg, scheduler: make(chan struct{}, 1), last: -packet.MaxTime}
	f.safe = packet.At(-packet.MaxTime)
	f.rest = f.safe
	for range cfg.Shards {
		f.shards = append(f.shards, make(chan struct{}, 1))
	}
	f.pool.New = func() any {
		b := make([]packet.Packet, 0, cfg.Batch)
		return &b
	}
	return f
}

// bound is the lowest key that a file not yet open may hold.
func (f *Frontier) bound() packet.Order {
	switch {
	case len(f.waiting) > 0:
		return f.waiting[0].lower
	case f.closed, len(f.open) > 0:
		return packet.MaxOrder
	default:
		return f.rest
	}
}

// least is the least progress of the open runs; with none open, the end of input.
func (f *Frontier) least() packet.Order {
	least := packet.MaxOrder
	for _, r := range f.open {
		least = least.Min(r.progress)
	}
	return least
}

// raise recomputes safe and wakes whom that concerns. The caller holds f.mu.
func (f *Frontier) raise() {
	bound, least := f.bound(), f.least()
	if safe := least.Min(bound); f.safe.Less(safe) {
		f.safe = safe
		for _, c := range f.shards {
			signal(c)
		}
	}
	if f.due(least, bound) {
		signal(f.scheduler)
	}
}

// due says whether the next waiting file has to be opened (R6): the open ones
// have all reached its first key, so nothing more can be handled without it.
func (f *Frontier) due(least, bound packet.Order) bool {
	if len(f.waiting) == 0 {
		return false
	}
	return len(f.open) == 0 || !least.Less(bound)
}

// publish says that r will send nothing below p any more (I1).
func (f *Frontier) publish(r *Run, p packet.Order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.progress.Less(p) {
		r.progress = p
		f.raise()
	}
}

// end closes r: all its packets are in the queues.
func (f *Frontier) end(r *Run, last packet.Order, any bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = slices.DeleteFunc(f.open, func(o *Run) bool { return o == r })
	if any {
		f.rest = f.rest.Max(last.Next())
		f.last = max(f.last, last.Eff)
	}
	f.rest = f.rest.Max(f.safe)
	f.raise()
}

// drained says that one shard has taken everything of r. When all have, r goes.
func (f *Frontier) drained(r *Run) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.undrained--
	if r.undrained == 0 {
		f.list(slices.DeleteFunc(slices.Clone(f.runs), func(o *Run) bool { return o == r }))
	}
}

// list makes runs what shards see. The caller holds f.mu.
func (f *Frontier) list(runs []*Run) {
	f.runs = runs
	f.version++
}

// view is what a shard needs for one round, taken together so that no run can
// be missing whose packets safe already covers (I5).
type view struct {
	safe    packet.Order
	runs    []*Run
	version int // the same version, the same runs
	last    packet.Time
}

func (f *Frontier) view() view {
	f.mu.Lock()
	defer f.mu.Unlock()
	return view{f.safe, f.runs, f.version, f.last}
}

// Rest raises the point where event time stands while no file is open and none
// waits; with one open or waiting, files alone move event time, and nothing
// happens. It is how idle time enters the merge, and the only way.
func (f *Frontier) Rest(t packet.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.open) == 0 && len(f.waiting) == 0 {
		if f.rest.Less(packet.At(t)) {
			f.rest, f.last = packet.At(t), max(f.last, t)
		}
		f.raise()
	}
}

// Idle says that no file is open and none waits, and where event time rests then.
func (f *Frontier) Idle() (rest packet.Order, idle bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rest, len(f.open) == 0 && len(f.waiting) == 0
}

// Open is the number of files that are open, and of those that wait.
func (f *Frontier) Open() (open, waiting int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open), len(f.waiting)
}

// signal leaves a token in c unless one is there already.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
