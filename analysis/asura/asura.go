// Package asura is the method of Asura (R. Ando), for those who want what its paper
// describes: each <source, destination> pair of a window as five numbers (packets,
// bytes, TTL, source port, destination port), k-means over them as they are, and a
// pair is the more anomalous the fewer share its cluster. Nothing is learned from the
// past, and nothing is scaled, so that bytes outweigh the rest.
//
// Where Asura's code does something else than its paper, this does what the paper
// says: UDP, ICMP and IPv6 count, all five numbers are used, no sum overflows,
// shares are not cut to whole percents, centroids start from k-means++, passes are
// bounded and centroids that lose their rows are placed anew. The TTL is the mean of
// the pair's packets, the ports are those of the conversation's first SYN, else packet. A
// window is reported at a time, not all files together.
package asura

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/kmeans"
	"pcapdir/analysis/logs"
	"pcapdir/analysis/plane"
	"pcapdir/source/packet"
)

// Config says how to cluster and what to show.
type Config struct {
	K             int // 0, or less: Asura's 4
	Seed          uint64
	MaxIterations int
	Lines         int // most lines of anomaly.log per report
	Sample        int // most lines of vectors.log
	Full          bool
}

const (
	asuraK = 4
	// rare is the share of the pairs that a cluster must not exceed for its pairs to
	// be labelled anomalous. Asura leaves that to the reader.
	rare = 0.01
	d    = 5
)

var names = [d]string{"packets", "bytes", "ttl", "src_port", "dst_port"}

// report is one window in the making.
type report struct {
	cfg    Config
	k      logs.KMeans
	rows   flowvec.Rows
	pairs  []pair // by source and destination
	values []float64
	mid    [d]float64 // medians
	dev    [d]float64 // mean deviations from them, by squares
	model  *kmeans.Model
	plane  *plane.Plane
	names  []int // of the clusters
	digest string
}

// pair is one directed pair and the number of its conversation.
type pair struct {
	flowvec.Directed
	row int
}

// Report is what a window that ends at end gives: its line of kmeans.log, and its
// lines of anomaly.log and vectors.log.
func Report(rows flowvec.Rows, end packet.Time, window time.Duration, complete bool, cfg Config) (logs.KMeans, []logs.Anomaly, []logs.Vector) {
	if cfg.K <= 0 {
		cfg.K = asuraK
	}
	r := &report{cfg: cfg, rows: rows, pairs: pairsOf(&rows)}
	r.k = logs.KMeans{TS: end.Seconds(), Window: window.Seconds(), Complete: complete, Pairs: len(r.pairs)}
	r.fit()
	return r.k, r.anomalies(), r.vectors()
}

func pairsOf(rows *flowvec.Rows) (pairs []pair) {
	var c flowvec.Conversation
	var both []flowvec.Directed
	for i := range rows.Len() {
		both = rows.Directed(both[:0], i, &c)
		for _, one := range both {
			pairs = append(pairs, pair{one, i})
		}
	}
	slices.SortFunc(pairs, comparePairs)
	return pairs
}

func comparePairs(a, b pair) int {
	return cmp.Or(bytes.Compare(a.Src[:], b.Src[:]), bytes.Compare(a.Dst[:], b.Dst[:]))
}

// fit clusters the pairs and fills in the line of kmeans.log. Clusters are named by
// their size, the largest is 0.
func (r *report) fit() {
	for _, p := range r.pairs {
		r.values = append(r.values, float64(p.Sent.Packets), float64(p.Sent.Bytes), p.TTL, float64(p.SrcPort), float64(p.DstPort))
	}
	r.measure()
	r.model = kmeans.Fit(r.values, d, kmeans.Config{K: r.cfg.K, MaxIterations: r.cfg.MaxIterations, Seed: r.cfg.Seed})
	r.plane = plane.Fit(r.values, d, nil)
	r.k.K, r.k.Inertia, r.k.Iterations = r.model.K(), r.model.Inertia, r.model.Iterations
	r.k.Clusters, r.names, r.digest = make([]logs.Cluster, r.model.K()), make([]int, r.model.K()), r.model.Digest()
	spread := make([]float64, r.model.K())
	for i, label := range r.model.Labels {
		spread[label] += kmeans.Distance(r.row(i), r.model.Centroid(int(label)))
	}
	for n, c := range r.bySize() {
		size := r.model.Sizes[c]
		r.names[c] = n
		r.k.Clusters[n] = logs.Cluster{
			Name: n, Size: size, Share: float64(size) / float64(len(r.pairs)), Spread: spread[c] / max(1, float64(size)), Centroid: r.model.Centroid(c), Names: names[:],
		}
	}
}

// measure finds the median of each number, the lower one of two, and how far the
// pairs are from it.
func (r *report) measure() {
	n := len(r.pairs)
	column := make([]float64, n)
	for j := range d {
		for i := range column {
			column[i] = r.row(i)[j]
		}
		slices.Sort(column)
		r.mid[j] = column[(n-1)/2]
		for _, x := range column {
			r.dev[j] += (x - r.mid[j]) * (x - r.mid[j]) / float64(n)
		}
		r.dev[j] = math.Sqrt(r.dev[j])
	}
}

