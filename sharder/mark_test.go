package sharder

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// runMarked plays two groups of files with a flush between them, the second
// admitted before any shard can have seen the mark, and returns all ends.
func runMarked(t *testing.T, groups [2][][]packet.Packet, shards int, epoch time.Duration, seed uint64) (ends []closing, up packet.Time) {
	synctest.Test(t, func(t *testing.T) {
		f := merge.NewFrontier(merge.Config{Shards: shards, Batch: 3, Queue: 1})
		group, ctx := errgroup.WithContext(t.Context())
		scheduling, done := context.WithCancel(ctx)
		group.Go(func() error { _ = f.Schedule(scheduling); return nil })
		models := make([]*model, shards)
		running, ctx := errgroup.WithContext(ctx)
		for i := range models {
			models[i] = &model{clock: clock{ownKey: true, sweep: true}, entries: map[uint64]*closing{}, passed: -packet.MaxTime, safe: packet.At(-packet.MaxTime)}
			s := NewShard(merge.NewMerger(f, i), models[i], epoch)
			running.Go(func() error { return s.Run(ctx) })
		}
		for n, files := range groups {
			var entries []merge.Entry
			for i, ps := range files {
				entries = append(entries, merge.Entry{File: uint64(10*n + i), First: ps[0].Eff, Start: func(w *merge.Writer) {
					group.Go(func() error { feedLifted(w, ps, shards, rand.New(rand.NewPCG(seed, uint64(i)))); return nil })
				}})
			}
			f.Admit(entries...)
			if n == 0 {
				ok := false
				for up, ok = f.Mark(true); !ok; up, ok = f.Mark(true) {
					time.Sleep(time.Microsecond)
				}
			}
		}
		f.CloseInput()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
		done()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		for _, m := range models {
			if m.broken != "" {
				t.Error(m.broken)
			}
			ends = append(ends, m.ends...)
		}
	})
	slices.SortFunc(ends, func(a, b closing) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key), cmp.Compare(a.n, b.n))
	})
	return ends, up
}

// feedLifted feeds as a reader does, which lifts what is below the floor.
func feedLifted(w *merge.Writer, ps []packet.Packet, shards int, r *rand.Rand) {
	ps = slices.Clone(ps)
	for i := range ps {
		ps[i].Eff = max(ps[i].Eff, w.Floor)
		ps[i].Rank = uint64(ps[i].Eff)
	}
	feed(w, ps, shards, r)
}

// A flush is one point of event time for all shards: whatever their number and
// speed, and however soon the next file comes, the same ends there, nothing that
// came later with it, and the same begins anew.
func TestFlushIsOnePointForAllShards(t *testing.T) {
	for seed := range count(t) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		groups := [2][][]packet.Packet{randomFiles(rnd), randomFiles(rnd)}
		want, up := runMarked(t, groups, 1, 10*time.Nanosecond, seed)
		flushed := 0
		for _, e := range want {
			if e.at == up-1 {
				flushed++
			}
		}
		if flushed == 0 {
			t.Fatalf("seed %d: nothing ends at the flush, %d: %v", seed, up-1, want)
		}
		for _, c := range []struct {
			shards int
			epoch  time.Duration
		}{{2, 10}, {3, 1}, {7, 1000}} {
			if got, at := runMarked(t, groups, c.shards, c.epoch, seed); at != up || !slices.Equal(got, want) {
				t.Fatalf("seed %d, %d shards, epochs of %d: flushed at %d, want %d; ends are\n%v, want\n%v", seed, c.shards, c.epoch, at, up, got, want)
			}
		}
	}
}
