package main

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// table writes labels.csv and reads it.
func table(t *testing.T, rows ...string) (labels, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "labels.csv")
	text := "src,dst,start,end,kind,role\n" + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return readLabels(path)
}

func TestKindOf(t *testing.T) {
	all, err := table(t,
		"*,10.0.2.80,1000,1010,flood,attack",
		"203.0.113.5,10.0.2.80,1000,1100,scan,attack",
		"10.0.1.3,10.0.2.0/24,1065.5,1070,sweep,attack",
		"2001:db8::1,2001:db8:1::/48,1000,1010,six,attack",
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		end        float64 // of a window of a minute
		orig, resp string
		want       string
	}{
		{"source named", 1060, "203.0.113.5", "10.0.2.80", "scan"},
		{"the other way round", 1060, "10.0.2.80", "203.0.113.5", "scan"},
		{"forged source", 1060, "198.51.100.7", "10.0.2.80", "flood"},
		{"reply to a forged source", 1060, "10.0.2.80", "198.51.100.7", "flood"},
		{"in the prefix", 1120, "10.0.1.3", "10.0.2.200", "sweep"},
		{"beside the prefix", 1120, "10.0.1.3", "10.0.3.1", ""},
		{"another source", 1120, "10.0.1.4", "10.0.2.200", ""},
		{"before it began", 1065, "10.0.1.3", "10.0.2.200", ""},
		{"ends as it begins", 1065.5, "10.0.1.3", "10.0.2.200", ""},
		{"begins as it ends", 1130, "10.0.1.3", "10.0.2.200", "sweep"},
		{"after it ended", 1130.5, "10.0.1.3", "10.0.2.200", ""},
		{"IPv6", 1060, "2001:db8::1", "2001:db8:1:2::3", "six"},
		{"nobody", 1060, "10.0.1.9", "10.0.1.8", ""},
	} {
		if got := all.kindOf(window{c.end, 60}, addr(c.orig), addr(c.resp)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := strings.Join(all.kinds(), " "); got != "flood scan six sweep" {
		t.Errorf("kinds are %s", got)
	}
}

func TestLabelsThatAreWrong(t *testing.T) {
	for _, row := range []string{
		"host,10.0.0.1,1,2,scan,attack", "10.0.0.1,,1,2,scan,attack", "10.0.0.1,10.0.0.2,soon,2,scan,attack",
		"10.0.0.1,10.0.0.2,1,late,scan,attack", "10.0.0.1,10.0.0.2,1,2,,attack", "10.0.0.1,10.0.0.2,1",
	} {
		if _, err := table(t, row); err == nil {
			t.Errorf("%s: accepted", row)
		}
	}
	if _, err := table(t); err == nil {
		t.Error("an empty table is accepted")
	}
}

// story is an outcome of one actor's attack among benign incidents. Time 0 is
// the first packet; an hour is evaluated.
func story() (*outcome, labels) {
	target, bad := addr("10.0.2.1"), addr("203.0.113.1")
	o := &outcome{first: 0, last: warmUp + hour}
	line := func(ts float64, rank int, who netip.Addr, score float64, baseline string) {
		o.reports = append(o.reports, window{ts, 60})
		o.incidents = append(o.incidents, incident{window{ts, 60}, rank, "normal", who, who, target, score, baseline})
	}
	line(240, 1, bad, 99, "ok") // not evaluated
	line(300, 1, addr("10.0.1.1"), 9, "warming")
	line(300, 2, bad, 8, "warming")
	line(360, 1, addr("10.0.1.1"), 7, "ok")
	line(360, 2, addr("10.0.1.2"), 6, "ok")
	line(420, 1, addr("10.0.1.1"), 6, "ok")
	line(420, 2, addr("10.0.1.3"), 5, "ok")
	line(420, 3, bad, 5.5, "ok")
	o.incidents = append(o.incidents, incident{window{480, 60}, 0, "ended", bad, bad, target, 50, "ok"}) // no incident of that report
	p := func(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, 32) }
	return o, labels{
		{p(bad), p(target), 200, 280, "early"}, {p(bad), p(target), 390, 410, "late"}, {p(bad), p(addr("10.9.9.9")), 200, 410, "unseen"},
	}
}

func TestRankAndRate(t *testing.T) {
	o, all := story()
	s := evaluate(o, all, 60)
	for _, c := range []struct {
		kind           string
		want           hit
		rate, muted    float64
		top2, top3     bool
		at1, at2, at29 bool // incidents an hour, not muted
	}{
		{"early", hit{2, 8, true, false}, 1, 1, true, true, true, true, true},
		{"late", hit{3, 5.5, false, true}, 4, 2, false, true, false, false, false},
		{"unseen", hit{0, 0, false, true}, math.Inf(1), math.Inf(1), false, false, false, false, false},
	} {
		if got := *s.kinds[c.kind]; got != c.want {
			t.Errorf("%s: %+v, want %+v", c.kind, got, c.want)
		}
		if rate, muted := s.rate(c.kind, s.benign), s.rate(c.kind, s.muted); rate != c.rate || muted != c.muted {
			t.Errorf("%s: found at %v an hour, %v muted, want %v and %v", c.kind, rate, muted, c.rate, c.muted)
		}
		if s.inTop(c.kind, 2) != c.top2 || s.inTop(c.kind, 3) != c.top3 {
			t.Errorf("%s: in the top 2 or 3: not %t and %t", c.kind, c.top2, c.top3)
		}
		if s.above(c.kind, s.benign, 1) != c.at1 || s.above(c.kind, s.benign, 2) != c.at2 || s.above(c.kind, s.benign, 2.9) != c.at29 {
			t.Errorf("%s: at 1, 2 and 2.9 an hour: not %t, %t and %t", c.kind, c.at1, c.at2, c.at29)
		}
	}
	if !s.above("late", s.benign, 4) || s.above("late", s.benign, 3) || !s.above("late", s.benign, 100) || s.above("unseen", s.benign, 100) {
		t.Error("late is found from 4 an hour, unseen never")
	}
	if s.tops != 3 || s.right != 0 || len(s.benign) != 5 || len(s.muted) != 3 {
		t.Errorf("%d first ranks, %d of attacks, %d benign incidents, %d muted", s.tops, s.right, len(s.benign), len(s.muted))
	}
}

// Each window gets half of the rate, and one that finds a kind is enough.
func TestBothWindows(t *testing.T) {
	found := map[string]*hit{"a": {1, 9, false, true}, "b": {4, 2, false, true}}
	other := map[string]*hit{"a": {0, 0, false, true}, "b": {2, 7, false, true}}
	f := figuresOf("both", []*tally{
		{hours: 1, kinds: found, benign: []float64{8, 3, 1}},
		{hours: 1, kinds: other, benign: []float64{7.5, 7.2, 7.1, 6}},
	})
	if f.Top[1] != .5 || f.Top[3] != 1 || f.At[6] != 1 {
		t.Errorf("%+v", f)
	}
	strict := &tally{hours: 1. / 3, kinds: other, benign: []float64{7.5, 7.2, 7.1, 6}} // 3 an hour are 1 then
	if f := figuresOf("both", []*tally{{hours: 1, kinds: found, benign: []float64{8, 3, 2.5, 2.4}}, strict}); f.At[6] != .5 {
		t.Errorf("%+v", f)
	}
}

func TestAreasAgainstTheirDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		positive, negative := make([]float64, 1+r.IntN(9)), make([]float64, 1+r.IntN(30))
		for i := range positive {
			positive[i] = float64(r.IntN(12)) // many are equal
		}
		for i := range negative {
			negative[i] = float64(r.IntN(10))
		}
		got, want := areas(positive, negative), byPairs(positive, negative)
		if math.Abs(got.roc-want.roc) > 1e-12 || math.Abs(got.pr-want.pr) > 1e-12 {
			t.Fatalf("%v against %v: %+v, want %+v", positive, negative, got, want)
		}
	}
	if got := areas([]float64{3, 2}, []float64{1, 0}); got != (curve{1, 1}) {
		t.Errorf("all above: %+v", got)
	}
	if got := areas([]float64{1}, []float64{1, 1}); got.roc != .5 {
		t.Errorf("all equal: %+v", got)
	}
}

