package pipeline

import (
	"context"
	"sync"
	"time"

	"pcapdir/source"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// maxLag is how far behind the wall clock captures may be for silence to mean
// that time passes: what is further behind is replayed, and the wall clock says
// nothing about it.
const maxLag = 24 * time.Hour

// idler moves event time while nothing comes, so that connections still time
// out and reach the log. It is the one place where the wall clock touches the
// merge, and it never moves event time past what a file that is on its way, as
// late as the latest before it, could still hold.
type idler struct {
	after, holdBack time.Duration
	frontier        *merge.Frontier

	mu    sync.Mutex
	files int           // with records
	lag   time.Duration // largest arrival less first stamp
	last  time.Time     // of an arrival
	from  packet.Time   // where event time rested when the silence began; holds if since is set
	since time.Time
}

func newIdler(after, holdBack time.Duration, f *merge.Frontier) *idler {
	return &idler{after: after, holdBack: holdBack, frontier: f}
}

// arrived notes a group at its admission.
func (d *idler) arrived(found []*spool.File) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last, d.since = now, time.Time{}
	for _, f := range found {
		if f.Err == nil && f.HasRecords {
			d.files++
			d.lag = max(d.lag, packet.Time(now.UnixNano()).Sub(source.Clamp(f.First)))
		}
	}
}

// run walks event time until ctx ends.
func (d *idler) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if t, ok := d.target(now); ok {
				d.frontier.Rest(t)
			}
		case <-ctx.Done():
			return
		}
	}
}

// target is where event time may rest at the wall-clock time now, if silence
// has lasted and the files so far allow to say.
func (d *idler) target(now time.Time) (packet.Time, bool) {
	rest, idle := d.frontier.Idle()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !idle || d.files < 2 || d.lag > maxLag || now.Sub(d.last) < d.after {
		return 0, false
	}
	if d.since.IsZero() {
		d.from, d.since = rest.Eff, now
	}
	walked := d.from.Add(now.Sub(d.since))
	return min(walked, packet.Time(now.UnixNano()).Add(-d.lag-d.holdBack)), true
}
