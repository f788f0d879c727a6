package main

import (
	"maps"
	"math"
	"slices"
)

// The ranks and rates that are reported.
var (
	ranks = []int{1, 3, 5, 10}
	rates = []int{6, 20, 60} // false incidents an hour
)

// result is one mode of the product on one set of captures.
type result struct {
	Set     string                 `json:"set"`
	Mode    string                 `json:"mode"` // of vectors.features
	Packets uint64                 `json:"packets"`
	Kinds   int                    `json:"kinds"`
	Hours   float64                `json:"hours"` // evaluated
	Columns []figures              `json:"columns"`
	PerKind map[string][]kindInOne `json:"per_kind"` // one for each length of window
}

// figures are those of one length of window, or of all together.
type figures struct {
	Windows string          `json:"windows"`
	Top     map[int]float64 `json:"top"`     // recall of kinds by rank
	At      map[int]float64 `json:"at_rate"` // recall of kinds by false incidents an hour
	Muted   map[int]float64 `json:"at_rate_muted"`
	Alerts  alerts          `json:"alerts"`
	Single  *single         `json:"single,omitempty"`
}

// single is what makes sense for one length of window only.
type single struct {
	ROC   float64 `json:"roc_auc"` // means over kinds
	PR    float64 `json:"pr_auc"`
	Over  int     `json:"auc_kinds"` // kinds with scored conversations
	First float64 `json:"rank_1_precision"`
}

// alerts are those of the untouched default configuration.
type alerts struct {
	Kinds        int     `json:"kinds"`
	Right        int     `json:"lines_of_attacks"`
	Wrong        int     `json:"other_lines"`
	WrongPerHour float64 `json:"other_lines_per_hour"`

	kinds map[string]bool
}

// kindInOne is one kind in windows of one length.
type kindInOne struct {
	Windows string `json:"windows"`
	hit
	Rate    *float64 `json:"rate,omitempty"` // false incidents an hour at which it is found; absent: never
	Muted   *float64 `json:"rate_muted,omitempty"`
	Alerted bool     `json:"alerted"` // with the default configuration
}

// summarize holds a run that left nothing out, and one with the default
// configuration, against the labels.
func summarize(set, mode string, all labels, full, plain *outcome) *result {
	r := &result{
		Set: set, Mode: mode, Packets: full.packets, Kinds: len(all.kinds()), Hours: full.hours(), PerKind: map[string][]kindInOne{},
	}
	var tallies []*tally
	together := alerts{kinds: map[string]bool{}}
	for _, length := range full.lengths() {
		t, a := evaluate(full, all, length), alertsOf(plain, all, length)
		tallies = append(tallies, t)
		f := figuresOf(windowName(length), []*tally{t})
		f.Alerts, f.Single = a, t.single()
		r.Columns = append(r.Columns, f)
		together.join(a)
		for kind, h := range t.kinds {
			r.PerKind[kind] = append(r.PerKind[kind], kindInOne{
				f.Windows, *h, finite(t.rate(kind, t.benign)), finite(t.rate(kind, t.muted)), a.kinds[kind],
			})
		}
	}
	f := figuresOf("both", tallies)
	f.Alerts = together
	r.Columns = append(r.Columns, f)
	return r
}

// lengths are those of all windows, the shortest first.
func (o *outcome) lengths() []float64 {
	seen := map[float64]bool{}
	for _, w := range o.reports {
		seen[w.Length] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// figuresOf takes lengths of window together: a kind counts when one of them
// finds it. Each gets its part of the rate.
func figuresOf(name string, tallies []*tally) figures {
	f := figures{Windows: name, Top: map[int]float64{}, At: map[int]float64{}, Muted: map[int]float64{}}
	for _, rank := range ranks {
		f.Top[rank] = recall(tallies, func(t *tally, kind string) bool { return t.inTop(kind, rank) })
	}
	for _, rate := range rates {
		each := float64(rate) / float64(len(tallies))
		f.At[rate] = recall(tallies, func(t *tally, kind string) bool { return t.above(kind, t.benign, each) })
		f.Muted[rate] = recall(tallies, func(t *tally, kind string) bool { return t.above(kind, t.muted, each) })
	}
	return f
}

func (t *tally) single() *single {
	s := &single{Over: len(t.curves)}
	for _, kind := range slices.Sorted(maps.Keys(t.curves)) { // sums of floats depend on their order
		s.ROC += t.curves[kind].roc / float64(s.Over)
		s.PR += t.curves[kind].pr / float64(s.Over)
	}
	if t.tops > 0 {
		s.First = float64(t.right) / float64(t.tops)
	}
	return s
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// alertsOf counts the lines that are alerts.
func alertsOf(o *outcome, all labels, length float64) alerts {
	a := alerts{kinds: map[string]bool{}}
	for _, in := range o.incidents {
		if in.Length != length || in.Label != "anomalous" {
			continue
		}
		if kind := all.kindOf(in.window, in.Orig, in.Resp); kind != "" {
			a.kinds[kind] = true
			a.Right++
		} else {
			a.Wrong++
		}
	}
	a.Kinds, a.WrongPerHour = len(a.kinds), float64(a.Wrong)/o.hours()
	return a
}

func (a *alerts) join(b alerts) {
	maps.Copy(a.kinds, b.kinds)
	a.Right, a.Wrong, a.WrongPerHour = a.Right+b.Right, a.Wrong+b.Wrong, a.WrongPerHour+b.WrongPerHour
	a.Kinds = len(a.kinds)
}

// precision is the share of alerts that are attacks, 0 when there are none.
func (a *alerts) precision() float64 {
	if a.Right == 0 {
		return 0
	}
	return float64(a.Right) / float64(a.Right+a.Wrong)
}
