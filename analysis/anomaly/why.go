package anomaly

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
)

// How many features a line lists, and how many of them it puts into words.
const (
	mostReasons = 8
	mostWords   = 3
)

// reason is one feature's part in a score.
type reason struct {
	feature *flowvec.Feature
	off     float64 // deviations, not clipped
	logs.Why
}

// deviations are row i's. They hold until the next call.
func (win *window) deviations(i int) []float64 {
	win.packets = win.read(win.reader, i, &win.vector, &win.z)
	return win.z[:]
}

// why is which features put row i so far from its centroid, the largest first.
// Over all of them the percentages add to 100.
func (win *window) why(i int) []reason {
	z := win.deviations(i)
	m, service := win.model, win.context.Service(i)
	var off row
	m.unclipped(&win.vector, win.packets, win.homes[win.context.ServiceNumber(i)], &off)
	centroid := m.Centroid(int(win.cluster[i]))
	all := make([]reason, 0, d)
	for j := range d {
		e := z[j] - centroid[j]
		if e == 0 {
			continue
		}
		f := &features[j]
		all = append(all, reason{f, math.Abs(off[j]), logs.Why{
			Feature: f.Name, Value: f.Natural(win.vector[j]),
			Typical: m.natural(j, centroid[j], service), Median: m.natural(j, 0, service),
			Z: z[j], Pct: 100 * e * e / (win.distance[i] * win.distance[i]),
		}})
	}
	slices.SortStableFunc(all, reason.compare)
	return all
}

// compare puts what weighs more first. What is clipped weighs the same, where the
// centroid is not off itself; then that comes first which is farther off.
func (r reason) compare(o reason) int {
	return cmp.Or(cmp.Compare(o.Pct, r.Pct), cmp.Compare(o.off, r.off))
}

// listed are the reasons that a line lists.
func listed(why []reason) (list []logs.Why) {
	for _, r := range why[:min(mostReasons, len(why))] {
		list = append(list, r.Why)
	}
	return list
}

// message is the weightiest reasons in words, of what is at least a deviation from
// the median: a feature may also weigh because the nearest cluster is the unusual one,
// which is nothing to tell a person. Neither is that a service is a common one.
func message(why []reason) string {
	var words []string
	for _, r := range why {
		if len(words) == mostWords {
			break
		}
		if text, differs := r.feature.Words(r.Value, r.Median); differs && math.Abs(r.Z) >= 1 && (r.Z > 0 || !r.feature.Rarity()) {
			words = append(words, text)
		}
	}
	return strings.Join(words, "; ")
}
