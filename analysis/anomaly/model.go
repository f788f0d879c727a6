package anomaly

import (
	"slices"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/kmeans"
	"pcapdir/analysis/plane"
)

// model is what one baseline says is normal: a scale and centroids. It is not
// changed once made.
type model struct {
	*scale
	*kmeans.Model
	names   []int // of the centroids, kept from model to model
	drift   float64
	drifts  []float64 // of each centroid; negative where it is new
	plane   *plane.Plane
	digest  string
	typical []flowvec.Vector // mean vector of each centroid's samples
	far     float64          // distance that 99.9 % of the samples are within
}

// namer gives clusters names that no cluster had before.
type namer struct{ next int }

func (n *namer) name() int {
	n.next++
	return n.next - 1
}

// settled is the part of the samples that may still change cluster when a fit ends.
const settled = 500

// newModel fits the samples, starting from where the centroids of old, which
// may be nil, lie on the new scale. A centroid that began as one of old's keeps its name.
func newModel(cfg *Config, samples []*sample, old *model, names *namer) *model {
	m := &model{scale: newScale(samples)}
	rows := make([]float64, len(samples)*d)
	for i, p := range samples {
		m.apply(&p.vector, p.packets, m.homeOf(p.service), (*row)(rows[i*d:]))
	}
	k, start := cfg.choose(rows), old.rescaled(m.scale)
	if k*d < len(start) {
		start = nil // which of them should go on is not known
	}
	m.Model = kmeans.Fit(rows, d, kmeans.Config{
		K: k, MaxIterations: cfg.MaxIterations, Enough: len(samples) / settled, Seed: cfg.Seed, Start: start,
	})
	m.nameClusters(old, start, names)
	m.plane = plane.Fit(rows, d, old.planeOrNone())
	m.describe(samples)
	m.far = m.distanceOf(rows, .999)
	m.digest = m.Digest()
	return m
}

func (m *model) planeOrNone() *plane.Plane {
	if m == nil {
		return nil
	}
	return m.plane
}

// rescaled are m's centroids on another scale.
func (m *model) rescaled(to *scale) []float64 {
	if m == nil {
		return nil
	}
	start := slices.Clone(m.Centroids)
	for i := range start {
		j := i % d
		start[i] = max(-clip, min(clip, to.second[j].deviation(m.second[j].value(start[i]))))
	}
	return start
}

// nameClusters also measures drift: how far, on average, the centroids that
// kept their names moved, in deviations.
func (m *model) nameClusters(old *model, start []float64, names *namer) {
	m.names, m.drifts = make([]int, m.K()), make([]float64, m.K())
	kept := 0
	for j := range m.names {
		if j >= m.Started || m.Moved[j] {
			m.names[j], m.drifts[j] = names.name(), -1
			continue
		}
		m.names[j], m.drifts[j] = old.names[j], kmeans.Distance(m.Centroid(j), start[j*d:(j+1)*d])
		m.drift += m.drifts[j]
		kept++
	}
	m.drift /= max(1, float64(kept))
}

func (m *model) describe(samples []*sample) {
	m.typical = make([]flowvec.Vector, m.K())
	for i, label := range m.Labels {
		for j, x := range samples[i].vector {
			m.typical[label][j] += x
		}
	}
	for c := range m.typical {
		for j := range d {
			m.typical[c][j] /= max(1, float64(m.Sizes[c]))
		}
	}
}

// centroid is cluster c in natural units: the mean of its samples.
func (m *model) centroid(c int) []float64 { return m.inUnits(&m.typical[c]) }

func (m *model) distanceOf(rows []float64, q float64) float64 {
	far := make([]float64, len(m.Labels))
	for i, label := range m.Labels {
		far[i] = kmeans.Distance(rows[i*d:(i+1)*d], m.Centroid(int(label)))
	}
	return quantile(far, q)
}
