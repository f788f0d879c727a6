package main

import (
	"math"
	"net/netip"
	"slices"
)

// warmUp is how long after the first packet the evaluation begins, seconds:
// before that the product alerts nothing by design.
const warmUp = 240

const hour = 3600 // seconds

// tally is what one length of window reaches against the labels.
type tally struct {
	hours  float64
	kinds  map[string]*hit // of all labels, found or not
	benign []float64       // scores of incidents that are no attack, highest first
	muted  []float64       // the same, the highest of each actor and hour alone
	tops   int             // reports with a first rank
	right  int             // those whose first rank is an attack
	curves map[string]curve
}

// hit is how far one kind stands out.
type hit struct {
	Rank   int     `json:"rank"`   // best in any report; 0: in none
	Score  float64 `json:"score"`  // highest in any report
	Early  bool    `json:"early"`  // that report was within the warm-up, when nothing is alerted
	Judged bool    `json:"judged"` // some report that it lies in was beyond the warm-up
}

// evaluated says whether a report counts.
func (o *outcome) evaluated(w window) bool { return w.TS > o.first+warmUp }

// hours is the evaluated time.
func (o *outcome) hours() float64 { return (o.last - o.first - warmUp) / hour }

// evaluate holds the reports of windows of one length against the labels.
func evaluate(o *outcome, all labels, length float64) *tally {
	t := &tally{hours: o.hours(), kinds: map[string]*hit{}}
	for _, kind := range all.kinds() {
		t.kinds[kind] = &hit{}
	}
	loudest := map[turn]float64{}
	judged := map[window]bool{}
	for _, in := range o.incidents {
		if in.Length != length || !o.evaluated(in.window) || in.Label == "ended" {
			continue
		}
		judged[in.window] = judged[in.window] || in.Baseline == "ok"
		kind := all.kindOf(in.window, in.Orig, in.Resp)
		t.add(in, kind)
		if kind == "" {
			its := turn{in.Actor, int((in.TS - o.first - warmUp) / hour)}
			loudest[its] = max(loudest[its], in.Score)
		}
	}
	for _, score := range loudest {
		t.muted = append(t.muted, score)
	}
	descend(t.benign)
	descend(t.muted)
	t.judge(all, judged)
	t.curves = curvesOf(o, all, length)
	return t
}

// turn is one actor in one hour: what mute lets through once.
type turn struct {
	actor netip.Addr
	hour  int
}

func descend(s []float64) {
	slices.Sort(s)
	slices.Reverse(s)
}

func (t *tally) add(in incident, kind string) {
	if in.Rank == 1 {
		t.tops++
		if kind != "" {
			t.right++
		}
	}
	if kind == "" {
		t.benign = append(t.benign, in.Score)
		return
	}
	h := t.kinds[kind]
	if h.Rank == 0 || in.Rank < h.Rank {
		h.Rank = in.Rank
	}
	if in.Score > h.Score {
		h.Score, h.Early = in.Score, in.Baseline != "ok"
	}
}

// judge notes the kinds that lie in some report beyond the warm-up.
func (t *tally) judge(all labels, judged map[window]bool) {
	for w, ok := range judged {
		for i := range all {
			if ok && all[i].overlaps(w) {
				t.kinds[all[i].kind].Judged = true
			}
		}
	}
}

// inTop says whether a kind has that rank or a better one in some report.
func (t *tally) inTop(kind string, rank int) bool {
	h := t.kinds[kind]
	return h.Rank > 0 && h.Rank <= rank
}

// above says whether a kind is above the threshold that lets that many of the
// benign scores through an hour, rounded down to whole ones.
func (t *tally) above(kind string, benign []float64, perHour float64) bool {
	h := t.kinds[kind]
	if h.Rank == 0 {
		return false
	}
	n := int(perHour * t.hours)
	return n >= len(benign) || h.Score > benign[n]
}

// rate is how many of the benign scores an hour must be let through for a kind
// to be found; +Inf where it is in no report.
func (t *tally) rate(kind string, benign []float64) float64 {
	h := t.kinds[kind]
	if h.Rank == 0 {
		return math.Inf(1)
	}
	n := 0
	for n < len(benign) && benign[n] >= h.Score {
		n++
	}
	return float64(n) / t.hours
}

// recall is the share of kinds of which some tally says found.
func recall(tallies []*tally, found func(t *tally, kind string) bool) float64 {
	n := 0
	for kind := range tallies[0].kinds {
		if slices.ContainsFunc(tallies, func(t *tally) bool { return found(t, kind) }) {
			n++
		}
	}
	return float64(n) / float64(len(tallies[0].kinds))
}

// curvesOf takes each kind's conversations against those without a label.
func curvesOf(o *outcome, all labels, length float64) map[string]curve {
	positive := map[string][]float64{}
	for i := range o.rows {
		if r := &o.rows[i]; r.Length == length && r.Scored && o.evaluated(r.window) {
			kind := all.kindOf(r.window, r.Orig, r.Resp)
			positive[kind] = append(positive[kind], r.Score)
		}
	}
	negative := positive[""]
	delete(positive, "")
	curves := map[string]curve{}
	for kind, scores := range positive {
		if len(negative) > 0 {
			curves[kind] = areas(scores, negative)
		}
	}
	return curves
}
