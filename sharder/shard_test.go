package sharder

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// The model of a handler: a key's entry ends when its key has been silent for
// timeout. The instant of the end is the deadline, and every way to run must
// name the same ends: any number of shards, any length of epochs, any schedule.
const timeout = 7 * time.Nanosecond

// closing is one end, as a log would show it.
type closing struct {
	at  packet.Time
	key uint64
	n   int // packets
}

// clock says when a handler looks at its deadlines: the sound one, or a mutant.
type clock struct {
	ownKey bool // before a packet, at the deadline of its own key
	all    bool // before a packet, at all deadlines, by the packet's time
	sweep  bool // at the ends of epochs
}

type model struct {
	clock   clock
	entries map[uint64]*closing // at is the last packet
	ends    []closing
	last    packet.Time // of Finish
	passed  packet.Time // of Advance
	broken  string
	epoch   time.Duration

	saved        bool // there was a cut
	savedEntries []closing
	savedEnds    []closing
}

func (m *model) expire(key uint64, e *closing, before packet.Time) {
	if deadline := e.at.Add(timeout); deadline < before {
		m.ends = append(m.ends, closing{deadline, key, e.n})
		delete(m.entries, key)
	}
}

func (m *model) expireAll(before packet.Time) {
	for key, e := range m.entries {
		m.expire(key, e, before)
	}
}

func (m *model) Handle(ps []*packet.Packet) {
	for _, p := range ps {
		if p.Eff < m.passed {
			m.broken = fmt.Sprintf("packet at %d after Advance(%d)", p.Eff, m.passed)
		}
		if m.clock.all {
			m.expireAll(p.Eff)
		}
		key := p.Hash
		if e := m.entries[key]; e != nil && m.clock.ownKey {
			m.expire(key, e, p.Eff)
		}
		if m.entries[key] == nil {
			m.entries[key] = &closing{}
		}
		e := m.entries[key]
		e.at, e.n = p.Eff, e.n+1
	}
}

func (m *model) Advance(end packet.Time) {
	if end < m.passed {
		m.broken = fmt.Sprintf("Advance(%d) after Advance(%d)", end, m.passed)
	}
	m.passed = end
	if m.clock.sweep {
		m.expireAll(end)
	}
}

func (m *model) Save(key packet.Order) {
	if key.Eff.Floor(m.epoch) < m.passed {
		m.broken = fmt.Sprintf("Save(%v) after Advance(%d)", key, m.passed)
	}
	for k, e := range m.entries {
		m.savedEntries = append(m.savedEntries, closing{e.at, k, e.n})
	}
	m.saved, m.savedEnds = true, slices.Clone(m.ends)
}

func (m *model) Flush(at packet.Time) {
	if at != m.passed {
		m.broken = fmt.Sprintf("Flush(%d) after Advance(%d)", at, m.passed)
	}
	for key, e := range m.entries {
		m.ends = append(m.ends, closing{at, key, e.n})
	}
	clear(m.entries)
	m.passed = at + 1
}

func (m *model) Finish(last packet.Time) {
	if m.clock.sweep {
		m.expireAll(last)
	}
	for key, e := range m.entries {
		m.ends = append(m.ends, closing{last, key, e.n})
	}
	m.last = last
}

// run plays the files on so many shards and returns all ends, sorted.
func run(t *testing.T, files [][]packet.Packet, shards int, epoch time.Duration, c clock, seed uint64) []closing {
	return play(t, [][][]packet.Packet{files}, nil, shards, epoch, c, seed)
}

