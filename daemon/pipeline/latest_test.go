package pipeline

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

func reportAt(minute int, label string, score float64) anomaly.Report {
	end := float64(60 * minute)
	a := logs.Anomaly{TS: end, Window: 60, Rank: 1, Label: label, Score: score, Service: fmt.Sprint("tcp/", minute)}
	r := anomaly.Report{KMeans: logs.KMeans{TS: end, Window: 60, Pairs: 400, K: 1}, Anomalies: []logs.Anomaly{a}}
	for range 400 {
		r.Vectors = append(r.Vectors, logs.Vector{TS: end, Window: 60})
	}
	return r
}

// Whatever a long run reports, so much of it is kept: the newest reports and lines, alerts
// that are older, and the highest.
func TestLatestIsBounded(t *testing.T) {
	l := &latest{}
	for m := range 1000 {
		label := logs.LabelNormal
		if m%100 == 0 {
			label = logs.LabelAnomalous
		}
		l.add(packet.Time(m)*60e9, nil, []anomaly.Report{reportAt(m, label, float64(1000-m))})
	}
	if len(l.reports) != latestReports || len(l.lines) != latestLines || l.alerted != 10 || len(l.reports[0].Vectors) != latestVectors {
		t.Errorf("%d reports, %d lines, %d alerts", len(l.reports), len(l.lines), l.alerted)
	}
	if got := l.highest; len(got) != highestAlerts || got[0].Score != 1000 || got[4].Score != 600 {
		t.Errorf("the highest: %+v", got)
	}
	r := l.report()
	if len(r.Bad) > 0 || len(r.Windows) != latestReports || len(r.Windows[0].Points) != latestVectors || r.AllAlerts != 10 || len(r.Incidents) != latestLines+8 {
		t.Errorf("%+v", r)
	}
	if first, last := r.Incidents[0], r.Incidents[len(r.Incidents)-1]; first.TS != 0 || last.TS != 999*60 {
		t.Errorf("from %v to %v", first.TS, last.TS)
	}
}

// A report of more lines than are kept keeps its alerts, which come first; and nothing keeps
// what the detector made beyond that.
func TestLatestOfALongReport(t *testing.T) {
	l := &latest{}
	r := reportAt(1, logs.LabelAnomalous, 9)
	r.Vectors[0].Features, r.Vectors[0].Names = make([]float64, 5), make([]string, 5)
	for n := range 2 * latestLines {
		a := reportAt(1, logs.LabelNormal, 1).Anomalies[0]
		a.Rank = n + 2
		r.Anomalies = append(r.Anomalies, a)
	}
	l.add(60e9, nil, []anomaly.Report{r})
	if got := l.report(); got.AllAlerts != 1 || len(got.Incidents) != latestLines+1 || got.Incidents[0].Rank != 1 {
		t.Errorf("%d alerts, %d lines", got.AllAlerts, len(got.Incidents))
	}
	if kept := &l.reports[0]; kept.Anomalies != nil || kept.Vectors[0].Features != nil || r.Vectors[0].Features == nil {
		t.Errorf("%d lines, features %v", len(kept.Anomalies), kept.Vectors[0].Features)
	}
}

// An alert that comes again, or in windows of two lengths, is one of the highest once.
func TestHighestAlerts(t *testing.T) {
	l := &latest{}
	for i, score := range []float64{3, 9, 5} {
		a := reportAt(1, logs.LabelAnomalous, score)
		a.Anomalies[0].TS = float64(i)
		l.add(0, nil, []anomaly.Report{a, reportAt(2, logs.LabelAnomalous, 4)})
	}
	if got := l.highest; len(got) != 2 || got[0].Score != 9 || got[1].Score != 4 || l.alerted != 6 {
		t.Errorf("%+v of %d", got, l.alerted)
	}
}

