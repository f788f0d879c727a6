package sharder

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// life is one life of shards over the files: from where state was saved, or from the
// beginning, to the end of input or to where state is saved next.
type life struct {
	shards  int
	epoch   time.Duration
	from    packet.Order // nothing below is there any more
	entries []closing    // what is open at from
	cut     bool         // it ends at the next cut
}

// live lives it. ended says that the input ended first.
func (l life) live(t *testing.T, files [][]packet.Packet, seed uint64) (next life, ends []closing, ended bool) {
	synctest.Test(t, func(t *testing.T) {
		f := merge.NewFrontier(merge.Config{Shards: l.shards, Batch: 3, Queue: 1})
		ctx, die := context.WithCancel(t.Context())
		var all, running sync.WaitGroup
		models := make([]*model, l.shards)
		begun := l.from != packet.Order{}
		if begun {
			f.Resume(l.from, l.from.Eff)
		}
		for i := range models {
			m := &model{clock: clock{ownKey: true, sweep: true}, entries: map[uint64]*closing{}, passed: -packet.MaxTime, epoch: l.epoch}
			for _, e := range l.entries {
				if int(e.key)%l.shards == i {
					m.entries[e.key] = &closing{at: e.at, n: e.n}
				}
			}
			models[i] = m
			s := NewShard(merge.NewMerger(f, i), m, l.epoch)
			if begun {
				s.Resume(l.from)
			}
			running.Go(func() { _ = s.Run(ctx) })
		}
		all.Go(func() { _ = f.Schedule(ctx) })
		all.Go(func() { relayNothing(ctx, f) })
		rnd := rand.New(rand.NewPCG(seed, 5))
		f.Admit(l.entriesOf(ctx, &all, files, seed)...)
		f.CloseInput()
		next = life{from: l.from}
		if l.cut {
			time.Sleep(time.Duration(rnd.IntN(100)) * time.Microsecond)
			key, ok := f.Cut()
			if ended = !ok; ok {
				next.from = key
				// In a while all have passed it, or are at the end.
				time.Sleep(time.Second)
				die()
			}
		}
		running.Wait()
		die()
		all.Wait()
		for _, m := range models {
			if m.broken != "" {
				t.Error(m.broken)
			}
			if l.cut && !ended {
				ends = append(ends, m.savedEnds...)
				next.entries = append(next.entries, m.savedEntries...)
			} else {
				ends = append(ends, m.ends...)
			}
		}
	})
	return next, ends, ended || !l.cut
}

// entriesOf are the files as they are admitted: what is below from was handled.
func (l life) entriesOf(ctx context.Context, all *sync.WaitGroup, files [][]packet.Packet, seed uint64) (entries []merge.Entry) {
	for i, ps := range files {
		e := merge.Entry{File: uint64(i), First: ps[0].Eff, Floor: ps[0].Eff, Watermark: -packet.MaxTime, Resumed: true}
		e.Start = func(w *merge.Writer) {
			w.Bind(ctx)
			all.Go(func() {
				var left []packet.Packet
				for _, p := range ps {
					p.Rank = uint64(p.Eff)
					if !p.Order(uint64(i)).Less(l.from) {
						left = append(left, p)
					}
				}
				feed(w, left, l.shards, rand.New(rand.NewPCG(seed, uint64(i))))
			})
		}
		entries = append(entries, e)
	}
	return entries
}

// relayNothing is a defragmenter that has nothing to do.
func relayNothing(ctx context.Context, f *merge.Frontier) {
	r := merge.NewRelay(ctx, f)
	for {
		safe := r.Load()
		if !r.Advance(safe) || safe == packet.MaxOrder {
			return
		}
		if r.Cut() {
			r.Pass()
		} else if r.Wait() != nil {
			return
		}
	}
}

// Killed at any moment and gone on from the last cut, also on another number of
// shards and with other epochs, the same ends come to be, each once.
func TestGoingOnFromCuts(t *testing.T) {
	cuts := 0
	for seed := range count(t) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		files := randomFiles(rnd)
		_, whole, _ := life{shards: 1, epoch: 10}.live(t, files, seed)
		var got []closing
		l := life{}
		for more := true; more; {
			l.shards, l.epoch, l.cut = 1+rnd.IntN(4), time.Duration(1+rnd.IntN(30)), rnd.IntN(4) > 0
			next, ends, ended := l.live(t, files, rnd.Uint64())
			got = append(got, ends...)
			if l.from != next.from {
				cuts++
			}
			l, more = next, !ended
		}
		slices.SortFunc(whole, byTime)
		slices.SortFunc(got, byTime)
		if !slices.Equal(got, whole) {
			t.Fatalf("seed %d: ends are\n%v, want\n%v", seed, got, whole)
		}
	}
	t.Logf("%d cuts", cuts)
	if cuts < int(count(t))/2 {
		t.Errorf("only %d cuts: the test is not what it is for", cuts)
	}
}

func byTime(a, b closing) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key), cmp.Compare(a.n, b.n))
}
