package main

import (
	"cmp"
	"slices"
)

// curve is how well scores tell positives from negatives, whatever the threshold.
type curve struct {
	roc float64 // chance that a positive scores above a negative; equal ones count half
	pr  float64 // average precision: the mean, over positives, of the precision at their score
}

// areas needs at least one score of each.
func areas(positive, negative []float64) curve {
	type point struct {
		score    float64
		positive bool
	}
	points := make([]point, 0, len(positive)+len(negative))
	for _, s := range positive {
		points = append(points, point{s, true})
	}
	for _, s := range negative {
		points = append(points, point{s, false})
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(b.score, a.score) })
	var c curve
	var above, below float64 // positives and negatives with a higher score
	for i := 0; i < len(points); {
		var p, n float64 // with this score
		for s := points[i].score; i < len(points) && points[i].score == s; i++ {
			if points[i].positive {
				p++
			} else {
				n++
			}
		}
		c.roc += p * (float64(len(negative)) - below - n/2)
		above, below = above+p, below+n
		c.pr += p * above / (above + below)
	}
	c.roc /= float64(len(positive) * len(negative))
	c.pr /= float64(len(positive))
	return c
}
