package merge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/source/packet"
)

// The model: files with many ties and skewed shards, read by goroutines that
// pause at random, merged by shards that pause at random, with queues of one
// batch. Every schedule must give each shard exactly its packets, in order, as
// a sequential merge gives them. Then each rule is broken on purpose, and some
// schedules must hang or go wrong: a rule whose breach nothing notices is
// either not needed or not tested.

// rules are the operations whose mutants the model runs.
type rules struct {
	append  func(w *Writer, shard int, p *packet.Packet) bool
	divert  func(w *Writer, p *packet.Packet, data []byte) bool
	close   func(w *Writer)
	open    func(f *Frontier) func()
	load    func(m *Merger) (packet.Order, packet.Time)
	admit   func(f *Frontier, entries ...Entry)
	wait    func(m *Merger, ctx context.Context) error
	advance func(r *Relay, safe packet.Order) bool
	cut     func(f *Frontier) (packet.Order, bool)
}

func sound() rules {
	return rules{
		append:  (*Writer).Append,
		divert:  (*Writer).Divert,
		close:   (*Writer).Close,
		open:    (*Frontier).openNext,
		load:    (*Merger).Load,
		admit:   (*Frontier).Admit,
		wait:    (*Merger).Wait,
		advance: (*Relay).Advance,
		cut:     (*Frontier).Cut,
	}
}

// script is one random case: what the files hold, and when they are admitted.
type script struct {
	cfg    Config
	files  [][]packet.Packet // in key order; TS is the file, Hash the shard; fragments have DropFragment
	second int               // files from here on are admitted once the first group is at rest
}

func newScript(r *rand.Rand) script {
	s := script{cfg: Config{Shards: 1 + r.IntN(4), Batch: 1 + r.IntN(4), Queue: 1}}
	n := 1 + r.IntN(6)
	fragments := r.IntN(4) // one packet in 2, 4 or 8; or none
	for f := range n {
		s.files = append(s.files, newFile(r, uint64(f), s.cfg.Shards))
		for i := range s.files[f] {
			if p := &s.files[f][i]; fragments > 0 && r.IntN(1<<fragments) == 0 {
				p.Drop = packet.DropFragment
				p.Seq = uint32(r.IntN(5))      // its datagram
				p.Depth = uint8(r.IntN(5) / 4) // 1: inside a packet that goes to a shard
			}
		}
	}
	s.second = n
	if r.IntN(3) == 0 {
		s.second = 1 + r.IntN(n)
	}
	return s
}

func newFile(r *rand.Rand, file uint64, shards int) []packet.Packet {
	eff, rank := packet.Time(r.IntN(20)), uint64(r.IntN(3))
	skew := r.IntN(shards)
	ps := make([]packet.Packet, 1+r.IntN(60))
	for i := range ps {
		if step := packet.Time(r.IntN(3)); step > 0 {
			eff, rank = eff+step, uint64(r.IntN(3))
		}
		shard := r.IntN(shards)
		if r.IntN(4) > 0 {
			shard = skew
		}
		ps[i] = packet.Packet{Eff: eff, TS: packet.Time(file), Rank: rank, Rec: uint64(i), Hash: uint64(shard)}
	}
	return ps
}

// pairs is the defragmenter of the model: two fragments are a datagram, of which
// come up to five packets, several of them for the same shard.
type pairs struct {
	waiting map[uint32]bool
	shards  int
}

func (ps *pairs) add(p packet.Packet, id uint32, emit func(*packet.Packet) bool) bool {
	ps.waiting[id] = !ps.waiting[id]
	if ps.waiting[id] {
		return true
	}
	p.Drop = packet.DropNone
	for i := range 1 + id {
		p.Hash = uint64(id+i/3) % uint64(ps.shards)
		if !emit(&p) {
			return false
		}
	}
	return true
}

// outcome is what the shards handled.
type outcome struct {
	handled [][]packet.Order
	late    []packet.Time // floors of the files of the second group
	cuts    []packet.Order
	saved   [][]int // at each cut: what each shard had handled, and the relay taken, at the end
	hang    bool
}

// play runs s under the given rules. All pauses are in the bubble's fake time:
// when everything waits for ever, the clock jumps to the deadline.
func play(t *testing.T, s script, seed uint64, do rules) (out outcome) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		f := NewFrontier(s.cfg)
		out.handled = make([][]packet.Order, s.cfg.Shards)
		out.late = make([]packet.Time, len(s.files))
		var wg sync.WaitGroup
		entry := func(i int) Entry {
			first := s.files[i][0].Eff
			return Entry{File: uint64(i), First: first, Start: func(w *Writer) {
				out.late[i] = w.Floor
				wg.Go(func() { readFile(ctx, w, s.files[i], rand.New(rand.NewPCG(seed, uint64(i))), do) })
			}}
		}
		wg.Go(func() { schedule(ctx, f, do, rand.New(rand.NewPCG(seed, 77))) })
		var shards sync.WaitGroup
		saved := make([][]int, s.cfg.Shards+1)
		shards.Go(func() {
			saved[s.cfg.Shards] = relay(NewRelay(ctx, f), s.cfg.Shards, rand.New(rand.NewPCG(seed, 78)), do)
		})
		for i := range s.cfg.Shards {
			shards.Go(func() {
				out.handled[i], saved[i] = shard(ctx, NewMerger(f, i), rand.New(rand.NewPCG(seed, 100+uint64(i))), do)
			})
		}
		cutting, end := context.WithCancel(ctx)
		wg.Go(func() { out.cuts = cuts(cutting, f, rand.New(rand.NewPCG(seed, 79)), do) })
		admit(ctx, f, s, entry, do)
		shards.Wait()
		end()
		out.saved = saved
		out.hang = ctx.Err() != nil
		cancel()
		wg.Wait()
	})
	return out
}

