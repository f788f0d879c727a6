package kmeans

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
)

// mixture is n rows of d numbers around c centres, some rows repeated.
func mixture(n, d, c int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	centres := make([]float64, c*d)
	for i := range centres {
		centres[i] = r.Float64()*12 - 6
	}
	rows := make([]float64, 0, n*d)
	for i := range n {
		if i > 0 && r.IntN(10) == 0 {
			j := r.IntN(i)
			rows = append(rows, rows[j*d:(j+1)*d]...)
			continue
		}
		j := r.IntN(c)
		for x := range d {
			rows = append(rows, centres[j*d+x]+r.NormFloat64())
		}
	}
	return rows
}

// textbook is Lloyd's algorithm from start, with nothing clever in it.
func textbook(rows []float64, d int, start []float64, passes int) (labels []int32, centroids []float64, inertia float64) {
	n, k := len(rows)/d, len(start)/d
	centroids = append([]float64(nil), start...)
	labels = make([]int32, n)
	near := func(i int) (int32, float64) {
		best, least := int32(0), math.Inf(1)
		for j := range k {
			var s float64
			for x := range d {
				e := rows[i*d+x] - centroids[j*d+x]
				s += e * e
			}
			if s < least {
				best, least = int32(j), s
			}
		}
		return best, least
	}
	for range passes {
		sums, counts := make([]float64, k*d), make([]float64, k)
		for i := range n {
			j, _ := near(i)
			counts[j]++
			for x := range d {
				sums[int(j)*d+x] += rows[i*d+x]
			}
		}
		for i := range sums {
			if c := counts[i/d]; c > 0 {
				centroids[i] = sums[i] / c
			}
		}
	}
	for i := range n {
		j, s := near(i)
		labels[i] = j
		inertia += s
	}
	return labels, centroids, inertia
}

func TestAgainstTextbookLloyd(t *testing.T) {
	for _, c := range []struct{ n, d, k int }{{50, 1, 3}, {300, 2, 7}, {2000, 29, 16}, {9000, 8, 40}} {
		rows := mixture(c.n, c.d, c.k, uint64(c.n))
		first := Fit(rows, c.d, Config{K: c.k, Seed: 3, MaxIterations: 1})
		start := first.Centroids
		got := Fit(rows, c.d, Config{K: c.k, Start: start, MaxIterations: 500})
		labels, centroids, inertia := textbook(rows, c.d, start, got.Iterations+1)
		if !reflect.DeepEqual(got.Labels, labels) {
			t.Errorf("n %d: labels differ from textbook Lloyd", c.n)
		}
		if math.Abs(got.Inertia-inertia) > 1e-9*inertia {
			t.Errorf("n %d: inertia %v, textbook %v", c.n, got.Inertia, inertia)
		}
		for i := range centroids {
			if math.Abs(centroids[i]-got.Centroids[i]) > 1e-9 {
				t.Fatalf("n %d: centroid number %d is %v, textbook %v", c.n, i, got.Centroids[i], centroids[i])
			}
		}
		if got.Started != c.k {
			t.Errorf("n %d: %d centroids started from those given, want %d", c.n, got.Started, c.k)
		}
	}
}

func TestInertiaNeverIncreases(t *testing.T) {
	rows := mixture(6000, 5, 12, 9)
	last := math.Inf(1)
	for passes := 1; passes < 60; passes++ {
		m := Fit(rows, 5, Config{K: 20, Seed: 4, MaxIterations: passes})
		if m.Inertia > last*(1+1e-12) {
			t.Fatalf("after %d passes inertia rose from %v to %v", passes, last, m.Inertia)
		}
		if last = m.Inertia; m.Iterations < passes {
			return
		}
	}
}

// best is the least inertia over every way to put n numbers into k clusters.
func best(rows []float64, k int, labels []int) float64 {
	if i := len(labels); i < len(rows) {
		least := math.Inf(1)
		for j := range k {
			least = min(least, best(rows, k, append(labels, j)))
		}
		return least
	}
	var total float64
	for j := range k {
		var n, s, s2 float64
		for i, l := range labels {
			if l == j {
				n, s, s2 = n+1, s+rows[i], s2+rows[i]*rows[i]
			}
		}
		if n > 0 {
			total += s2 - s*s/n
		}
	}
	return total
}

