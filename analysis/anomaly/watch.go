package anomaly

import (
	"slices"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// watch is all that is kept for one length of window.
type watch struct {
	cfg    *Config
	length time.Duration
	state
}

// state is what the windows so far left: all of it goes into a snapshot.
type state struct {
	baseline reservoir
	model    *model // of the last fit, where the next one starts
	names    namer
	fitted   packet.Time // when that was
	past     bool        // to the baseline, not to a window
	rows     int         // of that window
	scores   history     // distances of what was not alerted
	tops     history     // distances of incidents, held back ones apart
	since    packet.Time
	frozen   float64 // least distance of an alert, set once when the warm-up ends
	ready    bool    // the warm-up is over
	mutes    mutes
}

func newWatch(cfg *Config, length time.Duration) *watch {
	return &watch{cfg: cfg, length: length, state: state{baseline: reservoir{most: cfg.Baseline}, mutes: mutes{}}}
}

// report scores one window, which is open, then offers its vectors to the baseline.
func (w *watch) report(win *window, end packet.Time, complete bool, first packet.Time) Report {
	oldest := end.Add(-w.cfg.Age)
	w.baseline.admit(end.Add(-w.length), oldest)
	w.scores.forget(oldest)
	w.tops.forget(oldest)

	w.fit(win)
	win.score(w.model, w.past)

	report := Report{KMeans: win.clusters(w.length, complete)}
	report.Vectors = win.vectors(w.cfg.Sample, w.cfg.Full, &report.KMeans)
	if win.scored {
		w.warmUp(win, first)
		report.Anomalies = w.anomalies(win, &report.KMeans)
	}
	w.learn(win)
	return report
}

// A model is fitted anew when a quarter of the baseline has changed, after five minutes
// when a twentieth has, and after an hour when anything has. A window without a past is
// described by centroids fitted to a sample of its own, or of one before it with about as
// many rows.
const (
	turnover   = 4
	soon       = 5 * time.Minute
	soonShare  = 20
	late       = time.Hour
	ownSamples = 1000
)

func (w *watch) fit(win *window) {
	past := len(w.baseline.chosen()) >= leastBaseline
	if w.model != nil && w.past == past && !w.due(win) {
		return
	}
	samples := w.baseline.chosen()
	if !past {
		samples = win.samples(ownSamples, anyLot, win.alerted)
	}
	samples = slices.Clone(samples)
	slices.SortFunc(samples, compareContents)
	w.model = newModel(w.cfg, samples, w.model, &w.names)
	w.past, w.fitted, w.rows, w.baseline.changed = past, win.end, win.len(), 0
}

// due says that the model no longer describes what it was fitted to.
func (w *watch) due(win *window) bool {
	if !w.past {
		return max(win.len()-w.rows, w.rows-win.len())*turnover > w.rows
	}
	changed, of := w.baseline.changed, len(w.baseline.chosen())
	age := win.end.Sub(w.fitted)
	return changed*turnover > of || changed*soonShare > of && age >= soon || changed > 0 && age >= late
}

// warmUp ends the warm-up when it is time, and then freezes the least distance
// of an alert.
func (w *watch) warmUp(win *window, first packet.Time) {
	if w.ready || win.end.Sub(first) <= w.cfg.WarmUp || len(w.baseline.chosen()) < w.cfg.WarmVectors {
		return
	}
	w.ready, w.frozen, w.since = true, win.model.far, win.end
}

// clusters is the window's line of kmeans.log.
func (win *window) clusters(length time.Duration, complete bool) logs.KMeans {
	m := win.model
	k := logs.KMeans{
		TS: win.end.Seconds(), Window: length.Seconds(), Complete: complete, Pairs: win.len(),
		K: m.K(), Inertia: m.Inertia, Iterations: m.Iterations, Drift: m.drift,
	}
	spread := make([]uint64, m.K()) // whole numbers add up in any order
	const unit = 1. / (1 << 20)
	win.sizes = cleared(win.sizes, m.K())
	for i, c := range win.cluster {
		win.sizes[c]++
		spread[c] += uint64(win.distance[i] / unit)
	}
	for c, size := range win.sizes {
		if size == 0 {
			continue
		}
		k.Clusters = append(k.Clusters, logs.Cluster{
			Name: m.names[c], Size: size, Share: win.share(c), Spread: float64(spread[c]) * unit / float64(size),
			HasDrift: m.drifts[c] >= 0, Drift: m.drifts[c], Centroid: m.centroid(c), Names: featureNames,
		})
	}
	return k
}

// share is cluster c's of the window.
func (win *window) share(c int) float64 { return float64(win.sizes[c]) / float64(win.len()) }

// learn offers the window to the baseline, less what was alerted and its
// farthest share, and counts its distances.
func (w *watch) learn(win *window) {
	if win.scored {
		bins := w.scores.at(win.end)
		for i, lot := range win.lots {
			if lot != outside && !win.alerted[i] {
				bins[binOf(win.distance[i])]++
			}
		}
	}
	w.baseline.offer(batch{win.end, win.samples(w.baseline.room(), w.baseline.limit(), win.guarded(w.cfg.Guard))})
}