func admit(ctx context.Context, f *Frontier, s script, entry func(int) Entry, do rules) {
	var first, second []Entry
	for i := range s.files {
		if i < s.second {
			first = append(first, entry(i))
		} else {
			second = append(second, entry(i))
		}
	}
	do.admit(f, first...)
	if len(second) > 0 {
		for _, idle := f.Idle(); !idle && ctx.Err() == nil; _, idle = f.Idle() {
			time.Sleep(10 * time.Millisecond)
		}
		do.admit(f, second...)
	}
	f.CloseInput()
}

// cuts cuts at random moments, until ctx ends or it has tried often enough.
func cuts(ctx context.Context, f *Frontier, r *rand.Rand, do rules) (keys []packet.Order) {
	for tries := 0; tries < 50 && ctx.Err() == nil; tries++ {
		time.Sleep(time.Duration(1+r.IntN(500)) * time.Microsecond)
		if key, ok := do.cut(f); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func pause(r *rand.Rand) {
	if r.IntN(3) == 0 {
		time.Sleep(time.Duration(r.IntN(50)) * time.Microsecond)
	}
}

func readFile(ctx context.Context, w *Writer, ps []packet.Packet, r *rand.Rand, do rules) {
	w.Bind(ctx)
	for i := range ps {
		pause(r)
		p := ps[i]
		if p.Eff < w.Floor {
			p.Eff, p.Rank = w.Floor, 0 // as a reader lifts: one run of equal time, one rank
		}
		if !send(w, p, do) {
			break
		}
	}
	do.close(w)
}

// around are the packets of p's record that carry p, each to a shard of its own.
func around(p packet.Packet, shards int) (all []packet.Packet) {
	depth := p.Depth
	p.Drop = packet.DropNone
	for i := range depth {
		p.Hash = uint64(i) % uint64(shards)
		all = append(all, p)
	}
	return all
}

func send(w *Writer, p packet.Packet, do rules) bool {
	for _, q := range around(p, w.frontier.cfg.Shards) {
		if !do.append(w, int(q.Hash), &q) {
			return false
		}
	}
	if p.Drop != packet.DropNone {
		return do.divert(w, &p, []byte{byte(p.Seq)})
	}
	return do.append(w, int(p.Hash), &p)
}

func relay(m *Relay, shards int, r *rand.Rand, do rules) (saved []int) {
	ps := pairs{map[uint32]bool{}, shards}
	taken := 0
	for {
		safe := m.Load()
		for d, ok := m.Next(); ok; d, ok = m.Next() {
			pause(r)
			taken++
			file := d.File
			if !ps.add(*d.Packet, uint32(d.Data[0]), func(p *packet.Packet) bool { return m.Append(int(p.Hash), file, p) }) {
				return saved
			}
		}
		pause(r)
		if !do.advance(m, safe) || safe == packet.MaxOrder {
			return saved
		}
		if m.Cut() {
			saved = append(saved, taken)
			m.Pass()
		} else if m.Wait() != nil {
			return saved
		}
	}
}

func schedule(ctx context.Context, f *Frontier, do rules, r *rand.Rand) {
	for ctx.Err() == nil {
		for start := do.open(f); start != nil; start = do.open(f) {
			pause(r)
			start()
		}
		select {
		case <-f.scheduler:
		case <-ctx.Done():
		}
	}
}

func shard(ctx context.Context, m *Merger, r *rand.Rand, do rules) (had []packet.Order, saved []int) {
	refs := make([]*packet.Packet, 0, 3)
	for {
		safe, _ := do.load(m)
		for {
			pause(r)
			refs = m.Next(refs[:0])
			if len(refs) == 0 {
				break
			}
			for _, p := range refs {
				had = append(had, p.Order(uint64(p.TS)))
			}
		}
		if safe == packet.MaxOrder {
			return had, saved
		}
		if _, ok := m.Mark(); ok {
			saved = append(saved, len(had))
			m.Pass()
		} else if do.wait(m, ctx) != nil {
			return had, saved
		}
	}
}

// expect is the oracle: everything sorted at once, then put together. The last list
// is what the relay takes; made is the keys of what comes of each of that.
func expect(s script, floors []packet.Time) (want, made [][]packet.Order) {
	var all []packet.Packet
	for i, ps := range s.files {
		for _, p := range ps {
			if p.Eff < floors[i] {
				p.Eff, p.Rank = floors[i], 0
			}
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b packet.Packet) int {
		return a.Order(uint64(a.TS)).Compare(b.Order(uint64(b.TS)))
	})
	want = make([][]packet.Order, s.cfg.Shards+1)
	had := func(p *packet.Packet) { want[p.Hash] = append(want[p.Hash], p.Order(uint64(p.TS))) }
	ps := pairs{map[uint32]bool{}, s.cfg.Shards}
	for _, p := range all {
		for _, q := range around(p, s.cfg.Shards) {
			q.Sub = p.Sub
			had(&q)
			p.Sub += recordStep
		}
		if p.Drop == packet.DropNone {
			had(&p)
			continue
		}
		want[s.cfg.Shards] = append(want[s.cfg.Shards], p.Order(uint64(p.TS)))
		made = append(made, nil)
		ps.add(p, p.Seq, func(p *packet.Packet) bool {
			had(p)
			made[len(made)-1] = append(made[len(made)-1], p.Order(uint64(p.TS)))
			p.Sub++
			return true
		})
	}
	return want, made
}

// try plays one script and says what went wrong, or nothing.
func try(t *testing.T, seed uint64, do rules) string {
	s := newScript(rand.New(rand.NewPCG(seed, 0)))
	out := play(t, s, seed, do)
	if out.hang {
		return "hang"
	}
	all, made := expect(s, out.late)
	for n, key := range out.cuts {
		for i, taken := range all[s.cfg.Shards] {
			if taken.Less(key) && len(made[i]) > 0 && !made[i][len(made[i])-1].Less(key) {
				return fmt.Sprintf("cut %d, %v, is between %v and what comes of it: %v", n, key, taken, made[i])
			}
		}
		for i, want := range all {
			below, _ := slices.BinarySearchFunc(want, key, packet.Order.Compare)
			if n >= len(out.saved[i]) {
				return fmt.Sprintf("cut %d at %v was never passed by %d", n, key, i)
			}
			if got := out.saved[i][n]; got != below {
				return fmt.Sprintf("at cut %d, %v, %d had %d packets, want %d", n, key, i, got, below)
			}
		}
	}
	for i, want := range all[:s.cfg.Shards] {
		got := out.handled[i]
		if !slices.IsSortedFunc(got, packet.Order.Compare) {
			return fmt.Sprintf("shard %d out of order: %v", i, got)
		}
		if !slices.Equal(got, want) {
			return fmt.Sprintf("shard %d handled %d packets %v, want %d %v", i, len(got), got, len(want), want)
		}
	}
	return ""
}

func schedules(t *testing.T) uint64 {
	if testing.Short() {
		return 150
	}
	return 1000
}

func TestEveryScheduleGivesTheOneOrder(t *testing.T) {
	for seed := range schedules(t) {
		if bad := try(t, seed, sound()); bad != "" {
			t.Fatalf("seed %d: %s", seed, bad)
		}
	}
}

func TestEveryBrokenRuleIsSeen(t *testing.T) {
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			hangs, wrong := 0, 0
			for seed := range schedules(t) {
				switch bad := try(t, seed, m.rules); {
				case bad == "hang":
					hangs++
				case bad != "":
					wrong++
				}
				if hangs+wrong >= 3 && testing.Short() {
					break
				}
			}
			t.Logf("of %d schedules %d hung and %d were wrong", schedules(t), hangs, wrong)
			if hangs+wrong == 0 {
				t.Error("the rule was broken and nothing failed")
			}
		})
	}
}

// The mutants are written with their own Append and Close: without a breach
// these must hold like the real ones, or a mutant could fail for its wrapping.
func TestMutantsAreSoundButForTheirBreach(t *testing.T) {
	do := sound()
	whole := writing{publish: publishSound, flush: flushSound}
	do.append, do.close = appendBy(whole), closeBy(whole)
	for seed := range schedules(t) {
		if bad := try(t, seed, do); bad != "" {
			t.Fatalf("seed %d: %s", seed, bad)
		}
	}
}

// What the relay makes of one packet has several keys: if they were one, progress
// would stand at it while a shard sleeps with a full queue of it.
func TestPacketsOfOneRecordNeedKeysOfTheirOwn(t *testing.T) {
	do := sound()
	do.advance = func(r *Relay, safe packet.Order) bool {
		r.out.step = 0
		return r.Advance(safe)
	}
	hangs := 0
	for seed := range schedules(t) {
		if try(t, seed, do) == "hang" {
			hangs++
		}
	}
	t.Logf("of %d schedules %d hung", schedules(t), hangs)
	if hangs == 0 {
		t.Error("nothing hung: the rule is not needed, or not tested")
	}
}
