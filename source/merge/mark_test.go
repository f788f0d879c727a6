package merge

import (
	"testing"

	"pcapdir/source/packet"
)

// A mark stands just past what was read, stops every shard before what comes
// afterwards, and waits for the one before it.
func TestMark(t *testing.T) {
	f := NewFrontier(Config{Shards: 2, Batch: 1, Queue: 9})
	if up, ok := f.Mark(true); !ok || up != -packet.MaxTime {
		t.Errorf("before the first file: %d, %t", up, ok)
	}
	var opened []*Writer
	f.Admit(entry(1, 100, &opened))
	if _, ok := f.Mark(false); ok {
		t.Error("a mark while a file waits")
	}
	step(f)
	appendAt(t, opened[0], 150)
	if _, ok := f.Mark(false); ok {
		t.Error("a mark while a file is open")
	}
	opened[0].Close()
	if up, ok := f.Mark(true); !ok || up != 152 {
		t.Errorf("the flush is %d, %t, want one at 151, and rest behind it", up, ok)
	}
	f.Admit(entry(2, 100, &opened))
	step(f)
	if opened[1].Floor != 153 || opened[1].Watermark != 152 {
		t.Errorf("a file from before has the floor %d and the watermark %d", opened[1].Floor, opened[1].Watermark)
	}
	opened[1].Close()
	mergers := []*Merger{NewMerger(f, 0), NewMerger(f, 1)}
	for _, m := range mergers {
		if _, ok := f.Mark(false); ok {
			t.Error("a mark while a shard has not passed the last one")
		}
		if safe, _ := m.Load(); safe != packet.At(151) {
			t.Errorf("safe is %v before the mark is passed", safe)
		}
		if mark, ok := m.Mark(); !ok || mark.Key != packet.At(151) || !mark.Flush {
			t.Errorf("the mark is %+v, %t", mark, ok)
		}
		m.Pass()
		if safe, _ := m.Load(); safe != packet.At(153) {
			t.Errorf("safe is %v behind the mark", safe)
		}
		if _, ok := m.Mark(); ok {
			t.Error("a mark twice")
		}
	}
	for range 2 { // at rest it stays where it is
		if up, ok := f.Mark(false); !ok || up != 153 {
			t.Errorf("the seal is %d, %t", up, ok)
		}
		for _, m := range mergers {
			m.Load()
			m.Pass()
		}
	}
	f.CloseInput()
	if _, ok := f.Mark(false); ok {
		t.Error("a mark after the end of input")
	}
}

// A mark does not wait for live sources; what comes afterwards does again.
func TestMarkPassesLiveSources(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 99})
	a, b := tap{t: t, f: f, name: "a"}, tap{t: t, f: f, name: "b", file: 100}
	f.Hold("a", -packet.MaxTime)
	f.Hold("b", -packet.MaxTime)
	b.bring(0, 250)
	a.bring(0, 300)
	if got := safeOf(f).Eff; got != 250 {
		t.Fatalf("safe is at %d though b may bring 250", got)
	}
	if up, ok := f.Mark(false); !ok || up != 301 || safeOf(f).Eff != 301 {
		t.Errorf("the seal is %d, %t, and safe at %d", up, ok, safeOf(f).Eff)
	}
	f.Hold("b", 260) // the wall clock goes on
	if got := safeOf(f).Eff; got != 301 {
		t.Errorf("safe is at %d behind a seal", got)
	}
	a.bring(400, 600)
	if got := safeOf(f).Eff; got != 301 {
		t.Errorf("safe is at %d though b may bring 301", got)
	}
	if late := b.bring(270, 500); !late {
		t.Error("what a seal has passed is late")
	}
}

// A cut stands where shards may go anyway, behind the record that was handled last.
// All stop there, the relay too, before anything that came since.
func TestCut(t *testing.T) {
	f := NewFrontier(Config{Shards: 2, Batch: 1, Queue: 9})
	var opened []*Writer
	f.Admit(entry(1, 100, &opened))
	step(f)
	appendAt(t, opened[0], 150)
	opened[0].Publish()
	key, ok := f.Cut()
	if want := (packet.Order{Eff: 150, File: 1}).NextRecord(); !ok || key != want {
		t.Fatalf("cut at %v, %t, want %v", key, ok, want)
	}
	if _, again := f.Cut(); again {
		t.Error("a cut before the last one is passed")
	}
	appendAt(t, opened[0], 200)
	opened[0].Close()
	relay := NewRelay(t.Context(), f)
	for _, m := range []*Merger{NewMerger(f, 0), NewMerger(f, 1), relay.in} {
		if _, again := f.Cut(); again {
			t.Error("a cut before all have passed the last one")
		}
		if safe, _ := m.Load(); safe != key {
			t.Errorf("safe is %v before the cut is passed", safe)
		}
		if mark, ok := m.Mark(); !ok || !mark.Cut || mark.Key != key {
			t.Errorf("the mark is %+v, %t", mark, ok)
		}
		m.Pass()
		if safe, _ := m.Load(); safe.Eff != 200 {
			t.Errorf("safe is %v behind the cut", safe)
		}
	}
	if key, ok := f.Cut(); !ok || key.Eff != 200 {
		t.Errorf("the next one: %v, %t", key, ok)
	}
	for _, m := range []*Merger{NewMerger(f, 0), NewMerger(f, 1)} {
		m.Load()
		m.Pass()
	}
	f.CloseInput()
	relay.Load()
	relay.Pass()
	if _, ok := f.Cut(); ok {
		t.Error("a cut after the end of input")
	}
}

// What goes on from a cut has the floors that it had, and new files are late by it.
func TestResume(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 9})
	key := (packet.Order{Eff: 150, File: 1}).NextRecord()
	f.Resume(key, 120)
	var opened []*Writer
	was := entry(1, 100, &opened)
	was.Resumed, was.Floor, was.Watermark = true, 90, 80
	late := entry(2, 149, &opened)
	var floor packet.Time
	late.Lifted = func(at, _ packet.Time) { floor = at }
	f.Admit(late, was)
	step(f)
	if w := opened[0]; w.File != 1 || w.Floor != 90 || w.Watermark != 80 || w.progress != key {
		t.Errorf("resumed: %+v", w.Run)
	}
	if floor != 151 || f.Last() != 120 {
		t.Errorf("a file from before has the floor %d, and time got to %d", floor, f.Last())
	}
	if safe, _ := NewMerger(f, 0).Load(); safe != key {
		t.Errorf("safe is %v", safe)
	}
}
