// Package plane lays rows of many numbers out on the plane that shows most of
// how they differ: their first two principal components. It is for pictures.
package plane

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Plane is two axes through the mean of the rows that it was fitted to.
type Plane struct {
	mean []float64
	axes [2][]float64 // of length 1, or 0 where the rows do not differ
}

// Fit finds the plane of len(rows)/d rows of d numbers each, d being 2 or more.
// Where an axis points to one side or the other alike, it takes the side of
// old's, so that pictures do not flip; old may be nil. Rows are not kept.
func Fit(rows []float64, d int, old *Plane) *Plane {
	p := &Plane{mean: make([]float64, d)}
	n := len(rows) / d
	for i, x := range rows[:n*d] {
		p.mean[i%d] += x / float64(n)
	}
	p.axes[0], p.axes[1] = make([]float64, d), make([]float64, d)
	if n < 2 {
		return p
	}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, mat.NewDense(n, d, rows[:n*d]), nil)
	var eigen mat.EigenSym
	if !eigen.Factorize(&covariance, true) {
		return p
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil) // rising
	for a := range p.axes {
		if values[d-1-a] <= 0 {
			continue
		}
		mat.Col(p.axes[a], d-1-a, &vectors)
		p.axes[a] = turned(p.axes[a], old.axis(a))
	}
	return p
}

func (p *Plane) axis(a int) []float64 {
	if p == nil {
		return nil
	}
	return p.axes[a]
}

// turned is the axis, on the side of old, or where that says nothing with its
// largest number positive.
func turned(axis, old []float64) []float64 {
	along, most := 0.0, 0.0
	for i, x := range axis {
		if len(old) == len(axis) {
			along += x * old[i]
		}
		if math.Abs(x) > math.Abs(most)*(1+1e-9) {
			most = x
		}
	}
	if along < 0 || along == 0 && most < 0 {
		for i := range axis {
			axis[i] = -axis[i]
		}
	}
	return axis
}

// Place is where a row lies on the plane.
func (p *Plane) Place(row []float64) (x, y float64) {
	for i, v := range row {
		x += (v - p.mean[i]) * p.axes[0][i]
		y += (v - p.mean[i]) * p.axes[1][i]
	}
	return x, y
}

// Holds says whether p is one of rows of d numbers. What was read from a file need not be.
func (p *Plane) Holds(d int) bool {
	return len(p.mean) == d && len(p.axes[0]) == d && len(p.axes[1]) == d
}
