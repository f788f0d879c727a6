package anomaly

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/kmeans"
	"pcapdir/analysis/plane"
	"pcapdir/source/snap"
)

// What a report would stumble over is refused.
func TestStatesAreChecked(t *testing.T) {
	for name, damage := range map[string]func(w *watch){
		"no mutes":         func(w *watch) { w.mutes = nil },
		"size of baseline": func(w *watch) { w.baseline.most = -1 },
		"sample":           func(w *watch) { w.baseline.samples[3].vector[2] = math.NaN() },
		"waiting sample":   func(w *watch) { w.baseline.waiting[0].samples[0].vector[d-1] = math.Inf(-1) },
		"evidence":         func(w *watch) { w.baseline.samples[0].packets = -4 },
		"no scale":         func(w *watch) { w.model.scale = nil },
		"no centroids":     func(w *watch) { w.model.Model = nil },
		"no plane":         func(w *watch) { w.model.plane = nil },
		"other centroids":  func(w *watch) { w.model.Centroids = w.model.Centroids[1:] },
		"another plane":    func(w *watch) { w.model.plane = plane.Fit(make([]float64, 8), 2, nil) },
		"another model":    func(w *watch) { w.model.Model = kmeans.Fit(make([]float64, 8), 2, kmeans.Config{K: 1}) },
		"too many": func(w *watch) {
			rows := make([]float64, 300*d)
			for i := range rows {
				rows[i] = float64(i)
			}
			w.model.Model = kmeans.Fit(rows, d, kmeans.Config{K: 300})
			w.model.names, w.model.drifts, w.model.typical = make([]int, 300), make([]float64, 300), make([]flowvec.Vector, 300)
		},
		"names":         func(w *watch) { w.model.names = w.model.names[1:] },
		"drifts":        func(w *watch) { w.model.drifts = nil },
		"typical":       func(w *watch) { w.model.typical = nil },
		"centroid":      func(w *watch) { w.model.Centroids[7] = math.NaN() },
		"scale":         func(w *watch) { w.model.all[1].per[0] = math.Inf(1) },
		"second scale":  func(w *watch) { w.model.second[0].mid = 1e200 },
		"home":          func(w *watch) { w.model.homes[1][0].down = math.NaN() },
		"no home":       func(w *watch) { w.model.homes[1] = nil },
		"nothing wrong": func(*watch) {},
	} {
		cfg := DefaultConfig()
		cfg.Windows = []time.Duration{time.Minute}
		det := New(cfg)
		w := det.watches[0]
		samples := randomSamples(300)
		w.baseline.samples, w.baseline.waiting = samples, []batch{{samples: randomSamples(20)}}
		w.model = newModel(&cfg, samples, nil, &w.names)
		damage(w)
		var b bytes.Buffer
		out := snap.NewWriter(&b)
		det.Save(out)
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		err := New(cfg).Load(snap.NewReader(&b, int64(b.Len())))
		if name == "nothing wrong" && err != nil || name != "nothing wrong" && !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
