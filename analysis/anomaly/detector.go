package anomaly

import (
	"slices"
	"time"

	"pcapdir/analysis/asura"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Report is what one window gives: one line of kmeans.log, and the lines of
// anomaly.log, farthest first.
//
// Both describe the same model: the one that scored the window, fitted to past
// windows alone. KMeans counts the window's own conversations in the clusters
// (size, share, and spread, their mean distance to the centroid), while
// centroids, inertia, iterations and drift are those of the fit. Until the past
// holds 20 vectors there is nothing to score with: the report then describes
// centroids fitted to the window itself, and has no anomalies. Lines carry
// baseline "warming", and none is labelled anomalous, until the warm-up is over.
type Report struct {
	KMeans    logs.KMeans
	Anomalies []logs.Anomaly
	Vectors   []logs.Vector // a sample of the window's conversations
}

// Detector turns closed panes into reports. One goroutine owns it.
type Detector struct {
	cfg     Config
	windows *flowvec.Windows
	watches []*watch
	window  *window // the one in hand
	span
}

// span is from the start of the first pane to the end of the last.
type span struct {
	first, last packet.Time
	started     bool
}

// New makes a detector that has seen nothing. Settings that are zero get
// their defaults, except Guard, Budget, Mute, Lines and Sample, for which zero means none.
func New(cfg Config) *Detector {
	def := DefaultConfig()
	orDefault(&cfg.Pane, def.Pane)
	orDefault(&cfg.MaxIterations, def.MaxIterations)
	orDefault(&cfg.Baseline, def.Baseline)
	orDefault(&cfg.Age, def.Age)
	cfg.Windows = wholePanes(cfg.Windows, cfg.Pane)
	longest := cfg.Windows[len(cfg.Windows)-1]
	det := &Detector{cfg: cfg, windows: flowvec.NewWindows(cfg.Pane, longest), window: newWindow()}
	for _, length := range cfg.Windows {
		det.watches = append(det.watches, newWatch(&det.cfg, length))
	}
	return det
}

// wholePanes is windows, each rounded up to whole panes and once, the shortest
// first; one of one pane where there is none.
func wholePanes(windows []time.Duration, pane time.Duration) []time.Duration {
	if len(windows) == 0 {
		return []time.Duration{pane}
	}
	whole := make([]time.Duration, len(windows))
	for i, w := range windows {
		whole[i] = max(1, (w+pane-1)/pane) * pane
	}
	slices.Sort(whole)
	return slices.Compact(whole)
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Pane takes all shards' parts of the pane that ends at end, in any order,
// nils allowed, and reports each window that ends there, the shortest first.
// Ends rise. Panes without packets are left out by the caller; windows then cover
// what exists. A window that so far holds no pane more than a shorter one has no
// report: it would say the same again, and learn that a whole window looks so.
// complete says that nothing is known to be missing from the pane. A pane in
// which no pair was kept has no report. The parts are the detector's from then on.
func (det *Detector) Pane(end packet.Time, parts []*flowvec.Pane, complete bool) []Report {
	if !det.started {
		det.first, det.started = end.Add(-det.cfg.Pane), true
	}
	det.last = end
	det.windows.Push(end, parts, complete)
	var reports []Report
	var last flowvec.Rows
	for _, w := range det.watches {
		rows, whole := det.windows.Window(w.length)
		if rows.Len() > 0 && !rows.Same(&last) {
			reports = append(reports, det.report(w, rows, end, whole))
		}
		last = rows
	}
	return reports
}

func (det *Detector) report(w *watch, rows flowvec.Rows, end packet.Time, whole bool) (r Report) {
	if c := &det.cfg; c.Asura {
		r.KMeans, r.Anomalies, r.Vectors = asura.Report(rows, end, w.length, whole, asura.Config{
			K: c.K, Seed: c.Seed, MaxIterations: c.MaxIterations, Lines: c.Lines, Sample: c.Sample, Full: c.Full,
		})
		return r
	}
	det.window.open(end, rows, w.length, det.cfg.Seed)
	return w.report(det.window, end, whole, det.first)
}

// Close is the end of the input: the ends of alerts that came again.
func (det *Detector) Close() (ends []logs.Anomaly) {
	for _, w := range det.watches {
		ends = append(ends, w.mutes.ended(det.last, det.last)...)
	}
	return ends
}

// Lost is what the bounds of the shards' tables cost since the start.
func (det *Detector) Lost() flowvec.Loss { return det.windows.Lost() }

// Heaviest are the conversations of the last pane with the most bytes, n at most; see
// flowvec.Windows. What reports were made of is read no more.
func (det *Detector) Heaviest(n int) []flowvec.Heavy { return det.windows.Heaviest(n) }
