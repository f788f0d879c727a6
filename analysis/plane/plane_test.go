package plane_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pcapdir/analysis/plane"
)

// cloud is rows that differ by 10 along one direction, by 3 along another, at
// right angles to it, and by 0.1 in all.
func cloud(n, d int, first, second []float64) (rows []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		a, b := 10*r.NormFloat64(), 3*r.NormFloat64()
		for j := range d {
			rows = append(rows, 5+a*first[j]+b*second[j]+.1*r.NormFloat64())
		}
	}
	return rows
}

func TestFindsTheDirections(t *testing.T) {
	h := math.Sqrt(.5)
	first, second := []float64{h, 0, h, 0}, []float64{0, -1, 0, 0}
	p := plane.Fit(cloud(2000, 4, first, second), 4, nil)
	at := func(row ...float64) [2]float64 { x, y := p.Place(row); return [2]float64{x, y} }
	origin := at(5, 5, 5, 5)
	for _, c := range []struct{ row, want []float64 }{
		{[]float64{5 + h, 5, 5 + h, 5}, []float64{1, 0}},
		{[]float64{5, 6, 5, 5}, []float64{0, 1}}, // the largest number is positive
		{[]float64{5, 5, 5, 6}, []float64{0, 0}},
	} {
		got := at(c.row...)
		for a := range got {
			if math.Abs(got[a]-origin[a]-c.want[a]) > .02 {
				t.Errorf("%v lies at %v from the mean, want %v", c.row, []float64{got[0] - origin[0], got[1] - origin[1]}, c.want)
			}
		}
	}
}

// An axis keeps the side of the one before it.
func TestDoesNotFlip(t *testing.T) {
	h := math.Sqrt(.5)
	rows := cloud(500, 4, []float64{h, 0, -h, 0}, []float64{0, 1, 0, 0})
	p := plane.Fit(rows, 4, nil)
	turned := make([]float64, len(rows))
	for i, x := range rows {
		turned[i] = 10 - x
	}
	q := plane.Fit(turned, 4, p)
	for i := 0; i < len(rows); i += 40 {
		x, y := p.Place(rows[i : i+4])
		u, v := q.Place(turned[i : i+4])
		if math.Abs(x+u) > 1e-6 || math.Abs(y+v) > 1e-6 {
			t.Fatalf("a row lies at %v, %v, its mirror image at %v, %v", x, y, u, v)
		}
	}
}

func TestNothingToSee(t *testing.T) {
	for name, rows := range map[string][]float64{
		"no rows": {}, "one row": {1, 2, 3}, "equal rows": {1, 2, 3, 1, 2, 3, 1, 2, 3}, "on a line": {0, 0, 0, 1, 1, 1, 2, 2, 2},
		"huge": {1e150, 0, 0, -1e150, 0, 0},
	} {
		p := plane.Fit(rows, 3, nil)
		x, y := p.Place([]float64{4, 5, 6})
		if math.IsNaN(x+y) || math.IsInf(x+y, 0) {
			t.Errorf("%s: %v, %v", name, x, y)
		}
	}
}

func TestHolds(t *testing.T) {
	p := plane.Fit([]float64{1, 2, 3, 4, 5, 7}, 2, nil)
	if !p.Holds(2) || p.Holds(3) || (&plane.Plane{}).Holds(2) {
		t.Error("planes of rows of other lengths are not told apart")
	}
}
