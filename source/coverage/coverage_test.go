package coverage

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pcapdir/source/packet"
)

func at(sec ...int64) (out []Span) {
	for i := 0; i < len(sec); i += 2 {
		out = append(out, Span{packet.Unix(sec[i], 0), packet.Unix(sec[i+1], 0)})
	}
	return out
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name    string
		add     []Span
		spans   []Span
		overlap int64 // seconds
	}{
		{"nothing", nil, nil, 0},
		{"one packet", at(5, 5), at(5, 5), 0},
		{"rotation", at(0, 9, 10, 19, 20, 29), at(0, 29), 0},
		{"a gap", at(20, 30, 0, 10), at(0, 10, 20, 30), 0},
		{"a gap filled late", at(0, 10, 20, 30, 10, 20), at(0, 30), 0},
		{"nested", at(0, 100, 10, 20, 30, 30), at(0, 100), 10},
		{"around", at(10, 20, 40, 50, 0, 100), at(0, 100), 20},
		{"two taps", at(0, 10, 5, 15, 10, 20), at(0, 20), 10},
		{"three times", at(0, 10, 0, 10, 0, 10), at(0, 10), 20},
		{"before all", at(50, 60, 0, 10), at(0, 10, 50, 60), 0},
	} {
		var s Set
		for _, a := range c.add {
			s.Add(a)
		}
		if !slices.Equal(s.Spans(), c.spans) || s.Overlap != time.Duration(c.overlap)*time.Second || s.Captures != len(c.add) {
			t.Errorf("%s: %v, overlap %v", c.name, s.Spans(), s.Overlap)
		}
	}
}

// In whatever order captures come, the same time is covered, and the spans and the
// gaps are all of it.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var add []Span
		for range 1 + rnd.IntN(30) {
			from := rnd.Int64N(1000)
			add = append(add, at(from, from+rnd.Int64N(60))...)
		}
		var want, got Set
		for _, a := range add {
			want.Add(a)
		}
		rnd.Shuffle(len(add), func(i, j int) { add[i], add[j] = add[j], add[i] })
		for _, a := range add {
			got.Add(a)
		}
		if !slices.Equal(want.Spans(), got.Spans()) {
			t.Fatalf("seed %d: %v and %v", seed, want.Spans(), got.Spans())
		}
		all, _ := got.All()
		sum := got.Covered()
		for _, g := range got.Gaps() {
			if g.Length() <= least {
				t.Errorf("seed %d: a gap of %v", seed, g.Length())
			}
			sum += g.Length()
		}
		if sum != all.Length() {
			t.Errorf("seed %d: %v covered or gap, of %v", seed, sum, all.Length())
		}
	}
}

func TestSetIsBounded(t *testing.T) {
	var s Set
	for i := range int64(maxSpans + 10) {
		s.Add(Span{packet.Unix(i*100, 0), packet.Unix(i*100+50-i%7, 0)})
	}
	if len(s.Spans()) != maxSpans || s.Closed != 10 || s.Captures != maxSpans+10 {
		t.Errorf("%d spans, %d closed", len(s.Spans()), s.Closed)
	}
	sum := s.Summary()
	if len(sum.Longest) != longest || sum.Longest[0].Length() != 56*time.Second || sum.Gaps != maxSpans-1+10 {
		t.Errorf("%+v", sum)
	}
}

func TestDepth(t *testing.T) {
	for want, spans := range map[int][]Span{
		0: nil, 1: at(0, 5, 6, 9), 2: at(0, 5, 5, 9), 3: at(0, 100, 10, 20, 15, 15, 30, 40),
	} {
		if got := Depth(spans); got != want {
			t.Errorf("%v: %d, want %d", spans, got, want)
		}
	}
}
