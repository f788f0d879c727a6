package pipeline

import (
	"testing"
	"time"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// arrive notes files whose first stamps are that far behind the wall clock.
func arrive(d *trickle, lags ...time.Duration) {
	for _, lag := range lags {
		first := packet.Time(time.Now().Add(-lag).UnixNano())
		d.arrived([]*spool.File{{HasRecords: true, First: first}}, nil)
	}
}

func TestIdleTimeWalks(t *testing.T) {
	const after, holdBack = time.Minute, 10 * time.Second
	for _, c := range []struct {
		name string
		lags []time.Duration
		at   time.Duration // since the last arrival
		ok   bool
	}{
		{"two files, long silence", []time.Duration{time.Minute, time.Minute}, 2 * after, true},
		{"the silence is not long enough", []time.Duration{time.Minute, time.Minute}, after - time.Second, false},
		{"one file says nothing about the next", []time.Duration{time.Minute}, 2 * after, false},
		{"replayed data", []time.Duration{time.Minute, 25 * time.Hour}, 2 * after, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newTrickle(after, holdBack, merge.NewFrontier(merge.DefaultConfig(1)))
			arrive(d, c.lags...)
			if _, ok := d.target(time.Now().Add(c.at)); ok != c.ok {
				t.Errorf("walks: %v, want %v", ok, c.ok)
			}
		})
	}
}

// Event time walks at wall speed from where it rested, and never past what a
// file as late as the latest before could still bring.
func TestIdleTimeIsBounded(t *testing.T) {
	const after, holdBack, lag = time.Minute, 10 * time.Second, 5 * time.Minute
	f := merge.NewFrontier(merge.DefaultConfig(1))
	now := time.Now()
	rest := packet.Time(now.Add(-lag).UnixNano())
	f.Rest(rest)
	d := newTrickle(after, holdBack, f)
	arrive(d, lag, lag)
	begin := now.Add(2 * after)
	if got, ok := d.target(begin); !ok || got != rest {
		t.Errorf("the walk begins at %v, want %v", got, rest)
	}
	if got, _ := d.target(begin.Add(30 * time.Second)); got != rest.Add(30*time.Second) {
		t.Errorf("after 30 s it is %v on, want 30 s", got.Sub(rest))
	}
}

// Files of five minutes whose last stamps are fresh: the next one may still hold
// what is older than the last of these.
func TestIdleTimeWaitsForWhatMayBeOnItsWay(t *testing.T) {
	const after, holdBack, lag = time.Minute, 10 * time.Second, 5 * time.Minute
	f := merge.NewFrontier(merge.DefaultConfig(1))
	now := time.Now()
	f.Rest(packet.Time(now.UnixNano()))
	d := newTrickle(after, holdBack, f)
	arrive(d, lag, lag)
	begin := now.Add(2 * after)
	d.target(begin)
	far := begin.Add(time.Hour)
	bound := packet.Time(far.UnixNano()).Add(-lag - holdBack)
	if got, _ := d.target(far); got > bound || got < bound.Add(-time.Second) {
		t.Errorf("after an hour it is %v, want %v", got.UTC(), bound.UTC())
	}
}

// A spool that was empty at the start is no tap any more once its taps have
// directories in it, and nothing waits for it.
func TestSpoolWithTapsIsNotWaitedFor(t *testing.T) {
	f := merge.NewFrontier(merge.DefaultConfig(1))
	d := newTrickle(time.Minute, 10*time.Second, f)
	d.arrived(nil, []string{"/in"})
	first := packet.Time(time.Now().Add(-23 * time.Hour).UnixNano())
	file := &spool.File{HasRecords: true, First: first}
	file.Path = "/in/tap/a"
	d.arrived([]*spool.File{file}, []string{"/in/tap"})
	if len(d.sources) != 1 || d.sources["/in/tap"] == nil {
		t.Errorf("it waits for %v", d.sources)
	}
}

// A directory that brings nothing is waited for as long as the slowest of the others
// needs, at most an hour, and meanwhile it is said.
func TestEmptyTapIsWaitedForAnHour(t *testing.T) {
	for lag, longest := range map[time.Duration]time.Duration{time.Minute: 3 * time.Minute, 23 * time.Hour: time.Hour} {
		d := newTrickle(time.Minute, 10*time.Second, merge.NewFrontier(merge.DefaultConfig(1)))
		file := &spool.File{HasRecords: true, First: packet.Time(time.Now().Add(-lag).UnixNano()), Path: "/in/tap/a"}
		d.arrived([]*spool.File{file}, []string{"/in/tap", "/in/empty"})
		if got := d.silent(); got != nil {
			t.Errorf("at once it is said to wait for %v", got)
		}
		s := d.sources["/in/empty"]
		for at, held := range map[time.Duration]bool{longest - time.Second: true, longest + time.Second: false} {
			s.last = time.Now().Add(-2 * time.Minute)
			d.hold(d.begin.Add(at))
			if s.held != held || (d.silent() != nil) != held {
				t.Errorf("lag %v, after %v: it waits: %t, says %v", lag, at, s.held, d.silent())
			}
		}
	}
}