// play is run for groups of files that come one after the other; between is called
// when the first is admitted.
func play(t *testing.T, groups [][][]packet.Packet, between func(*merge.Frontier), shards int, epoch time.Duration, c clock, seed uint64) (ends []closing) {
	synctest.Test(t, func(t *testing.T) {
		f := merge.NewFrontier(merge.Config{Shards: shards, Batch: 3, Queue: 1})
		group, ctx := errgroup.WithContext(t.Context())
		scheduling, done := context.WithCancel(ctx)
		group.Go(func() error { _ = f.Schedule(scheduling); return nil })
		models := make([]*model, shards)
		running, ctx := errgroup.WithContext(ctx)
		for i := range models {
			models[i] = &model{clock: c, entries: map[uint64]*closing{}, passed: -packet.MaxTime}
			s := NewShard(merge.NewMerger(f, i), models[i], epoch)
			running.Go(func() error { return s.Run(ctx) })
		}
		for n, files := range groups {
			var entries []merge.Entry
			for i, ps := range files {
				entries = append(entries, merge.Entry{File: uint64(10*n + i), First: ps[0].Eff, Start: func(w *merge.Writer) {
					group.Go(func() error { feed(w, ps, shards, rand.New(rand.NewPCG(seed, uint64(i)))); return nil })
				}})
			}
			f.Admit(entries...)
			if n == 0 && between != nil {
				between(f)
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
			if m.last != models[0].last {
				t.Errorf("shards end at %d and %d", m.last, models[0].last)
			}
			ends = append(ends, m.ends...)
		}
	})
	slices.SortFunc(ends, func(a, b closing) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key), cmp.Compare(a.n, b.n))
	})
	return ends
}

// feed writes packets as a reader does, which lifts what is below the floor.
func feed(w *merge.Writer, ps []packet.Packet, shards int, r *rand.Rand) {
	defer w.Close()
	for _, p := range ps {
		if r.IntN(4) == 0 {
			time.Sleep(time.Duration(r.IntN(20)) * time.Microsecond)
		}
		p.Eff = max(p.Eff, w.Floor)
		p.Rank = uint64(p.Eff)
		w.Append(int(p.Hash)%shards, &p)
	}
}

func randomFiles(r *rand.Rand) [][]packet.Packet {
	files := make([][]packet.Packet, 1+r.IntN(4))
	for f := range files {
		eff := packet.Time(r.IntN(30))
		for i := range 1 + r.IntN(60) {
			eff += packet.Time(r.IntN(3))
			if r.IntN(15) == 0 {
				eff += packet.Time(r.IntN(60))
			}
			files[f] = append(files[f], packet.Packet{Eff: eff, Rank: uint64(eff), Rec: uint64(i), Hash: uint64(r.IntN(12))})
		}
	}
	return files
}

func count(t *testing.T) uint64 {
	if testing.Short() {
		return 60
	}
	return 300
}

func TestEndsDependOnPacketsAlone(t *testing.T) {
	sound := clock{ownKey: true, sweep: true}
	for seed := range count(t) {
		files := randomFiles(rand.New(rand.NewPCG(seed, 1)))
		want := run(t, files, 1, 10*time.Nanosecond, sound, seed)
		for _, c := range []struct {
			shards int
			epoch  time.Duration
		}{{2, 10}, {3, 1}, {7, 10}, {1, 1000}, {4, 3}} {
			if got := run(t, files, c.shards, c.epoch, sound, seed); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %d shards, epochs of %d: ends are\n%v, want\n%v", seed, c.shards, c.epoch, got, want)
			}
		}
	}
}

// Other ways to drive timers look right on one shard with one epoch length.
// Each must be seen to fail, or the rule would be folklore.
func TestOtherClocksAreSeen(t *testing.T) {
	for name, wrong := range map[string]clock{
		"the sweep alone":               {sweep: true},
		"the shard's own packets":       {all: true},
		"own key, but no sweep at ends": {ownKey: true},
	} {
		t.Run(name, func(t *testing.T) {
			differ := 0
			for seed := range count(t) {
				files := randomFiles(rand.New(rand.NewPCG(seed, 1)))
				want := run(t, files, 1, 10*time.Nanosecond, clock{ownKey: true, sweep: true}, seed)
				if got := run(t, files, 3, 10*time.Nanosecond, wrong, seed); !slices.Equal(got, want) {
					differ++
				}
			}
			t.Logf("%d of %d runs differ", differ, count(t))
			if differ == 0 {
				t.Error("nothing differs")
			}
		})
	}
}