// Conversations are summed up over panes, and few of them are forgotten for others.
func TestTalkers(t *testing.T) {
	l := &latest{batch: true}
	heavy := func(n int, bytes uint64) flowvec.Heavy {
		return flowvec.Heavy{Source: packet.Addr{14: byte(n >> 8), 15: byte(n)}, Sent: flowvec.Totals{Packets: 1, Bytes: bytes}}
	}
	for pane := range 200 {
		var all []flowvec.Heavy
		for i := range heaviestPairs {
			all = append(all, heavy(i*7+pane*40, uint64(1000+i)))
		}
		l.add(0, append(all, heavy(0xffff, 1100)), nil)
		if len(l.talks) > 2*mostTalks {
			t.Fatalf("%d are kept", len(l.talks))
		}
	}
	want := heavy(0xffff, 200*1100)
	want.Sent.Packets = 200
	if got := l.talkers()[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	l = &latest{batch: true}
	a, b := packet.Addr{1}, packet.Addr{2}
	l.add(0, []flowvec.Heavy{{Source: a, Target: b, Sent: flowvec.Totals{Packets: 1, Bytes: 2}}}, nil)
	l.add(0, []flowvec.Heavy{{Source: b, Target: a, Sent: flowvec.Totals{Packets: 4, Bytes: 8}, Received: flowvec.Totals{Packets: 16, Bytes: 32}}}, nil)
	turned := flowvec.Heavy{Source: a, Target: b, Sent: flowvec.Totals{Packets: 17, Bytes: 34}, Received: flowvec.Totals{Packets: 4, Bytes: 8}}
	if got := l.talkers(); len(got) != 1 || got[0] != turned {
		t.Errorf("one that turned round: %+v", got)
	}
	daemon := &latest{}
	daemon.add(0, []flowvec.Heavy{want}, nil)
	if len(daemon.talks) != 0 || len(daemon.heavy) != 1 {
		t.Error("a daemon that runs for years sums up")
	}
}

// The page tells outcomes as spool.log does.
func TestPutAwayByCatchingUp(t *testing.T) {
	fs := files{}
	for _, late := range []bool{false, true} {
		f := &file{File: &spool.File{Path: "/in/x"}, on: &timeline{catchUp: late}, books: &books.File{}}
		for _, outcome := range []spool.Outcome{spool.Done, spool.Failed} {
			fs.retired([]*file{f}, []spool.Move{{Outcome: outcome}})
		}
	}
	var got []string
	for _, l := range fs.latest() {
		got = append(got, l.Outcome)
	}
	if want := []string{"done", "failed", outcomeCatchUp, "failed"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The last hour is kept, and told from where the asker has it.
func TestHistory(t *testing.T) {
	var h history
	if got := h.beyond(0); got == nil || len(got) != 0 {
		t.Errorf("at the start: %v", got)
	}
	for i := range 2 * keptSamples {
		h.add(sample{Time: float64(-i)}) // the clock goes back
	}
	for have, want := range map[uint64]int{0: keptSamples, 1: keptSamples, 2*keptSamples - 2: 2, 2 * keptSamples: 0, 1e18: keptSamples} {
		got := h.beyond(have)
		if len(got) != want || want > 0 && (got[want-1].N != 2*keptSamples || got[0].N != uint64(2*keptSamples-want+1)) {
			t.Errorf("beyond %d: %d samples, want %d", have, len(got), want)
		}
	}
}

func TestBeatInWords(t *testing.T) {
	b := Beat{Done: 3, Failed: 1, OpenFiles: 2, Ahead: 4, Handled: 5000, Rate: 1234.4, ActiveConns: 6}
	if want := "3 files done, 1 failed, 2 open, 4 waiting; 5000 packets, 1234/s, 6 connections open"; b.String() != want {
		t.Errorf("%q", b.String())
	}
	b.HasWatermark, b.Watermark, b.Lag = true, 60e9, 90*time.Second+300*time.Millisecond
	if want := ", logged up to 1970-01-01T00:01:00Z, lag 1m30s"; b.String()[len(b.String())-len(want):] != want {
		t.Errorf("%q", b.String())
	}
}
