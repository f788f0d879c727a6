// Package kmeans fits centroids to rows of numbers: greedy k-means++ for the
// start, Hamerly's bounds over Lloyd's passes after it. It is pure numerics and
// knows nothing of packets. The same rows, configuration and seed give the same
// bits, whatever GOMAXPROCS is: every floating-point sum is taken over fixed
// blocks of rows, and the blocks are added in their order.
package kmeans

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
)

// Config says how to fit.
type Config struct {
	K             int    // centroids wanted; fewer come out when fewer distinct rows exist
	MaxIterations int    // passes at most; 0 means 100
	Enough        int    // stop when no more rows than that change their label in a pass
	Seed          uint64 // of the start
	// Start are centroids to begin from, row after row. Where they are fewer
	// than K, k-means++ finds the rest; beyond K they are ignored.
	Start []float64
}

// Model is a fitted set of centroids. It is not changed after Fit returns it.
type Model struct {
	D          int       // numbers per row
	Centroids  []float64 // K*D, row after row
	Labels     []int32   // of each fitted row: its nearest centroid, the lowest of equals
	Sizes      []int     // rows per centroid; 0 only where rows coincide
	Inertia    float64   // sum of squared distances of the rows to their centroids
	Iterations int       // passes that moved centroids
	Started    int       // how many centroids came from Config.Start
	Moved      []bool    // centroids that had lost their rows and were placed anew

	near neighbours
}

// K is the number of centroids.
func (m *Model) K() int { return len(m.Sizes) }

// Centroid is centroid j. The slice is the model's own.
func (m *Model) Centroid(j int) []float64 { return m.Centroids[j*m.D : (j+1)*m.D] }

// Digest tells models apart: other centroids have another one, nearly always.
func (m *Model) Digest() string {
	h := fnv.New32a()
	var b [8]byte
	for _, c := range m.Centroids {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(c))
		h.Write(b[:])
	}
	return fmt.Sprintf("%08x", h.Sum32())
}

// Distance is that of two rows, Euclid's.
func Distance(a, b []float64) float64 {
	var s float64
	for i, x := range a {
		e := x - b[i]
		s += e * e
	}
	return math.Sqrt(s)
}

// Nearest is the centroid closest to row, the lowest of equals, and its
// squared distance. guess is where the search begins: any centroid will do, and
// the nearer it is, the fewer others are looked at. A model without centroids
// has -1 and +Inf.
func (m *Model) Nearest(row []float64, guess int) (int, float64) {
	if len(m.Sizes) == 0 {
		return -1, math.Inf(1)
	}
	return m.near.nearest(row, m.Centroids, guess)
}

// Fit clusters len(rows)/d rows of d numbers each. Rows are read, never kept.
// Numbers that are not finite are the caller's bug. No rows, or a K of 0, give
// a model without centroids.
func Fit(rows []float64, d int, cfg Config) *Model {
	if d <= 0 || len(rows)%d != 0 || len(cfg.Start)%d != 0 {
		panic(fmt.Sprintf("BUG: kmeans: %d numbers in rows of %d, start of %d", len(rows), d, len(cfg.Start)))
	}
	if cfg.MaxIterations <= 0 {
		cfg.MaxIterations = 100
	}
	if len(rows) == 0 || cfg.K <= 0 {
		return &Model{D: d}
	}
	f := newFitter(rows, d, cfg)
	f.seed()
	for {
		changed := f.assign()
		if f.iterations > 0 && changed <= cfg.Enough || f.iterations == cfg.MaxIterations {
			return f.model()
		}
		f.update()
		f.iterations++
	}
}

// squared is the squared distance of a and b, or some number above limit as
// soon as it is known to be larger.
func squared(a, b []float64, limit float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+8 <= len(a); i += 8 {
		x, y := a[i:i+8:i+8], b[i:i+8:i+8]
		d0, d1, d2, d3 := x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		s0, s1, s2, s3 = s0+d0*d0, s1+d1*d1, s2+d2*d2, s3+d3*d3
		d0, d1, d2, d3 = x[4]-y[4], x[5]-y[5], x[6]-y[6], x[7]-y[7]
		s0, s1, s2, s3 = s0+d0*d0, s1+d1*d1, s2+d2*d2, s3+d3*d3
		if s0+s1+s2+s3 > limit {
			return math.Inf(1)
		}
	}
	for ; i < len(a); i++ {
		e := a[i] - b[i]
		s0 += e * e
	}
	return s0 + s1 + s2 + s3
}

// Holds says whether m is one that Fit can have made of rows of d numbers, as far as
// places in it go. What was read from a file need not be.
func (m *Model) Holds(d int) bool {
	k := m.K()
	if k == 0 || m.D != d || len(m.Centroids) != k*d || m.near.k != k || len(m.near.list) != k*(k-1) {
		return false
	}
	for _, o := range m.near.list {
		if o.centroid < 0 || int(o.centroid) >= k {
			return false
		}
	}
	return true
}
