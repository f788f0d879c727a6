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
	f.near.arrange(f.centroids, f.d)
	near := make([]float64, f.n) // squared distance to the nearest centroid so far, which is labels' one
	left := f.total(func(_, lo, hi int) float64 { return f.nearest(near, lo, hi) })
	tries := 2 + int(math.Log(float64(f.cfg.K)))
	for f.k < f.cfg.K && left > 0 && !f.onlyRounding(near) {
		chosen, least := -1, math.Inf(1)
		for range tries {
			c := f.draw(near, left)
			if s := f.potential(near, c); s < least {
				chosen, least = c, s
			}
		}
		left = f.closer(near, chosen)
		f.place(f.row(chosen))
	}
	for i, s := range near {
		f.upper[i] = math.Sqrt(s)
	}
	f.moved = make([]bool, f.k)
}

// onlyRounding says that every row lies on a centroid, but for rounding.
func (f *fitter) onlyRounding(near []float64) bool {
	for i, s := range near {
		if s > 0 && !f.rounding(i, s) {
			return false // the first that is looked at, nearly always
		}
	}
	return true
}

func (f *fitter) place(row []float64) {
	f.centroids = append(f.centroids, row...)
	f.k++
}

// nearest fills near[lo:hi] and labels against all centroids and returns near's sum.
// The search for a row begins at the centroid of the one before: rows that are alike and
// stand together save time.
func (f *fitter) nearest(near []float64, lo, hi int) float64 {
	var s float64
	label := 0
	for i := lo; i < hi; i++ {
		label, near[i] = f.near.nearest(f.row(i), f.centroids, label)
		f.labels[i] = int32(label)
		s += near[i]
	}
	return s
}

// quarters are a quarter of the squared distance of row c to each centroid: no
// row that is within it of its own centroid is nearer to c.
func (f *fitter) quarters(c int) []float64 {
	q := make([]float64, f.k)
	for j := range q {
		q[j] = squared(f.row(c), f.centroid(j), math.Inf(1)) / 4 * (1 - slack)
	}
	return q
}

// closer makes near and labels what they are with row c as one more centroid,
// and returns near's sum.
func (f *fitter) closer(near []float64, c int) float64 {
	row, quarters := f.row(c), f.quarters(c)
	return f.total(func(_, lo, hi int) float64 {
		var s float64
		for i := lo; i < hi; i++ {
			if near[i] > quarters[f.labels[i]] {
				if to := squared(f.row(i), row, near[i]); to < near[i] {
					near[i], f.labels[i] = to, int32(f.k)
				}
			}
			s += near[i]
		}
		return s
	})
}

// potential is the sum of squared distances that row c as a centroid would leave.
func (f *fitter) potential(near []float64, c int) float64 {
	row, quarters := f.row(c), f.quarters(c)
	return f.total(func(_, lo, hi int) float64 {
		var s float64
		for i := lo; i < hi; i++ {
			to := near[i]
			if to > quarters[f.labels[i]] {
				to = min(to, squared(f.row(i), row, to))
			}
			s += to
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
