package kmeans

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// blockRows is the grain of every sum. It is part of the result: changing it
// changes the last bits of centroids.
const blockRows = 4096

// slack widens Hamerly's bounds by more than their rounding errors, so that a
// row is skipped only where a full comparison would give the same label, ties
// included.
const slack = 1e-9

// fitter is the state of one fit.
type fitter struct {
	rows []float64
	n, d int
	cfg  Config
	rng  *rand.Rand

	k         int
	centroids []float64
	near      neighbours
	labels    []int32
	upper     []float64 // at least the distance to the own centroid
	lower     []float64 // at most the distance to the second-nearest centroid
	moved     []bool
	started   int

	iterations int
	parts      []part // one per block
}

// part is what one block of rows adds to a pass.
type part struct {
	sums    []float64 // k*d
	counts  []int
	changed int
	total   float64
}

func newFitter(rows []float64, d int, cfg Config) *fitter {
	n := len(rows) / d
	f := &fitter{
		rows: rows, n: n, d: d, cfg: cfg,
		rng:    rand.New(rand.NewPCG(cfg.Seed, 0x6b6d65616e73)),
		labels: make([]int32, n), upper: make([]float64, n), lower: make([]float64, n),
		parts: make([]part, (n+blockRows-1)/blockRows),
	}
	return f
}

// rounding says that a squared distance of row i is nothing but that: the mean of equal
// rows may differ from them by so much. It is no reason to place a centroid.
func (f *fitter) rounding(i int, squared float64) bool {
	var norm float64
	for _, x := range f.row(i) {
		norm += x * x
	}
	return squared <= slack*slack*norm
}

func (f *fitter) row(i int) []float64      { return f.rows[i*f.d : (i+1)*f.d] }
func (f *fitter) centroid(j int) []float64 { return f.centroids[j*f.d : (j+1)*f.d] }

