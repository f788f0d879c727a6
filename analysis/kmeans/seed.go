package kmeans

import "math"

// seed places the first centroids: those given, then greedy k-means++ (Arthur
// and Vassilvitskii 2007, with several candidates a step): rows drawn with
// probability proportional to their squared distance from what is placed, the
// best of 2+ln k candidates kept. It ends early when every row lies on a
// centroid, so k is never more than the number of distinct rows.
func (f *fitter) seed() {
	f.started = min(len(f.cfg.Start)/f.d, f.cfg.K)
	f.centroids = append(make([]float64, 0, f.cfg.K*f.d), f.cfg.Start[:f.started*f.d]...)
	if f.k = f.started; f.k == 0 {
		f.place(f.row(f.rng.IntN(f.n)))
	}
	near := make([]float64, f.n) // squared distance to the nearest centroid so far
	left := f.total(func(_, lo, hi int) float64 { return f.nearest(near, lo, hi) })
	best := make([]float64, f.n)
	tries := 2 + int(math.Log(float64(f.cfg.K)))
	for f.k < f.cfg.K && left > 0 {
		chosen, least := -1, math.Inf(1)
		for range tries {
			c := f.draw(near, left)
			if s := f.potential(near, c); s < least {
				chosen, least = c, s
			}
		}
		row := f.row(chosen)
		f.place(row)
		left = f.total(func(_, lo, hi int) float64 { return closer(f, near, best, row, lo, hi) })
		near, best = best, near
	}
	f.moved = make([]bool, f.k)
}

func (f *fitter) place(row []float64) {
	f.centroids = append(f.centroids, row...)
	f.k++
}

// nearest fills near[lo:hi] against all centroids and returns its sum.
func (f *fitter) nearest(near []float64, lo, hi int) float64 {
	var s float64
	for i := lo; i < hi; i++ {
		near[i] = math.Inf(1)
		for j := range f.k {
			near[i] = min(near[i], squared(f.row(i), f.centroid(j), near[i]))
		}
		s += near[i]
	}
	return s
}

// closer fills to[lo:hi] with near as it would be with one more centroid.
func closer(f *fitter, near, to, row []float64, lo, hi int) float64 {
	var s float64
	for i := lo; i < hi; i++ {
		to[i] = near[i]
		if near[i] > 0 {
			to[i] = min(near[i], squared(f.row(i), row, near[i]))
		}
		s += to[i]
	}
	return s
}

// potential is the sum of squared distances that row c as a centroid would leave.
func (f *fitter) potential(near []float64, c int) float64 {
	row := f.row(c)
	return f.total(func(_, lo, hi int) float64 {
		var s float64
		for i := lo; i < hi; i++ {
			if near[i] > 0 {
				s += min(near[i], squared(f.row(i), row, near[i]))
			}
		}
		return s
	})
}

// draw is a row, drawn with probability near[i]/left.
func (f *fitter) draw(near []float64, left float64) int {
	at, last := f.rng.Float64()*left, 0
	for i, s := range near {
		if s <= 0 {
			continue
		}
		if last = i; at < s {
			return i
		}
		at -= s
	}
	return last // rounding used up the sum: the last row that can be drawn
}