func TestTinyInputsReachTheOptimum(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 30 {
		n, k := 4+r.IntN(5), 1+r.IntN(3)
		rows := make([]float64, n)
		for i := range rows {
			rows[i] = math.Round(r.Float64() * 40)
		}
		want, got := best(rows, k, nil), math.Inf(1)
		for seed := range uint64(12) {
			got = min(got, Fit(rows, 1, Config{K: k, Seed: seed}).Inertia)
		}
		if math.Abs(got-want) > 1e-9*(1+want) {
			t.Errorf("rows %v, k %d: inertia %v, least possible %v", rows, k, got, want)
		}
	}
}

func TestSameBitsForAnyGOMAXPROCS(t *testing.T) {
	rows := mixture(20000, 13, 30, 7)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := Fit(rows, 13, Config{K: 32, Seed: 1})
	for _, procs := range []int{2, 4, 7} {
		runtime.GOMAXPROCS(procs)
		if got := Fit(rows, 13, Config{K: 32, Seed: 1}); !reflect.DeepEqual(got, want) {
			t.Errorf("GOMAXPROCS %d gives another model", procs)
		}
	}
	if got := Fit(rows, 13, Config{K: 32, Seed: 2}); reflect.DeepEqual(got.Centroids, want.Centroids) {
		t.Error("another seed gives the same model: the seed is not used")
	}
}

func TestDegenerateInputs(t *testing.T) {
	for name, c := range map[string]struct {
		rows  []float64
		d, k  int
		wantK int
	}{
		"no rows":        {nil, 3, 4, 0},
		"one row":        {[]float64{1, 2}, 2, 4, 1},
		"fewer than k":   {[]float64{1, 2, 3}, 1, 8, 3},
		"all equal":      {make([]float64, 200), 2, 5, 1},
		"two values":     {[]float64{0, 5, 0, 5, 0, 5}, 1, 4, 2},
		"k of 0":         {[]float64{1, 2}, 1, 0, 0},
		"huge numbers":   {[]float64{1e150, -1e150, 0}, 1, 2, 2},
		"as many as k":   {[]float64{1, 2, 3}, 1, 3, 3},
		"k of 1":         {[]float64{1, 2, 6}, 1, 1, 1},
		"mere rounding":  {[]float64{1, 1 + 1e-15, 1}, 1, 3, 1},
		"tiny distances": {[]float64{1, 1 + 1e-6, 1}, 1, 3, 2},
		"beside a giant": {[]float64{1e12, 0, 8, 16, 24, 1e12, 0, 8, 16, 24}, 1, 5, 5},
	} {
		m := Fit(c.rows, c.d, Config{K: c.k, Seed: 1})
		if m.K() != c.wantK {
			t.Errorf("%s: %d centroids, want %d", name, m.K(), c.wantK)
		}
		sum := 0
		for _, s := range m.Sizes {
			sum += s
		}
		if c.k > 0 && sum != len(c.rows)/c.d {
			t.Errorf("%s: sizes %v do not add to the rows", name, m.Sizes)
		}
		for _, v := range append(m.Centroids, m.Inertia) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: model holds %v", name, v)
			}
		}
	}
}

// A start of which one centroid attracts nothing: it must take the row that
// lies farthest off, not stay lost.
func TestEmptyClusterTakesTheFarthestRow(t *testing.T) {
	rows := []float64{0, 1, 2, 100, 9, 10, 11}
	m := Fit(rows, 1, Config{K: 3, Start: []float64{1, 10, -5000}})
	if m.Sizes[2] != 1 || m.Centroids[2] != 100 || !m.Moved[2] || m.Moved[0] {
		t.Errorf("centroids %v, sizes %v, moved %v: the empty cluster should hold row 100", m.Centroids, m.Sizes, m.Moved)
	}
	// Coinciding rows leave nothing to take; the centroid stays, empty.
	m = Fit([]float64{1, 1, 1}, 1, Config{K: 2, Start: []float64{1, 7}})
	if m.Sizes[0] != 3 || m.Sizes[1] != 0 || m.Centroids[1] != 7 || m.Inertia != 0 {
		t.Errorf("coinciding rows: centroids %v, sizes %v", m.Centroids, m.Sizes)
	}
}

