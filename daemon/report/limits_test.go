package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func sum(series []Series) (bytes, conns float64) {
	for _, s := range series {
		for i := range s.Bytes {
			bytes, conns = bytes+s.Bytes[i], conns+s.Conns[i]
		}
	}
	return bytes, conns
}

// However long the period, the picture is bounded and holds every connection.
func TestTraffic(t *testing.T) {
	for _, c := range []struct {
		name     string
		n        int
		gap      float64 // between connections
		duration float64
		services int
		series   int
	}{
		{"one", 1, 1, 0, 1, 1},
		{"a minute", 60, 1, .5, 3, 3},
		{"a day", 2000, 43.2, 600, 20, trafficSeries},
		{"a year", 3000, 10512, 86400 * 30, 2 * trafficNames, trafficSeries},
		{"8000 years", 1000, lastTime / 1001, maxInterval, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTraffic()
			for i := range c.n {
				tr.add(&connLine{TS: float64(i) * c.gap, Duration: c.duration, Service: fmt.Sprint("s", i%c.services), OrigBytes: 1000})
			}
			p := tr.picture()
			bytes, conns := sum(p.Series)
			if math.Abs(bytes-1000*float64(c.n)) > float64(len(p.Series)*len(p.Series[0].Bytes)) || conns != float64(c.n) || p.Outside != 0 {
				t.Errorf("%v bytes of %v connections, %v outside", bytes, conns, p.Outside)
			}
			if len(p.Series) != c.series || c.name != "8000 years" && len(p.Series[0].Bytes) > trafficColumns {
				t.Errorf("%d series of %d", len(p.Series), len(p.Series[0].Bytes))
			}
		})
	}
	tr := newTraffic()
	for i := range 2000 {
		tr.add(&connLine{TS: 1.7e9 + float64(i)/10, Proto: "udp"})
	}
	tr.add(&connLine{TS: 3, Proto: "udp"})
	p := tr.picture()
	if p.Outside != 1 || p.Width != 1 || p.Series[0].Name != "udp" || len(p.Series[0].Conns) > 201 {
		t.Errorf("one of 1970 makes stretches of %v s, %v outside", p.Width, p.Outside)
	}
}

func TestIncidentsAreBounded(t *testing.T) {
	var kept incidents
	const n = 10_000
	for i := range n {
		label := "normal"
		if i%2 == 0 {
			label = "anomalous"
		}
		a := &Incident{TS: float64(i), Window: 60, Label: label, Score: float64(n - i), Actor: strings.Repeat("a", 1000)}
		a.UIDs, a.Why = make([]string, 1000), make([]Why, 1000)
		a.Why[0].Feature = strings.Repeat("f", 1000)
		kept.add(a)
	}
	all, wanted := kept.kept()
	if kept.alerts != n/2 || len(wanted) != alertReports || len(all) != bestAlerts+newestIncidents || all[0].TS != 0 || all[len(all)-1].TS != n-1 {
		t.Fatalf("%d of %d alerts, from %v to %v", len(all), kept.alerts, all[0].TS, all[len(all)-1].TS)
	}
	for i := range bestAlerts {
		if all[i].TS != float64(2*i) {
			t.Fatalf("alert %d is of %v", i, all[i].TS)
		}
	}
	if a := all[0]; len(a.UIDs) != incidentUIDs || len(a.Why) != incidentWhy || cap(a.UIDs) > 2*incidentUIDs || cap(a.Why) > 2*incidentWhy || len(a.Why[0].Feature) > textLength+3 || len(a.Actor) > textLength+3 {
		t.Errorf("%d uids, %d features, %d bytes of actor", len(a.UIDs), len(a.Why), len(a.Actor))
	}
}

func TestReportsAreBounded(t *testing.T) {
	const n = 1000
	var lines = map[string][]string{"conn": {fmt.Sprintf(connText, 5, "C1", "", 0)}}
	for i := range n {
		ts := float64(60 * (i + 1))
		lines["kmeans"] = append(lines["kmeans"], fmt.Sprintf(kmeansText, ts, true))
		lines["vectors"] = append(lines["vectors"], fmt.Sprintf(vectorText, ts, true))
		lines["anomaly"] = append(lines["anomaly"], fmt.Sprintf(anomalyText, ts, "anomalous", float64(n-i)))
	}
	for range 2 * reportPoints {
		lines["vectors"] = append(lines["vectors"], fmt.Sprintf(vectorText, 60.0*n, true))
	}
	r := read(t, logDir(t, lines))
	if r.AllWindows != n || len(r.Windows) != newestReports+alertReports || r.AllAlerts != n {
		t.Fatalf("%d of %d reports", len(r.Windows), r.AllWindows)
	}
	if first, last := r.Windows[0], r.Windows[len(r.Windows)-1]; first.TS != 60 || len(first.Points) != 1 || last.TS != 60*n || len(last.Points) != reportPoints {
		t.Errorf("%v with %d points to %v with %d", first.TS, len(first.Points), last.TS, len(last.Points))
	}
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "leaves out 840 reports:") {
		t.Errorf("%s", notes)
	}
}

func TestCut(t *testing.T) {
	long := strings.Repeat("ä", textLength)
	if got := cut("x" + long); !strings.HasPrefix("x"+long, strings.TrimSuffix(got, "…")) || len(got) > textLength+3 || cut("short") != "short" {
		t.Errorf("%q", got)
	}
	if got := cut(strings.Repeat("\x80", 1000)); got != "…" {
		t.Errorf("%q", got)
	}
}