// eachBlock runs do over all blocks, on as many goroutines as may run at once.
// Which goroutine gets which block does not matter: do writes only what
// belongs to its block.
func (f *fitter) eachBlock(do func(b, lo, hi int)) {
	var next atomic.Int64
	work := func() {
		for {
			b := int(next.Add(1)) - 1
			if b >= len(f.parts) {
				return
			}
			do(b, b*blockRows, min((b+1)*blockRows, f.n))
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(f.parts)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// total adds what do says of each block, in block order.
func (f *fitter) total(do func(b, lo, hi int) float64) float64 {
	f.eachBlock(func(b, lo, hi int) { f.parts[b].total = do(b, lo, hi) })
	var s float64
	for b := range f.parts {
		s += f.parts[b].total
	}
	return s
}

// assign gives every row its nearest centroid and says how many labels changed.
func (f *fitter) assign() (changed int) {
	f.near.arrange(f.centroids, f.d)
	f.eachBlock(func(b, lo, hi int) {
		n := 0
		for i := lo; i < hi; i++ {
			if f.assignRow(i) {
				n++
			}
		}
		f.parts[b].changed = n
	})
	for b := range f.parts {
		changed += f.parts[b].changed
	}
	return changed
}

// assignRow is Hamerly's test: where the own centroid is surely nearer than
// any other can be, nothing else is looked at. Where it fails, the others are
// looked at by their distance from the own one (Newling and Fleuret 2016), as
// far as one of the two nearest can be.
func (f *fitter) assignRow(i int) bool {
	row, old := f.row(i), f.labels[i]
	others := f.near.of(int(old))
	bound := f.lower[i]
	if len(others) > 0 {
		bound = max(bound, others[0].apart/2)
	}
	bound *= 1 - slack
	if f.upper[i] < bound {
		return false
	}
	least := squared(row, f.centroid(int(old)), math.Inf(1))
	if f.upper[i] = math.Sqrt(least); f.upper[i] < bound {
		return false
	}
	best, second := old, math.Inf(1)
	from, reach := f.upper[i], math.Inf(1)
	for _, o := range others {
		if o.apart > reach {
			break
		}
		s := squared(row, f.centroid(int(o.centroid)), second)
		switch {
		case s < least || s == least && o.centroid < best:
			best, least, second = o.centroid, s, least
		case s < second:
			second = s
		default:
			continue
		}
		reach = (from + math.Sqrt(second)) * (1 + slack)
	}
	f.labels[i], f.upper[i], f.lower[i] = best, math.Sqrt(least), math.Sqrt(second)
	return best != old
}

// update moves every centroid to the mean of its rows and the bounds with it.
func (f *fitter) update() {
	counts, means := f.sum(), make([]float64, len(f.centroids))
	if f.fillEmpty(counts) {
		counts = f.sum()
	}
	for b := range f.parts {
		for x, v := range f.parts[b].sums {
			means[x] += v
		}
	}
	shift, most := make([]float64, f.k), 0.0
	for j := range f.k {
		to := means[j*f.d : (j+1)*f.d]
		if counts[j] == 0 {
			copy(to, f.centroid(j)) // rows that coincide leave nothing to move to
			continue
		}
		for x := range to {
			to[x] /= float64(counts[j])
		}
		shift[j] = math.Sqrt(squared(f.centroid(j), to, math.Inf(1))) * (1 + slack)
		most = max(most, shift[j])
	}
	f.centroids = means
	for i, label := range f.labels {
		f.upper[i] += shift[label]
		f.lower[i] -= most
	}
}

// sum leaves each block's sums in its part, and returns all rows per centroid.
func (f *fitter) sum() []int {
	f.eachBlock(func(b, lo, hi int) {
		p := &f.parts[b]
		if len(p.sums) != f.k*f.d {
			p.sums, p.counts = make([]float64, f.k*f.d), make([]int, f.k)
		}
		clear(p.sums)
		clear(p.counts)
		for i := lo; i < hi; i++ {
			j := int(f.labels[i])
			p.counts[j]++
			to := p.sums[j*f.d : (j+1)*f.d]
			for x, v := range f.row(i) {
				to[x] += v
			}
		}
	})
	counts := make([]int, f.k)
	for b := range f.parts {
		for j, c := range f.parts[b].counts {
			counts[j] += c
		}
	}
	return counts
}

// fillEmpty gives each centroid without rows, lowest first, the row that is
// farthest from its own centroid, the first of equals. A centroid's only row
// is never taken, nor one that lies on its centroid, but for rounding. It says whether labels changed.
func (f *fitter) fillEmpty(counts []int) (filled bool) {
	var far []float64
	for j := range counts {
		if counts[j] > 0 {
			continue
		}
		if far == nil {
			far = make([]float64, f.n)
			f.eachBlock(func(_, lo, hi int) {
				for i := lo; i < hi; i++ {
					far[i] = squared(f.row(i), f.centroid(int(f.labels[i])), math.Inf(1))
				}
			})
		}
		take, most := -1, 0.0
		for i, s := range far {
			if s > most && counts[f.labels[i]] > 1 && !f.rounding(i, s) {
				take, most = i, s
			}
		}
		if take < 0 {
			return filled
		}
		filled = true
		counts[f.labels[take]]--
		counts[j]++
		f.labels[take], far[take], f.moved[j] = int32(j), 0, true
		f.upper[take], f.lower[take] = math.Inf(1), 0
	}
	return filled
}

func (f *fitter) model() *Model {
	m := &Model{
		D: f.d, Centroids: f.centroids, Labels: f.labels, Sizes: f.sum(),
		Iterations: f.iterations, Started: f.started, Moved: f.moved, near: f.near,
	}
	m.near.arrange(f.centroids, f.d)
	m.Inertia = f.total(func(_, lo, hi int) float64 {
		var s float64
		for i := lo; i < hi; i++ {
			s += squared(f.row(i), f.centroid(int(f.labels[i])), math.Inf(1))
		}
		return s
	})
	return m
}
