package merge

import (
	"testing"

	"pcapdir/source/packet"
)

// tap is a source in a test: its files by their first and last stamps.
type tap struct {
	t    *testing.T
	f    *Frontier
	name string
	file uint64
}

// bring admits a file and reads it to its end. It says whether the file came too
// late to be in order.
func (s *tap) bring(first, last packet.Time) (late bool) {
	s.t.Helper()
	var opened []*Writer
	s.file++
	e := entry(s.file, first, &opened)
	e.Source = s.name
	s.f.Admit(e)
	step(s.f)
	if len(opened) != 1 {
		s.t.Fatalf("%d files were opened, want 1", len(opened))
	}
	late = opened[0].Watermark > first
	appendAt(s.t, opened[0], max(first, opened[0].Floor))
	appendAt(s.t, opened[0], max(last, opened[0].Floor))
	opened[0].Close()
	return late
}

// Two taps whose files come in turns wait for each other, and no longer than
// both are live.
func TestLiveSourcesWaitForEachOther(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 99})
	a, b := tap{t: t, f: f, name: "a"}, tap{t: t, f: f, name: "b", file: 100}
	f.Hold("a", -packet.MaxTime)
	f.Hold("b", -packet.MaxTime)
	want := func(eff packet.Time) {
		t.Helper()
		if got := safeOf(f).Eff; got != eff {
			t.Errorf("safe is at %d, want %d", got, eff)
		}
	}
	for at := packet.Time(300); at <= 3000; at += 300 {
		if a.bring(at-300, at) || b.bring(at-150, at+150) {
			t.Errorf("a file is late at %d", at)
		}
		want(at)
	}
	// The next file of a does not begin before 3100, whatever has been read.
	f.Hold("a", 3100)
	want(3100)
	f.Release("a")
	want(3150)
	if f.Release("b"); len(f.sources) > 0 || len(f.live) > 0 {
		t.Errorf("%d sources are remembered of which nothing is left", len(f.sources))
	}
	if !a.bring(3100, 3400) {
		t.Error("a file below safe of a source that was given up is not late")
	}
	want(3400)
}

// At the end of input nobody is waited for.
func TestLiveSourcesDoNotHoldTheEndBack(t *testing.T) {
	f := NewFrontier(Config{Shards: 1, Batch: 1, Queue: 99})
	a := tap{t: t, f: f, name: "a"}
	f.Hold("a", -packet.MaxTime)
	f.Hold("b", 50)
	a.bring(0, 100)
	if safeOf(f).Eff != 50 {
		t.Errorf("safe is at %d, want 50", safeOf(f).Eff)
	}
	if f.CloseInput(); safeOf(f) != packet.MaxOrder {
		t.Error("a live source holds the end of input back")
	}
}
