package report

import (
	"cmp"
	"math"
	"slices"
)

// Window is one report: its line in kmeans.log, and its conversations in vectors.log.
type Window struct {
	TS       float64   `json:"ts"` // its end
	Length   float64   `json:"window"`
	Complete bool      `json:"complete"`
	Pairs    float64   `json:"pairs"` // conversations; 0 where kmeans.log does not have it
	K        float64   `json:"k"`
	Drift    float64   `json:"drift"`
	Clusters []Cluster `json:"clusters"` // the biggest first
	Hidden   int       `json:"hidden"`   // clusters that are not listed

	conversations []*vectorLine

	// The same for the page: x, y, cluster, score (null: not scored), packets and
	// bytes of the originator, of the responder, and where in Names its
	// addresses and its service are.
	Points [][pointValues]any `json:"points"`
}

const pointValues = 11

// Cluster is one cluster of a report.
type Cluster struct {
	Name   int      `json:"name"`
	Size   float64  `json:"size"`
	Share  float64  `json:"share"`
	Spread float64  `json:"spread"`
	Drift  *float64 `json:"drift"` // nil: it is new
	Tells  []string `json:"tells"` // what sets its centroid apart, in words
}

// windows keeps reports: the newest, and those that are wanted.
type windows struct {
	wanted map[window]bool
	best   map[window]*Window // those wanted
	newest []*Window
	byName map[window]*Window // of newest
	all    int
	broken int // those that lack something
	words  words
}

func newWindows(wanted map[window]bool) *windows {
	return &windows{wanted: wanted, best: map[window]*Window{}, byName: map[window]*Window{}, words: newWords()}
}

// make is the report of that name, new if need be.
func (k *windows) make(name window) *Window {
	if w := k.find(name); w != nil {
		return w
	}
	w := &Window{TS: name.ts, Length: name.length, Complete: true}
	if k.wanted[name] {
		k.best[name] = w
		return w
	}
	before := len(k.newest)
	k.newest = addNewest(k.newest, w, newestReports)
	if len(k.newest) < before { // old ones went
		clear(k.byName)
		for _, w := range k.newest {
			k.byName[window{w.TS, w.Length}] = w
		}
	}
	k.byName[name] = w
	return w
}

func (k *windows) find(name window) *Window { return cmp.Or(k.best[name], k.byName[name]) }

func (k *windows) addReport(line *kmeansLine) {
	k.all++
	if !line.Complete {
		k.broken++
	}
	w := k.make(window{line.TS, line.Window})
	w.Complete, w.Pairs, w.K, w.Drift = line.Complete, line.Pairs, line.K, line.Drift
	w.Clusters = nil
	tells := k.words.tells(line.Clusters)
	for i := range line.Clusters {
		c := &line.Clusters[i]
		w.Clusters = append(w.Clusters, Cluster{c.Name, c.Size, c.Share, c.Spread, c.Drift, tells[i]})
	}
	slices.SortStableFunc(w.Clusters, func(a, b Cluster) int { return cmp.Compare(b.Size, a.Size) })
	w.Hidden = max(0, len(w.Clusters)-reportClusters)
	w.Clusters = slices.Clone(w.Clusters[:len(w.Clusters)-w.Hidden])
}

// addVector adds a conversation to its report. Without kmeans.log it makes that.
func (k *windows) addVector(v *vectorLine) {
	name := window{v.TS, v.Window}
	w := k.find(name)
	if w == nil && k.all == 0 {
		w = k.make(name)
	}
	if w == nil || len(w.conversations) == reportPoints { // they are in the order of a draw: the first are a sample
		return
	}
	for _, text := range []*string{&v.OrigH, &v.RespH, &v.Service} {
		*text = cut(*text)
	}
	w.conversations = append(w.conversations, v)
}

// point is a row of Points.
func (n *names) point(v *vectorLine) [pointValues]any {
	var score any // none
	if v.Scored {
		score = round(v.Score)
	}
	return [pointValues]any{
		round(v.X), round(v.Y), v.Cluster, score, v.OrigPkts, v.OrigBytes, v.RespPkts, v.RespBytes,
		n.place(v.OrigH), n.place(v.RespH), n.place(v.Service),
	}
}

// round is x with three decimals, which is finer than a picture.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// kept are the reports to show, in the order of time, and the names in them.
func (k *windows) kept() ([]*Window, []string) {
	all := slices.Clone(newest(k.newest, newestReports))
	for _, w := range k.best {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *Window) int { return cmp.Or(cmp.Compare(a.TS, b.TS), cmp.Compare(a.Length, b.Length)) })
	n := names{at: map[string]int{}}
	for _, w := range all {
		for _, v := range w.conversations {
			w.Points = append(w.Points, n.point(v))
		}
	}
	return all, n.all
}

// names holds each text once: conversations share addresses and services.
type names struct {
	at  map[string]int
	all []string
}

func (n *names) place(text string) int {
	at, ok := n.at[text]
	if !ok {
		at = len(n.all)
		n.at[text] = at
		n.all = append(n.all, text)
	}
	return at
}