func TestTiesGoToTheLowestIndex(t *testing.T) {
	m := Fit([]float64{-1, 0, 1}, 1, Config{K: 2, Start: []float64{-1, 1}, MaxIterations: 1})
	if j, s := m.Nearest([]float64{(m.Centroids[0] + m.Centroids[1]) / 2}, 1); j != 0 || s <= 0 {
		t.Errorf("a row between two centroids went to %d", j)
	}
	if m.Labels[1] != 0 {
		t.Errorf("the middle row has label %d", m.Labels[1])
	}
	if j, s := Fit(nil, 1, Config{K: 3}).Nearest([]float64{1}, 0); j != -1 || !math.IsInf(s, 1) {
		t.Errorf("a model without centroids answers %d, %v", j, s)
	}
}

// Wherever the search begins, it ends at the lowest of the nearest.
func TestNearestFromAnyGuess(t *testing.T) {
	rows := mixture(3000, 6, 25, 2)
	m := Fit(rows, 6, Config{K: 20, Seed: 1, MaxIterations: 3})
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 2000 {
		row := rows[i*6 : (i+1)*6]
		if i%3 == 0 { // in the middle of two
			a, b := m.Centroid(r.IntN(20)), m.Centroid(r.IntN(20))
			row = make([]float64, 6)
			for x := range row {
				row[x] = (a[x] + b[x]) / 2
			}
		}
		want, least := -1, math.Inf(1)
		for j := range m.K() {
			if s := squared(row, m.Centroid(j), math.Inf(1)); s < least {
				want, least = j, s
			}
		}
		if got, s := m.Nearest(row, r.IntN(20)); got != want || s != least {
			t.Fatalf("row %d: centroid %d at %v, want %d at %v", i, got, s, want, least)
		}
	}
}

// A fit may end while few rows still change; its labels are the nearest all the same.
func TestEnough(t *testing.T) {
	rows := mixture(6000, 8, 200, 12)
	whole, short := Fit(rows, 8, Config{K: 32, Seed: 1}), Fit(rows, 8, Config{K: 32, Seed: 1, Enough: 60})
	if short.Iterations >= whole.Iterations || short.Inertia > whole.Inertia*1.05 {
		t.Errorf("%d passes to %v, with enough %d to %v", whole.Iterations, whole.Inertia, short.Iterations, short.Inertia)
	}
	for i, label := range short.Labels {
		if j, _ := short.Nearest(rows[i*8:(i+1)*8], 0); j != int(label) {
			t.Fatalf("row %d has label %d, nearest is %d", i, label, j)
		}
	}
}

func TestHolds(t *testing.T) {
	rows := mixture(100, 3, 4, 1)
	fit := func() *Model { return Fit(rows, 3, Config{K: 5, Seed: 1}) }
	if !fit().Holds(3) || fit().Holds(4) || (&Model{D: 3}).Holds(3) || !Fit(rows, 3, Config{K: 1}).Holds(3) {
		t.Error("what fits and what does not is not told apart")
	}
	for i, damage := range []func(m *Model){
		func(m *Model) { m.Sizes = m.Sizes[1:] },
		func(m *Model) { m.Centroids = m.Centroids[1:] },
		func(m *Model) { m.near.k-- },
		func(m *Model) { m.near.list = m.near.list[1:] },
		func(m *Model) { m.near.list[9].centroid = 5 },
		func(m *Model) { m.near.list[9].centroid = -1 },
	} {
		m := fit()
		if damage(m); m.Holds(3) {
			t.Errorf("damage %d is not seen", i)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	rows := mixture(20000, 29, 3000, 1) // far more centres than k: many passes
	b.ReportAllocs()
	for b.Loop() {
		m := Fit(rows, 29, Config{K: 64, Seed: 1})
		b.ReportMetric(float64(m.Iterations), "passes")
	}
}

func BenchmarkNearest(b *testing.B) {
	rows := mixture(20000, 29, 80, 1)
	m := Fit(rows, 29, Config{K: 64, Seed: 1, MaxIterations: 5})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m.Nearest(rows[i*29:(i+1)*29], i%64)
		i = (i + 1) % 20000
	}
}

// Centroids without rows do not chase the rounding of others: the fit ends.
func TestEqualRowsEnd(t *testing.T) {
	rows := make([]float64, 0, 90*3)
	for i := range 90 {
		rows = append(rows, .1, float64(i%3)*.7, 1/3.)
	}
	start := make([]float64, 0, 20*3)
	for range 20 {
		start = append(start, .1, .7, 1/3.)
	}
	m := Fit(rows, 3, Config{K: 20, Start: start, MaxIterations: 100})
	if m.Iterations > 30 || m.Inertia > 1e-20 {
		t.Errorf("%d passes, inertia %v", m.Iterations, m.Inertia)
	}
}