// bySize are the clusters, the largest first.
func (r *report) bySize() []int {
	order := make([]int, r.model.K())
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.model.Sizes[b], r.model.Sizes[a]) })
	return order
}

func (r *report) row(i int) []float64 { return r.values[i*d : (i+1)*d] }

// share is that of pair i's cluster.
func (r *report) share(i int) float64 {
	return float64(r.model.Sizes[r.model.Labels[i]]) / float64(len(r.pairs))
}

// anomalies are the pairs whose clusters are the smallest, one for each source.
// Asura does not order those of a cluster; here the farthest from the median comes first.
func (r *report) anomalies() (lines []logs.Anomaly) {
	order := make([]int, len(r.pairs))
	far := make([]float64, len(r.pairs))
	for i := range order {
		order[i], far[i] = i, kmeans.Distance(r.row(i), r.mid[:])
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(r.share(a), r.share(b)), cmp.Compare(far[b], far[a]), cmp.Compare(a, b))
	})
	seen := map[packet.Addr]int{} // line + 1 of a source
	for _, i := range order {
		if at := seen[r.pairs[i].Src]; at > 0 {
			if r.share(i) <= rare {
				lines[at-1].Siblings++
			}
			continue
		}
		if len(lines) == r.cfg.Lines {
			continue
		}
		lines = append(lines, r.line(i))
		lines[len(lines)-1].Rank = len(lines)
		seen[r.pairs[i].Src] = len(lines)
	}
	return lines
}

// line is what a pair says of itself.
func (r *report) line(i int) logs.Anomaly {
	p, share, c := &r.pairs[i], r.share(i), r.model.Labels[i]
	x, y := r.plane.Place(r.row(i))
	a := logs.Anomaly{
		TS: r.k.TS, Window: r.k.Window, Complete: r.k.Complete, Label: logs.LabelNormal, Actor: p.Src, OrigH: p.Src, RespH: p.Dst,
		RespP: p.DstPort, Proto: p.Service.ProtoName(), Service: p.Service.String(),
		Score: 1 - share, ScoreP: -math.Log10(share), Cluster: r.names[c], ClusterSize: r.model.Sizes[c], ClusterShare: share, K: r.k.K, X: x, Y: y,
		First: p.First.Seconds(), Last: p.Last.Seconds(),
		OrigPkts: p.Sent.Packets, OrigBytes: p.Sent.Bytes, RespPkts: p.Answered.Packets, RespBytes: p.Answered.Bytes,
		UIDs: r.rows.UIDs(p.row), Why: r.why(i), Model: r.digest, Baseline: logs.BaselineOK,
	}
	a.Message = fmt.Sprintf("%d packets, %d bytes, in a cluster of %d of %d pairs", p.Sent.Packets, p.Sent.Bytes, a.ClusterSize, len(r.pairs))
	if share <= rare {
		a.Label = logs.LabelAnomalous
	}
	return a
}

// why is how far each number is from the median of all pairs, the farthest first, on
// the scale that counts here: none.
func (r *report) why(i int) []logs.Why {
	row, centroid := r.row(i), r.model.Centroid(int(r.model.Labels[i]))
	all := kmeans.Distance(row, r.mid[:])
	list := make([]logs.Why, 0, d)
	for j, x := range row {
		e := x - r.mid[j]
		if e == 0 {
			continue
		}
		list = append(list, logs.Why{
			Feature: names[j], Value: x, Typical: centroid[j], Median: r.mid[j], Z: e / r.dev[j], Pct: 100 * e * e / (all * all),
		})
	}
	slices.SortStableFunc(list, func(a, b logs.Why) int { return cmp.Compare(b.Pct, a.Pct) })
	return list
}

// vectors are up to Sample pairs, those whose hashes are lowest.
func (r *report) vectors() (lines []logs.Vector) {
	order := make([]int, len(r.pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.pairs[a].Hash, r.pairs[b].Hash) })
	for _, i := range order[:min(r.cfg.Sample, len(order))] {
		p := &r.pairs[i]
		x, y := r.plane.Place(r.row(i))
		line := logs.Vector{
			TS: r.k.TS, Window: r.k.Window, Actor: p.Src, OrigH: p.Src, RespH: p.Dst, Service: p.Service.String(),
			Scored: true, Score: 1 - r.share(i), Cluster: r.names[r.model.Labels[i]], X: x, Y: y,
			OrigPkts: p.Sent.Packets, OrigBytes: p.Sent.Bytes, RespPkts: p.Answered.Packets, RespBytes: p.Answered.Bytes,
		}
		if r.cfg.Full {
			line.Features, line.Names = r.row(i), names[:]
		}
		lines = append(lines, line)
	}
	return lines
}
