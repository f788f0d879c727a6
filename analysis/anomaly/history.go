package anomaly

import (
	"math"
	"time"

	"pcapdir/source/packet"
)

const (
	binsPerUnit = 16
	// numBins holds every distance that clipping leaves possible: from one
	// corner of the clipped cube to the other is 2*6*sqrt(29), 64.6.
	numBins = 66 * binsPerUnit
)

// history counts distances in fixed bins, hour by hour, so that old ones can go.
type history struct {
	hours []hour // in time order
}

type hour struct {
	start packet.Time
	bins  [numBins]uint32
}

func binOf(distance float64) int { return max(0, min(numBins-1, int(distance*binsPerUnit))) }

// at is the counts of t's hour. Times do not go back.
func (h *history) at(t packet.Time) *[numBins]uint32 {
	start := t.Floor(time.Hour)
	if n := len(h.hours); n == 0 || h.hours[n-1].start != start {
		h.hours = append(h.hours, hour{start: start})
	}
	return &h.hours[len(h.hours)-1].bins
}

// forget drops the hours that ended by oldest.
func (h *history) forget(oldest packet.Time) {
	gone := 0
	for gone < len(h.hours) && h.hours[gone].start.Add(time.Hour) <= oldest {
		gone++
	}
	h.hours = append(h.hours[:0], h.hours[gone:]...)
}

// tail is how many distances lie in each bin or above.
func (h *history) tail() (counts [numBins + 1]uint64) {
	for i := range h.hours {
		for b, n := range h.hours[i].bins {
			counts[b] += uint64(n)
		}
	}
	for b := numBins - 1; b >= 0; b-- {
		counts[b] += counts[b+1]
	}
	return counts
}

// scoreP is -log10 of the share of past distances as large as this one.
func scoreP(tail *[numBins + 1]uint64, distance float64) float64 {
	return math.Log10(float64(tail[0]+1) / float64(tail[binOf(distance)]+1))
}

// atMost is the least distance that no more than n past ones reach.
func atMost(tail *[numBins + 1]uint64, n float64) float64 {
	b := 0
	for b < numBins && float64(tail[b]) > n {
		b++
	}
	return float64(b) / binsPerUnit
}
