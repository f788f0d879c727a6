package anomaly

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// watch is all that is kept for one length of window.
type watch struct {
	cfg    *Config
	length time.Duration

	baseline reservoir
	model    *model // of the last report, where the next fit starts
	names    namer
	scores   history // distances of what was not alerted
	tops     history // distances of incidents, held back ones apart
	since    packet.Time
	frozen   float64 // least distance of an alert, set once when the warm-up ends
	ready    bool    // the warm-up is over
	mutes    mutes
}

func newWatch(cfg *Config, length time.Duration) *watch {
	return &watch{cfg: cfg, length: length, baseline: reservoir{most: cfg.Baseline}, mutes: mutes{}}
}

// window is one window while it is reported.
type window struct {
	end      packet.Time
	rows     []flowvec.Conversation
	context  *flowvec.Context
	model    *model
	scored   bool // by a model of the past
	distance []float64
	cluster  []int32
	alerted  []bool  // rows that must not be learned
	examples []drawn // rows that stand for the window
}

// report scores one window, then offers its vectors to the baseline.
func (w *watch) report(end packet.Time, rows []flowvec.Conversation, complete bool, first packet.Time) Report {
	oldest := end.Add(-w.cfg.Age)
	w.baseline.admit(end.Add(-w.length), oldest)
	w.scores.forget(oldest)
	w.tops.forget(oldest)

	win := &window{
		end: end, rows: rows, context: flowvec.NewContext(rows, w.length),
		distance: make([]float64, len(rows)), cluster: make([]int32, len(rows)), alerted: make([]bool, len(rows)),
	}
	win.draw(w.cfg.Seed)
	samples := w.baseline.samples
	if win.scored = len(samples) >= leastBaseline; !win.scored {
		samples = win.samples(w.cfg.Baseline, win.alerted)
	}
	win.model = newModel(w.cfg, samples, w.model, &w.names)
	w.model = win.model
	win.score()

	report := Report{KMeans: win.clusters(w.length, complete)}
	if win.scored {
		w.warmUp(win, first)
		report.Anomalies = w.anomalies(win, &report.KMeans)
	}
	w.learn(win)
	return report
}

// warmUp ends the warm-up when it is time, and then freezes the least distance
// of an alert.
func (w *watch) warmUp(win *window, first packet.Time) {
	if w.ready || win.end.Sub(first) <= w.cfg.WarmUp || len(w.baseline.samples) < w.cfg.WarmVectors {
		return
	}
	w.ready, w.frozen, w.since = true, win.model.far, win.end
}

// score finds every row's nearest centroid. Rows are independent, so how they
// are split over cores does not show.
func (win *window) score() {
	const grain = 2048
	blocks := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(win.rows)/grain+1) {
		wg.Go(func() {
			from := win.context.Reader()
			var v flowvec.Vector
			var z row
			for lo := range blocks {
				for i := lo; i < min(lo+grain, len(win.rows)); i++ {
					win.read(from, i, &v, &z)
					c, _ := win.model.Nearest(z[:])
					win.cluster[i] = int32(c)
					win.distance[i] = distance(z[:], win.model.Centroid(c))
				}
			}
		})
	}
	for lo := 0; lo < len(win.rows); lo += grain {
		blocks <- lo
	}
	close(blocks)
	wg.Wait()
}

// read takes conversation i as a vector and as deviations. It is done anew each
// time: a million rows need not be held.
func (win *window) read(from *flowvec.Reader, i int, v *flowvec.Vector, z *row) {
	from.Vector(i, v)
	win.model.apply(v, win.packets(i), win.context.Service(i), z)
}

func (win *window) packets(i int) float64 {
	f, _ := win.rows[i].Totals()
	return float64(f.Packets)
}

// clusters is the window's line of kmeans.log.
func (win *window) clusters(length time.Duration, complete bool) logs.KMeans {
	m := win.model
	k := logs.KMeans{
		TS: win.end.Seconds(), Window: length.Seconds(), Complete: complete, Pairs: len(win.rows),
		K: m.K(), Inertia: m.Inertia, Iterations: m.Iterations, Drift: m.drift,
		Clusters: make([]logs.Cluster, m.K()),
	}
	for i, c := range win.cluster {
		k.Clusters[c].Size++
		k.Clusters[c].Spread += win.distance[i]
	}
	for c := range k.Clusters {
		cl := &k.Clusters[c]
		cl.Name, cl.Centroid = m.names[c], m.centroid(c)
		cl.Share = float64(cl.Size) / float64(len(win.rows))
		cl.Spread /= max(1, float64(cl.Size))
	}
	return k
}

// learn offers the window to the baseline, less what was alerted and its
// farthest share, and counts its distances.
func (w *watch) learn(win *window) {
	if win.scored {
		bins := w.scores.at(win.end)
		for _, e := range win.examples {
			if !win.alerted[e.row] {
				bins[binOf(win.distance[e.row])]++
			}
		}
	}
	w.baseline.offer(batch{win.end, win.samples(w.cfg.Baseline, win.guarded(w.cfg.Guard))})
}

// guarded are the rows not to learn: the alerted, and the farthest share. Rows
// as far as the nearest of those go too, so that ties do not decide.
func (win *window) guarded(share float64) []bool {
	n := int(share * float64(len(win.rows)))
	if !win.scored || n == 0 {
		return win.alerted
	}
	far := slices.Clone(win.distance)
	slices.Sort(far)
	limit := far[len(far)-n]
	held := slices.Clone(win.alerted)
	for i := range held {
		held[i] = held[i] || win.distance[i] >= limit
	}
	return held
}

// crowd is many alike: what one actor does with one service. A sweep of a
// thousand targets is not a thousand examples of what is normal, so of each
// crowd and window only so many are learned.
type crowd struct {
	actor   packet.Addr
	service flowvec.Service
}

const crowdShare = 16

// drawn is a row and its lot: the same conversation has another in every window.
type drawn struct {
	lot uint64
	row int
}

// draw puts the rows that stand for the window in the order of their lots.
func (win *window) draw(seed uint64) {
	all := make([]drawn, len(win.rows))
	for i := range all {
		all[i] = drawn{sampleHash(win.rows[i].Hash(), win.end, seed), i}
	}
	slices.SortFunc(all, func(a, b drawn) int { return cmp.Or(cmp.Compare(a.lot, b.lot), a.row-b.row) })
	taken := map[crowd]int{}
	win.examples = slices.DeleteFunc(all, func(e drawn) bool {
		of := crowd{win.actor(e.row), win.context.Service(e.row)}
		taken[of]++
		return taken[of] > crowdShare
	})
}

// samples are the examples' vectors for the baseline, without those held back.
func (win *window) samples(most int, held []bool) []sample {
	from := win.context.Reader()
	out := make([]sample, 0, min(most, len(win.examples)))
	for _, e := range win.examples {
		if len(out) == most {
			break
		}
		if held[e.row] {
			continue
		}
		out = append(out, sample{hash: e.lot, end: win.end, packets: win.packets(e.row), service: win.context.Service(e.row)})
		from.Vector(e.row, &out[len(out)-1].vector)
	}
	return out
}
