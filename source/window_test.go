package source

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pcapdir/source/packet"
)

// sorted is the rule itself, on all stamps at once: each record's effective
// time, then everything in order of it.
func sorted(stamps []packet.Time, size time.Duration, floor packet.Time) []packet.Packet {
	m := leastStamp
	var out []packet.Packet
	for i, ts := range stamps {
		out = append(out, packet.Packet{TS: ts, Rec: uint64(i), Eff: max(ts, m.Add(-size), floor)})
		m = max(m, ts)
	}
	slices.SortStableFunc(out, func(a, b packet.Packet) int { return cmp.Compare(a.Eff, b.Eff) })
	return out
}

func through(stamps []packet.Time, size time.Duration, floor packet.Time) (out []packet.Packet, disorder int) {
	w := newWindow(size, floor)
	for i, ts := range stamps {
		if out, _ := w.add(&packet.Packet{TS: ts, Rec: uint64(i)}); out {
			disorder++
		}
		for p := w.next(false); p != nil; p = w.next(false) {
			out = append(out, *p)
		}
	}
	for p := w.next(true); p != nil; p = w.next(true) {
		out = append(out, *p)
	}
	return out, disorder
}

func TestWindowIsTheRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		stamps := make([]packet.Time, r.IntN(300))
		at, spread := packet.Time(0), 1+r.IntN(200)
		for i := range stamps {
			at += packet.Time(r.IntN(4))
			stamps[i] = at + packet.Time(r.IntN(spread))
		}
		size, floor := time.Duration(r.IntN(150)), packet.Time(r.IntN(200)-100)
		want := sorted(stamps, size, floor)
		got, _ := through(stamps, size, floor)
		if !slices.Equal(got, want) {
			t.Fatalf("window %d, floor %d, stamps %v:\ngot  %v\nwant %v", size, floor, stamps, got, want)
		}
	}
}

// With no window the records stand as they are, which is what Zeek does.
func TestNoWindowKeepsTheFilesOrder(t *testing.T) {
	stamps := []packet.Time{5, 3, 9, 9, 1, 12}
	got, disorder := through(stamps, 0, -100)
	want := []packet.Time{5, 5, 9, 9, 9, 12}
	for i, p := range got {
		if p.Rec != uint64(i) || p.Eff != want[i] || p.TS != stamps[i] {
			t.Errorf("record %d came as %+v, want eff %d", i, p, want[i])
		}
	}
	if disorder != 2 {
		t.Errorf("disorder %d, want 2", disorder)
	}
}

// A file may pretend that everything is within its window. Then the window lets
// out early, and everything still comes out once, in order.
func TestWindowIsBounded(t *testing.T) {
	const n = DefaultHeld * 2
	w := newWindow(time.Hour, leastStamp)
	last, seen, most := leastStamp, 0, 0
	take := func(drain bool) {
		for p := w.next(drain); p != nil; p = w.next(drain) {
			if p.Eff < last {
				t.Fatalf("%d after %d", p.Eff, last)
			}
			last = p.Eff
			seen++
		}
	}
	for i := range n {
		_, lifted := w.add(&packet.Packet{TS: packet.Time(n - i), Rec: uint64(i)}) // backwards: the worst case
		if lifted != (i > DefaultHeld) {
			t.Fatalf("packet %d of a window of %d is lifted: %v", i, DefaultHeld, lifted)
		}
		take(false)
		most = max(most, len(w.stragglers)+int(w.tail-w.head))
	}
	take(true)
	if seen != n || most > DefaultHeld+1 {
		t.Errorf("%d of %d packets, at most %d at once", seen, n, most)
	}
}

func TestWindowAllocatesNothing(t *testing.T) {
	w := newWindow(100, leastStamp)
	ts := packet.Time(0)
	step := func() {
		for range 1000 {
			ts += 3
			w.add(&packet.Packet{TS: ts - ts%7, Rec: uint64(ts)})
			for w.next(false) != nil {
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%v allocations per 1000 packets", n)
	}
}

func BenchmarkWindow(b *testing.B) {
	for _, c := range []struct {
		name string
		size time.Duration
	}{{"file", 0}, {"sort", 100 * time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			w := newWindow(c.size, leastStamp)
			var p packet.Packet
			b.ReportAllocs()
			for b.Loop() {
				p.TS += 8000 // 125 000 packets a second
				w.add(&p)
				for w.next(false) != nil {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/packet")
		})
	}
}