// byPairs looks at every pair.
func byPairs(positive, negative []float64) (c curve) {
	for _, p := range positive {
		var above, below float64
		for _, n := range negative {
			switch {
			case p > n:
				c.roc++
			case p == n:
				c.roc += .5
			}
			if n >= p {
				below++
			}
		}
		for _, q := range positive {
			if q >= p {
				above++
			}
		}
		c.pr += above / (above + below)
	}
	c.roc /= float64(len(positive) * len(negative))
	c.pr /= float64(len(positive))
	return c
}

// One kind's conversations are held against those without a label, of scored
// and evaluated windows of that length alone.
func TestCurves(t *testing.T) {
	o, all := story()
	bad, target, good := addr("203.0.113.1"), addr("10.0.2.1"), addr("10.0.1.1")
	put := func(ts, length float64, orig netip.Addr, scored bool, score float64) {
		o.rows = append(o.rows, row{window: window{ts, length}, Orig: orig, Resp: target, Scored: scored, Score: score})
	}
	put(420, 60, bad, true, 2)
	put(420, 60, good, true, 1)
	put(420, 60, good, true, 3)
	put(420, 60, good, false, 9)
	put(240, 60, good, true, 9)
	put(420, 300, good, true, 9)
	got := curvesOf(o, all, 60)
	if len(got) != 1 || got["late"] != (curve{.5, .5}) {
		t.Errorf("%+v", got)
	}
}

func TestWindowName(t *testing.T) {
	for seconds, want := range map[float64]string{60: "1m", 300: "5m", 30: "30s", 3600: "60m"} {
		if got := windowName(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}
