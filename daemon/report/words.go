package report

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"pcapdir/analysis/flowvec"
)

// words says features' values as people do, by the feature's name.
type words map[string]flowvec.Feature

func newWords() words {
	all := words{}
	for _, f := range flowvec.Features() {
		all[f.Name] = f
	}
	return all
}

// why puts w's values into words.
func (all words) why(w *Why) {
	f, ok := all[w.Feature]
	if !ok { // of another version
		w.Text, w.Near = w.Feature+" "+plain(w.Value)+" (usually "+plain(w.Median)+")", plain(w.Typical)
		return
	}
	w.Text, w.Near = said(&f, w.Value, w.Median), f.Say(w.Typical)
}

// plain is x with three figures, or all those before the point: it may be a port.
func plain(x float64) string {
	if abs := math.Abs(x); abs >= 1000 && abs < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// said is a value with its number, which some features' words do without.
func said(f *flowvec.Feature, value, usual float64) string {
	text, _ := f.Words(value, usual)
	if !strings.HasSuffix(text, ")") {
		text += ": " + f.Say(value) + " (usually " + f.Say(usual) + ")"
	}
	return text
}

// tells is, for each cluster, what sets its centroid apart from those of its
// report: the features that are most deviations off the median centroid, a
// deviation being the mean one or the least that counts. Clusters weigh the same:
// a scan, which may be most of a window, is not what is usual.
func (all words) tells(clusters []clusterLine) [][]string {
	type tell struct {
		text string
		off  float64
	}
	found := make([][]tell, len(clusters))
	for _, f := range flowvec.Features() { // in the table's order, which settles ties
		usual, deviation := spread(&f, clusters)
		for i := range clusters {
			value, ok := clusters[i].Centroid[f.Name]
			off := math.Abs(f.Scale(value)-usual) / deviation
			if natural := f.Natural(usual); ok && off >= 1 && f.Say(value) != f.Say(natural) {
				found[i] = append(found[i], tell{said(&f, value, natural), off})
			}
		}
	}
	texts := make([][]string, len(clusters))
	for i, tells := range found {
		slices.SortStableFunc(tells, func(a, b tell) int { return cmp.Compare(b.off, a.off) })
		for _, t := range tells[:min(clusterTells, len(tells))] {
			texts[i] = append(texts[i], t.text)
		}
		texts[i] = append(texts[i], all.unknown(clusters[i].Centroid)...)
	}
	return texts
}

// unknown says values whose features have no words here, as those of package asura.
func (all words) unknown(centroid map[string]float64) (texts []string) {
	for _, name := range slices.Sorted(maps.Keys(centroid)) {
		if _, ok := all[name]; !ok && len(texts) < clusterPlain {
			texts = append(texts, cut(name)+" "+plain(centroid[name]))
		}
	}
	return texts
}

// spread is the median of a feature over the centroids, and their mean distance
// from it, both in the unit of vectors.
func spread(f *flowvec.Feature, clusters []clusterLine) (median, deviation float64) {
	var values []float64
	for i := range clusters {
		if x, ok := clusters[i].Centroid[f.Name]; ok {
			values = append(values, f.Scale(x))
		}
	}
	if len(values) == 0 {
		return 0, f.Floor
	}
	slices.Sort(values)
	median = values[len(values)/2]
	for _, x := range values {
		deviation += math.Abs(x-median) / float64(len(values))
	}
	return median, max(deviation, f.Floor)
}
