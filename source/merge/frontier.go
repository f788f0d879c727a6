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
	runs    []*Run     // open, or not yet drained by every shard and the relay; copied on change, shards read it unlocked
	version int        // of runs
	opened  uint64     // runs ever
	safe    packet.Order
	granted packet.Order // what shards may handle: safe, less what the relay has not done yet
	untold  int          // how often granted has risen since shards were woken
	rest    packet.Order // where safe stands when no file is open and none waits
	resumed packet.Order // where event time began, if not at the beginning
	last    packet.Time  // how far event time got: the largest effective time of the runs that ended, or idle time
	closed  bool         // no file comes any more

	begun map[uint64]bool // files with several entries of which one was opened

	sources map[string]*sourceState // by name
	live    []*sourceState          // those that are waited for

	relay    *Run   // what the relay makes; its progress is how far it has got
	diverted uint64 // packets sent to the relay ever
	relayed  uint64 // of them, those that the relay is done with

	mark     Mark // the last one
	unpassed int  // shards, and for a cut the relay, that have not passed it
	sealed   bool // live sources are not waited for until the next admission

	wake      []chan struct{} // by shard, the relay last; capacity 1: more may be handled
	scheduler chan struct{}   // capacity 1: look whether a file is due
}

// NewFrontier makes a frontier with no files. It starts nothing.
func NewFrontier(cfg Config) *Frontier {
	f := &Frontier{cfg: cfg, scheduler: make(chan struct{}, 1), last: -packet.MaxTime, begun: map[uint64]bool{}, sources: map[string]*sourceState{}}
	f.safe = packet.At(-packet.MaxTime)
	f.granted, f.rest = f.safe, f.safe
	for range cfg.Shards + 1 {
		f.wake = append(f.wake, make(chan struct{}, 1))
	}
	f.pool.New = func() any { return &packet.Batch{Packets: make([]packet.Packet, 0, cfg.Batch)} }
	f.relay = &Run{frontier: f, progress: f.safe}
	f.relay.makeQueues(cfg.Shards)
	return f
}

// bound is the lowest key that a file not yet open may hold: one that waits, or
// one that a live source has still to bring.
func (f *Frontier) bound() packet.Order {
	switch {
	case f.closed && len(f.waiting) == 0:
		return packet.MaxOrder
	case len(f.waiting) > 0:
		return f.waiting[0].lower.Min(f.held())
	case len(f.open) > 0:
		return f.held()
	default:
		return f.rest.Min(f.held())
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
func (f *Frontier) raise() { f.raiseFor(true) }

// raiseFor is raise, after which shards may be left asleep for a while where nobody
// waits for them; see grant.
func (f *Frontier) raiseFor(waits bool) {
	bound, least := f.bound(), f.least()
	f.safe = f.safe.Max(least.Min(bound))
	f.grant(waits)
	if f.due(least) {
		signal(f.scheduler)
	}
}

// grant lets shards go as far as nothing below can come out of the relay any
// more: up to where the relay has got or, if it has nothing to do, up to safe
// without asking it (I7). The caller holds f.mu.
//
// To wake a shard costs as much as a batch of packets is worth, and each time that safe
// rises there are a few for each of them. So they are woken when about a batch for each
// has come, or when somebody waits (I10).
func (f *Frontier) grant(waits bool) {
	granted, busy := f.safe, f.diverted != f.relayed
	if busy {
		granted = granted.Min(f.relay.progress)
	}
	if f.relay.progress.Less(f.safe) && (busy || f.safe == packet.MaxOrder || f.unpassed > 0 && f.mark.Cut) {
		signal(f.wake[f.cfg.Shards])
	}
	if f.granted.Less(granted) {
		f.granted = granted
		f.untold++
	}
	if f.untold > f.cfg.Shards || waits && f.untold > 0 {
		f.untold = 0
		for _, c := range f.wake[:f.cfg.Shards] {
			signal(c)
		}
	}
}

// due says whether the next waiting file has to be opened (R6): the open ones
// have all reached its first key, so nothing more can be handled without it.
func (f *Frontier) due(least packet.Order) bool {
	if len(f.waiting) == 0 {
		return false
	}
	return len(f.open) == 0 || !least.Less(f.waiting[0].lower)
}

// publish says that r will send nothing below p any more (I1), and that it has
// sent so many packets more to the relay. waits says that its writer is about to wait.
func (f *Frontier) publish(r *Run, p packet.Order, diverted uint64, waits bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.diverted += diverted
	if r.progress.Less(p) || waits && f.untold > 0 {
		r.progress = r.progress.Max(p)
		f.raiseFor(waits)
	}
}

// advance says that the relay is done with everything below p, n packets more,
// and that what it made of them is in its queues.
func (f *Frontier) advance(p packet.Order, n uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.relayed += n
	f.relay.progress = f.relay.progress.Max(p)
	f.raise()
}

// end closes r: all its packets are in the queues.
func (f *Frontier) end(r *Run, last packet.Order, any bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = slices.DeleteFunc(f.open, func(o *Run) bool { return o == r })
	if any {
		f.rest = f.rest.Max(last.NextRecord()) // and after what the relay makes of it
		f.last = max(f.last, last.Eff)
	}
	f.sourceEnded(r.source, last, any)
	f.rest = f.rest.Max(f.safe)
	f.raise()
	signal(f.wake[f.cfg.Shards]) // for the relay, to see that the run has ended
}

// drained says that one receiver has taken everything of r. When all have, r goes.
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

// view is what a shard, or the relay, needs for one round, taken together so that
// no run can be missing whose packets safe already covers (I5).
type view struct {
	safe    packet.Order // granted, for a shard
	runs    []*Run
	version int // the same version, the same runs
	last    packet.Time
	mark    Mark
}

func (f *Frontier) view(queue int) view {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := view{f.granted, f.runs, f.version, f.last, f.mark}
	if queue == f.cfg.Shards {
		v.safe = f.safe
		if !f.mark.Cut {
			v.mark = Mark{} // not for the relay
		}
	}
	return v
}

// Resume makes event time begin at key, where state was saved that is restored now:
// all below was handled. last is how far event time had got. It is called before
// anything else.
func (f *Frontier) Resume(key packet.Order, last packet.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.safe, f.granted, f.rest, f.resumed, f.last = key, key, key, key, last
	f.relay.progress = key
}

// Last is how far event time got: the largest effective time of the runs that
// ended, or idle time.
func (f *Frontier) Last() packet.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// Rest raises the point where event time stands while no file is open and none
// waits; with one open or waiting, files alone move event time, and nothing
// happens. It is how idle time enters the merge, and the only way; Mark is how a
// hand does.
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

// Safe is the key below which everything may be handled.
func (f *Frontier) Safe() packet.Order {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.safe
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
