package pipeline

import (
	"cmp"
	"slices"
	"sync"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/daemon/report"
	"pcapdir/source/packet"
)

// How much of what was reported is kept for people who look.
const (
	latestReports = 12
	latestVectors = 300 // of a report
	latestLines   = 200 // of anomaly.log
	latestAlerts  = 100 // that are older than these
	highestAlerts = 5
	latestFiles   = 20  // of spool.log
	heaviestPairs = 256 // of a pane
	mostTalks     = 4096
)

// latest is what the newest reports said: for the page of a daemon, and the summary of a
// batch. It shows a report when it is made, up to a commit before the logs do.
type latest struct {
	batch bool // whole runs are summed up

	mu      sync.Mutex
	made    uint64           // panes that were reported
	given   int              // reports, ever
	reports []anomaly.Report // the newest last
	lines   []logs.Anomaly   // likewise
	alerts  []logs.Anomaly   // likewise: alerts and their ends from before lines
	alerted int              // alerts, ever
	highest []logs.Anomaly   // of them, by score, one of a conversation and service
	pane    packet.Time      // end of the last pane
	heavy   []flowvec.Heavy  // of it
	talks   map[ends]*flowvec.Heavy
}

// ends are who speaks with whom.
type ends struct{ source, target packet.Addr }

// add takes what the pane that ends at end gave.
func (l *latest) add(end packet.Time, heavy []flowvec.Heavy, reports []anomaly.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	l.pane, l.heavy = end, heavy
	if l.batch {
		l.sum(heavy)
	}
	l.given += len(reports)
	for _, r := range reports {
		l.addLines(r.Anomalies)
		r.Anomalies, r.Vectors = nil, pictured(r.Vectors)
		l.reports = keepLast(append(l.reports, r), latestReports)
	}
}

// end takes the lines that the end of the input gave.
func (l *latest) end(lines []logs.Anomaly) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	l.addLines(lines)
}

// addLines takes lines of anomaly.log.
func (l *latest) addLines(lines []logs.Anomaly) {
	for _, a := range lines {
		if a.Label == logs.LabelAnomalous {
			l.alerted++
			l.rank(a)
		}
	}
	l.lines = append(l.lines, lines...)
	for _, a := range l.lines[:max(0, len(l.lines)-latestLines)] {
		if a.Label != logs.LabelNormal {
			l.alerts = append(l.alerts, a)
		}
	}
	l.lines, l.alerts = keepLast(l.lines, latestLines), keepLast(l.alerts, latestAlerts)
}

// pictured is what a picture shows of the first of lines: not their features, which may be
// parts of something large.
func pictured(lines []logs.Vector) []logs.Vector {
	lines = slices.Clone(lines[:min(len(lines), latestVectors)])
	for i := range lines {
		lines[i].Features, lines[i].Names = nil, nil
	}
	return lines
}

// rank puts an alert among the highest, of which each conversation and service has one.
func (l *latest) rank(a logs.Anomaly) {
	same := func(b logs.Anomaly) bool {
		return a.OrigH == b.OrigH && a.RespH == b.RespH && a.Service == b.Service
	}
	if i := slices.IndexFunc(l.highest, same); i < 0 {
		l.highest = append(l.highest, a)
	} else if a.Score > l.highest[i].Score {
		l.highest[i] = a
	}
	slices.SortStableFunc(l.highest, func(a, b logs.Anomaly) int { return cmp.Compare(b.Score, a.Score) })
	l.highest = l.highest[:min(len(l.highest), highestAlerts)]
}

// count changes with every pane.
func (l *latest) count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made
}

// totals are the reports, and the alerts, since the start.
func (l *latest) totals() (reports, alerts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.given, l.alerted
}

// keepLast is the end of list, without what was before it.
func keepLast[T any](list []T, most int) []T {
	return slices.Delete(list, 0, max(0, len(list)-most))
}

// sum adds up conversations over panes.
func (l *latest) sum(heavy []flowvec.Heavy) {
	if l.talks == nil {
		l.talks = map[ends]*flowvec.Heavy{}
	}
	for _, h := range heavy {
		if l.talks[ends{h.Target, h.Source}] != nil { // the other end began this time
			h.Source, h.Target, h.Sent, h.Received = h.Target, h.Source, h.Received, h.Sent
		}
		key := ends{h.Source, h.Target}
		t := l.talks[key]
		if t == nil {
			l.talks[key] = &h
			continue
		}
		t.Sent.Packets, t.Sent.Bytes = t.Sent.Packets+h.Sent.Packets, t.Sent.Bytes+h.Sent.Bytes
		t.Received.Packets, t.Received.Bytes = t.Received.Packets+h.Received.Packets, t.Received.Bytes+h.Received.Bytes
	}
	if len(l.talks) > 2*mostTalks {
		for _, t := range l.talkers()[mostTalks:] {
			delete(l.talks, ends{t.Source, t.Target})
		}
	}
}

// talkers are all that is summed up, the most bytes first.
func (l *latest) talkers() []flowvec.Heavy {
	all := make([]flowvec.Heavy, 0, len(l.talks))
	for _, t := range l.talks {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b flowvec.Heavy) int {
		return cmp.Or(cmp.Compare(b.Sent.Bytes+b.Received.Bytes, a.Sent.Bytes+a.Received.Bytes),
			a.Source.Compare(b.Source), a.Target.Compare(b.Target))
	})
	return all
}

// report is what package report makes of the newest lines.
func (l *latest) report() *report.Report {
	l.mu.Lock()
	reports, lines := slices.Clone(l.reports), slices.Concat(l.alerts, l.lines)
	l.mu.Unlock()
	var clusters, vectors []byte
	kmeans := logs.KMeansStream()
	for i := range reports {
		clusters = kmeans.Append(clusters, &reports[i].KMeans)
		vectors = appendAll(vectors, logs.VectorStream(), reports[i].Vectors)
	}
	return report.Recent(appendAll(nil, logs.AnomalyStream(), lines), clusters, vectors)
}
