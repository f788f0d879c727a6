package pipeline

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// rotation is taps that write files of five minutes, one after another, into a
// trickle on a fake clock.
type rotation struct {
	t        *testing.T
	trickle  *trickle
	frontier *merge.Frontier
	dirs     []string
	age      time.Duration // what is replayed is so old

	mu   sync.Mutex
	late []string
	seq  uint64
	done sync.WaitGroup
}

const period = 300 * time.Second

// play runs test in a bubble with a rotation of the named taps.
func play(t *testing.T, dirs []string, test func(r *rotation)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := merge.NewFrontier(merge.DefaultConfig(1))
		r := &rotation{t: t, frontier: f, dirs: dirs, trickle: newTrickle(time.Minute, 10*time.Second, f)}
		r.done.Go(func() { _ = f.Schedule(ctx) })
		r.done.Go(func() { r.trickle.run(ctx) })
		r.done.Go(func() { drain(ctx, merge.NewMerger(f, 0)) })
		test(r)
		cancel()
		r.done.Wait()
	})
}

// drain handles all that may be handled.
func drain(ctx context.Context, m *merge.Merger) {
	for {
		m.Load()
		refs := make([]*packet.Packet, 0, 64)
		for refs = m.Next(refs); len(refs) > 0; refs = m.Next(refs[:0]) {
		}
		if m.Wait(ctx) != nil {
			return
		}
	}
}

// tap writes files until the time of its end, the first one cut at phase. Each
// comes when it is full, and has a packet every ten seconds.
func (r *rotation) tap(dir string, phase time.Duration, end time.Time) {
	begin := time.Now()
	for cut := begin.Add(phase); !cut.After(end); begin, cut = cut, cut.Add(period) {
		time.Sleep(time.Until(cut))
		r.deliver(dir, begin, cut)
	}
}

// deliver admits a file of [from, to).
func (r *rotation) deliver(dir string, from, to time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	stamp := func(t time.Time) packet.Time { return packet.Time(t.Add(-r.age).UnixNano()) }
	file := &spool.File{Path: filepath.Join(dir, to.Format(time.TimeOnly)), HasRecords: true, First: stamp(from), Identity: spool.Identity{Ino: r.seq}}
	r.trickle.arrived([]*spool.File{file}, r.dirs)
	r.frontier.Admit(merge.Entry{File: r.seq, Source: sourceOf(file), First: file.First, Start: func(w *merge.Writer) {
		if w.Watermark > file.First {
			r.mu.Lock()
			r.late = append(r.late, file.Path)
			r.mu.Unlock()
		}
		r.done.Go(func() {
			for at := from; at.Before(to); at = at.Add(10 * time.Second) {
				w.Append(0, &packet.Packet{Eff: max(stamp(at), w.Floor), Rec: uint64(at.Sub(from))})
			}
			w.Close()
		})
	}})
}

// behind is how far event time lies behind the wall clock.
func (r *rotation) behind() time.Duration {
	synctest.Wait()
	rest, _ := r.frontier.Idle()
	return time.Since(time.Unix(0, int64(rest.Eff)).Add(r.age))
}

func (r *rotation) wantNoneLate() {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.late) > 0 {
		r.t.Errorf("late: %q", r.late)
	}
}

func TestRotationOfOneTap(t *testing.T) {
	play(t, []string{"in"}, func(r *rotation) {
		r.tap("in", period, time.Now().Add(2*time.Hour))
		r.wantNoneLate()
		if b := r.behind(); b > period {
			t.Errorf("event time is %v behind", b)
		}
		// Silence: time goes on, as far behind as a file on its way may be.
		time.Sleep(time.Hour)
		if b := r.behind(); b > 2*period {
			t.Errorf("after an hour of silence event time is %v behind", b)
		}
		now := time.Now()
		r.deliver("in", now.Add(-period), now)
		r.wantNoneLate()
	})
}

func TestRotationOfTwoTapsOutOfPhase(t *testing.T) {
	play(t, []string{"in/a", "in/b"}, func(r *rotation) {
		end := time.Now().Add(2 * time.Hour)
		r.done.Go(func() { r.tap("in/b", period/2, end) })
		r.tap("in/a", period, end)
		r.wantNoneLate()
	})
}

// Of replayed data the wall clock says nothing, so how long a tap may be silent
// is known only when it has brought two files.
func TestRotationReplayed(t *testing.T) {
	play(t, []string{"in/a", "in/b"}, func(r *rotation) {
		r.age = 1000 * time.Hour
		end := time.Now().Add(2 * time.Hour)
		r.done.Go(func() { r.tap("in/b", period/2, end) })
		r.done.Go(func() {
			time.Sleep(2*period + period/4)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.late = nil
		})
		r.tap("in/a", period, end)
		r.wantNoneLate()
	})
}

// The other tap goes on, after a while, and what the dead one would have brought
// is not waited for for ever.
func TestRotationOfATapThatDies(t *testing.T) {
	play(t, []string{"in/a", "in/b"}, func(r *rotation) {
		begin := time.Now()
		r.done.Go(func() { r.tap("in/b", period/2, begin.Add(time.Hour)) })
		r.tap("in/a", period, begin.Add(2*time.Hour))
		r.wantNoneLate()
		if b := r.behind(); b > period {
			t.Errorf("event time is %v behind, an hour after one tap died", b)
		}
	})
}
