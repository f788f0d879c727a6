package anomaly

import (
	"math"

	"pcapdir/analysis/kmeans"
)

const (
	heldOut = 5   // every so manyth row of a search is not fitted
	gain    = .95 // a doubling that leaves more of their distance than this is not worth it
)

// choose is k for the rows of a baseline.
func (c *Config) choose(rows []float64) int {
	most := c.clusters(len(rows) / d)
	if c.K != Search {
		return most
	}
	fitted, held := split(rows)
	best, last := leastClusters, math.Inf(1)
	for k := leastClusters; k <= most; k *= 2 {
		m := kmeans.Fit(fitted, d, kmeans.Config{K: k, MaxIterations: c.MaxIterations, Enough: len(fitted) / d / settled, Seed: c.Seed})
		far := distanceTo(m, held)
		if k > leastClusters && far > last*gain {
			break
		}
		best, last = k, far
	}
	return best
}

// split takes every fifth row out. Rows come in the order of their numbers, so that
// is a sample of all kinds.
func split(rows []float64) (fitted, held []float64) {
	for i := 0; i < len(rows); i += d {
		if row := rows[i : i+d]; i/d%heldOut == heldOut-1 {
			held = append(held, row...)
		} else {
			fitted = append(fitted, row...)
		}
	}
	return fitted, held
}

// distanceTo is the mean distance of rows to the nearest centroid.
func distanceTo(m *kmeans.Model, rows []float64) (mean float64) {
	guess := 0
	for i := 0; i < len(rows); i += d {
		c, squared := m.Nearest(rows[i:i+d], guess)
		guess, mean = c, mean+math.Sqrt(squared)
	}
	return mean / max(1, float64(len(rows)/d))
}
