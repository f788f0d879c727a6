package report

import (
	"cmp"
	"slices"
)

// Incident is a line of anomaly.log, under its names.
type Incident struct {
	TS        float64  `json:"ts"`
	Window    float64  `json:"window"`
	Complete  *bool    `json:"complete,omitempty"` // of its window; nil in logs of an older version
	Rank      int      `json:"rank"`
	Label     string   `json:"label"`
	Actor     string   `json:"actor"`
	OrigH     string   `json:"id.orig_h"`
	RespH     string   `json:"id.resp_h"`
	Service   string   `json:"service"`
	Score     float64  `json:"score"`
	ScoreP    float64  `json:"score_p"`
	Cluster   int      `json:"cluster"`
	X         float64  `json:"x"`
	Y         float64  `json:"y"`
	First     float64  `json:"first"`
	Last      float64  `json:"last"`
	OrigPkts  float64  `json:"orig_pkts"`
	OrigBytes float64  `json:"orig_bytes"`
	RespPkts  float64  `json:"resp_pkts"`
	RespBytes float64  `json:"resp_bytes"`
	Siblings  float64  `json:"siblings"`
	UIDs      []string `json:"uids,omitempty"`
	Message   string   `json:"msg"`
	Why       []Why    `json:"why"`
	Baseline  string   `json:"baseline"`

	// Of the line labelled ended that belongs to an alert.
	Began   float64 `json:"began,omitempty"` // only in that line
	Repeats float64 `json:"repeats,omitempty"`
	Until   float64 `json:"until,omitempty"`

	report *[]*Incident // the lines of its report, this one among them
}

// Why is one feature's part in a score: that of the log, and its values in words.
type Why struct {
	Feature string  `json:"feature"`
	Value   float64 `json:"value"`
	Typical float64 `json:"typical"`
	Median  float64 `json:"median"`
	Z       float64 `json:"z"`
	Pct     float64 `json:"pct"`

	Text string `json:"text"` // the value and the median
	Near string `json:"near"` // Typical
}

func (a *Incident) problem() string {
	if !isReport(a.TS, a.Window) || !areTimes(a.First, a.Last, a.Began, a.Until) {
		return badTime
	}
	ok := areDoubles(a.Score, a.ScoreP, a.X, a.Y) && isName(a.Cluster) && isName(a.Rank) &&
		areCounts(a.OrigPkts, a.OrigBytes, a.RespPkts, a.RespBytes, a.Siblings, a.Repeats)
	for i := range a.Why {
		w := &a.Why[i]
		ok = ok && areDoubles(w.Value, w.Typical, w.Median, w.Z, w.Pct)
	}
	if !ok {
		return badNumber
	}
	return ""
}

func (a *Incident) isAlert() bool { return a.Label == "anomalous" }

// window is one report of one length.
type window struct{ ts, length float64 }

// ending is an alert that was repeated: what its line and that of its end share.
type ending struct {
	window
	actor, origH, respH, service string
}

// incidents keeps lines of anomaly.log: the alerts of the highest scores, all of
// the reports of the highest few, and the newest of all.
type incidents struct {
	alerts int // all there were
	others int // labelled normal
	best   []*Incident
	newest []*Incident
	ends   []*Incident
	report *[]*Incident // the last one
}

func (k *incidents) add(a *Incident) {
	a.trim()
	if a.Label == "ended" {
		k.ends = addNewest(k.ends, a, newestIncidents)
		return
	}
	k.join(a)
	if !a.isAlert() {
		k.others++
	} else {
		k.alerts++
		if k.best = append(k.best, a); len(k.best) >= 2*bestAlerts {
			k.best = k.highest(bestAlerts)
		}
	}
	k.newest = addNewest(k.newest, a, newestIncidents)
}

// join puts a line to those of its report, which stand together.
func (k *incidents) join(a *Incident) {
	if k.report == nil || (*k.report)[0].window() != a.window() {
		k.report = new([]*Incident)
	}
	if len(*k.report) < reportIncidents {
		*k.report = append(*k.report, a)
	}
	a.report = k.report
}

func (a *Incident) window() window { return window{a.TS, a.Window} }

// trim bounds what a line holds.
func (a *Incident) trim() {
	for _, text := range []*string{&a.Label, &a.Actor, &a.OrigH, &a.RespH, &a.Service, &a.Message, &a.Baseline} {
		*text = cut(*text)
	}
	a.UIDs = slices.Clone(a.UIDs[:min(incidentUIDs, len(a.UIDs))]) // the rest of the line goes
	for i := range a.UIDs {
		a.UIDs[i] = cut(a.UIDs[i])
	}
	a.Why = slices.Clone(a.Why[:min(incidentWhy, len(a.Why))])
	for i := range a.Why {
		a.Why[i].Feature = cut(a.Why[i].Feature)
	}
}

// highest are the alerts of the highest scores, the highest first.
func (k *incidents) highest(most int) []*Incident {
	best := slices.Clone(k.best)
	slices.SortStableFunc(best, func(a, b *Incident) int { return cmp.Compare(b.Score, a.Score) })
	return slices.Clone(best[:min(most, len(best))])
}

// kept are the lines to show, in the order of their reports and ranks, and the
// reports of the highest alerts.
func (k *incidents) kept() (all []*Incident, wanted map[window]bool) {
	there := map[*Incident]bool{}
	keep := func(lines []*Incident) {
		for _, a := range lines {
			if !there[a] {
				there[a] = true
				all = append(all, a)
			}
		}
	}
	best := k.highest(bestAlerts)
	keep(best)
	keep(newest(k.newest, newestIncidents))
	wanted = map[window]bool{}
	for _, a := range best {
		if len(wanted) < alertReports {
			wanted[a.window()] = true
			keep(*a.report)
		}
	}
	k.finish(all)
	slices.SortStableFunc(all, func(a, b *Incident) int {
		return cmp.Or(cmp.Compare(a.TS, b.TS), cmp.Compare(a.Window, b.Window), cmp.Compare(a.Rank, b.Rank))
	})
	return all, wanted
}

// finish says how often alerts came again, and reasons in words.
func (k *incidents) finish(all []*Incident) {
	ended := make(map[ending]*Incident, len(k.ends))
	for _, e := range k.ends {
		ended[e.ending(e.Began)] = e
	}
	words := newWords()
	for _, a := range all {
		if e := ended[a.ending(a.TS)]; e != nil && a.isAlert() {
			a.Repeats, a.Until = e.Repeats, e.Until
		}
		for i := range a.Why {
			words.why(&a.Why[i])
		}
	}
}

func (a *Incident) ending(began float64) ending {
	return ending{window{began, a.Window}, a.Actor, a.OrigH, a.RespH, a.Service}
}
