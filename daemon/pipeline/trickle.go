package pipeline

import (
	"context"
	"path/filepath"
	"slices"
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

// earlier is how long before all others a source may have begun that has not
// brought anything yet.
const earlier = time.Hour

// longestFirst is the longest wait for a source that has not brought anything yet: its
// directory may be left over, and what comes later than that is late, not lost.
const longestFirst = time.Hour

// trickle says how far event time may go while files come one by one. It is the
// one place where the wall clock touches the merge.
//
// Each directory with files is a source, a tap whose next file begins where its
// newest one ended. Where there are several, the merge waits for the slowest
// that is live (merge.Frontier.Hold): otherwise taps that rotate out of phase
// would make each other's files late. While nothing comes, event time walks, so
// that connections still time out and reach the log, and never past what a file
// on its way, as late as the latest before it, could still hold.
type trickle struct {
	after, holdBack time.Duration // order.idle and order.hold_back
	frontier        *merge.Frontier

	mu      sync.Mutex
	begin   time.Time
	sources map[string]*tap // by directory
	first   packet.Time     // least first stamp of any file
	last    time.Time       // of an arrival
	from    packet.Time     // where event time rested when the silence began; holds if since is set
	since   time.Time
}

// tap is what is known of one source.
type tap struct {
	files int           // with records
	lag   time.Duration // largest arrival less first stamp, of the newest file of each group
	gap   time.Duration // largest between arrivals
	last  time.Time     // arrival
	held  bool          // the merge waits for it
}

func newTrickle(after, holdBack time.Duration, f *merge.Frontier) *trickle {
	return &trickle{
		after: after, holdBack: holdBack, frontier: f,
		begin: time.Now(), sources: map[string]*tap{}, first: packet.MaxTime,
	}
}

// sourceOf names the source of a file.
func sourceOf(f *spool.File) string { return filepath.Dir(f.Path) }

// arrived notes a group at its admission. expected are the directories from
// which files may come.
func (d *trickle) arrived(found []*spool.File, expected []string) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last, d.since = now, time.Time{}
	for name, s := range d.sources {
		if s.files == 0 && !slices.Contains(expected, name) { // gone, or it has directories below it by now
			d.frontier.Release(name)
			delete(d.sources, name)
		}
	}
	for _, name := range expected {
		if d.sources[name] == nil {
			d.sources[name] = &tap{last: now}
		}
	}
	newest := map[string]packet.Time{}
	for _, f := range found {
		if f.Err != nil || !f.HasRecords {
			continue
		}
		name, first := sourceOf(f), source.Clamp(f.First)
		d.first = min(d.first, first)
		if t, ok := newest[name]; !ok || t < first {
			newest[name] = first
		}
		if d.sources[name] == nil {
			d.sources[name] = &tap{last: now}
		}
		d.sources[name].files++
	}
	for name, first := range newest {
		d.sources[name].came(now, packet.Time(now.UnixNano()).Sub(first))
	}
	d.hold(now)
}

// came notes the newest file of a group, whose first stamp is lag ago.
func (s *tap) came(now time.Time, lag time.Duration) {
	s.gap = max(s.gap, now.Sub(s.last))
	s.lag = max(s.lag, lag)
	s.last = now
}

// patience is how long the tap may be silent and still be live. Of one that has
// brought a single file the gap is not known yet: a live capture begins a file
// when it has ended the one before.
func (s *tap) patience(least time.Duration) time.Duration {
	gap := s.gap
	if s.lag <= maxLag {
		gap = max(gap, s.lag)
	}
	return max(least, 3*gap)
}

// run follows the wall clock until ctx ends.
func (d *trickle) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			d.mu.Lock()
			d.hold(now)
			t, ok := d.target(now)
			d.mu.Unlock()
			if ok {
				d.frontier.Rest(t)
			}
		case <-ctx.Done():
			return
		}
	}
}

// hold tells the merge which sources to wait for. The caller holds mu.
func (d *trickle) hold(now time.Time) {
	var patience time.Duration // of the slowest; 0 while everything is replayed
	for _, s := range d.sources {
		if s.files > 0 && s.lag <= maxLag {
			patience = max(patience, s.patience(d.after))
		}
	}
	live := 0
	for _, s := range d.sources {
		if d.live(s, now, patience) {
			live++
		}
	}
	for name, s := range d.sources {
		s.held = live >= 2 && d.live(s, now, patience)
		switch {
		case !s.held:
			d.frontier.Release(name)
			if now.Sub(s.last) > maxLag {
				delete(d.sources, name)
			}
		case s.files == 0:
			d.frontier.Hold(name, d.first.Add(-earlier))
		default:
			d.frontier.Hold(name, d.least(s, now))
		}
	}
}

// silent are the directories that the merge waits for though nothing has come from them
// for longer than order.idle.
func (d *trickle) silent() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, s := range d.sources {
		if s.held && time.Since(s.last) >= d.after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// live says whether more is to be expected of s. One that has brought nothing yet
// may be as slow as the slowest.
func (d *trickle) live(s *tap, now time.Time, slowest time.Duration) bool {
	if s.files == 0 {
		return now.Sub(d.begin) < min(slowest, longestFirst)
	}
	return now.Sub(s.last) < s.patience(d.after)
}

// least is the least stamp that s may still bring, by the wall clock.
func (d *trickle) least(s *tap, now time.Time) packet.Time {
	if s.files < 2 || s.lag > maxLag || now.Sub(s.last) < d.after {
		return -packet.MaxTime
	}
	return packet.Time(now.UnixNano()).Add(-s.lag - d.holdBack)
}

// target is where event time may rest at the wall-clock time now, if silence
// has lasted and the files so far allow to say. The caller holds mu.
func (d *trickle) target(now time.Time) (packet.Time, bool) {
	rest, idle := d.frontier.Idle()
	if !idle || now.Sub(d.last) < d.after {
		return 0, false
	}
	files, lag := 0, time.Duration(0)
	for _, s := range d.sources {
		if s.files > 0 {
			files, lag = max(files, s.files), max(lag, s.lag)
		}
	}
	if files < 2 || lag > maxLag {
		return 0, false
	}
	if d.since.IsZero() {
		d.from, d.since = rest.Eff, now
	}
	walked := d.from.Add(now.Sub(d.since))
	return min(walked, packet.Time(now.UnixNano()).Add(-lag-d.holdBack)), true
}
