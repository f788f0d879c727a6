package report

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path/filepath"
)

// Report is what the page shows.
type Report struct {
	Dir   string   `json:"dir"`
	Notes []string `json:"notes"` // what is missing or was left out
	Bad   []Bad    `json:"bad"`   // logs with lines that could not be read

	Timed bool    `json:"timed"` // something has a time: First and Last hold
	First float64 `json:"first"` // stamps of the period, seconds since 1970
	Last  float64 `json:"last"`
	Conns float64 `json:"conns"`
	Files Files   `json:"files"`

	AllWindows    int `json:"all_windows"`    // reports in the logs
	BrokenWindows int `json:"broken_windows"` // those that lack something
	AllAlerts     int `json:"all_alerts"`

	Traffic   *Traffic    `json:"traffic"` // nil: no connection
	Windows   []*Window   `json:"windows"`
	Names     []string    `json:"names"` // of the windows' points
	Incidents []*Incident `json:"incidents"`

	wanted map[window]bool // reports of the highest alerts
}

// Files is spool.log in sum.
type Files struct {
	Known    bool           `json:"known"` // there is a spool.log
	Outcomes map[string]int `json:"outcomes"`
	Packets  float64        `json:"packets"`
	Bytes    float64        `json:"bytes"` // captured
	Handled  float64        `json:"handled"`
	Failed   []Failure      `json:"failed"` // the first of them
}

// Failure is a file that could not be read to its end.
type Failure struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Read reads the logs in dir. progress, which may be nil, is told of bytes read
// of all.
func Read(ctx context.Context, dir string, progress func(done, all int64)) (*Report, error) {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	d := &directory{ctx: ctx, path: dir, progress: progress}
	if err := d.hasLogs(); err != nil {
		return nil, err
	}
	d.expect("anomaly", "kmeans", "vectors", "conn", "spool")
	r := &Report{Dir: dir, Notes: []string{}, Bad: []Bad{}, First: math.Inf(1), Last: math.Inf(-1)}
	for _, part := range []func(*directory) error{r.readIncidents, r.readWindows, r.readConns, r.readSpool} {
		if err := part(d); err != nil {
			return nil, err
		}
	}
	for _, file := range d.unread() {
		r.note("%s cannot be read to its end: %v.", file, d.left[file])
	}
	r.settlePeriod()
	return r, nil
}

// Recent is a report of lines of anomaly.log, kmeans.log and vectors.log, in JSON, that a
// program has in hand.
func Recent(anomalies, clusters, vectors []byte) *Report {
	r := &Report{Notes: []string{}, Bad: []Bad{}, First: math.Inf(1), Last: math.Inf(-1)}
	var lines incidents
	each(r, "anomaly", anomalies, lines.add)
	r.Incidents, r.wanted = lines.kept()
	r.AllAlerts = lines.alerts
	kept := newWindows(r.wanted)
	each(r, "kmeans", clusters, kept.addReport)
	each(r, "vectors", vectors, kept.addVector)
	r.Windows, r.Names = kept.kept()
	r.AllWindows, r.BrokenWindows = len(r.Windows), kept.broken
	r.settlePeriod()
	return r
}

// each hands over lines of a log that are in memory.
func each[T any, P record[T]](r *Report, log string, lines []byte, take func(*T)) {
	bad := Bad{Log: log + ".log"}
	if err := eachLine(bytes.NewReader(lines), decoder[T, P](&bad, take)); err != nil {
		bad.note(1, err.Error())
	}
	r.heard(bad)
}

// settlePeriod makes the period that of the reports, where logs of packets are
// missing.
func (r *Report) settlePeriod() {
	if r.First > r.Last {
		for _, w := range r.Windows {
			r.covers(max(0, w.TS-w.Length), w.TS)
		}
		for _, a := range r.Incidents {
			r.covers(max(0, a.TS-a.Window), a.TS)
		}
	}
	if r.Timed = r.First <= r.Last; !r.Timed {
		r.First, r.Last = 0, 0
	}
	r.Last = min(r.Last, lastTime) // of long connections
}

// things is a number of things: "1 line", "2 lines".
func things[N int | float64](n N, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(int64(n), " ", thing)
}

// note takes down what is missing, or was left out.
func (r *Report) note(format string, values ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, values...))
}

// heard takes down what of a log could not be read.
func (r *Report) heard(bad Bad) {
	if bad.Lines > 0 {
		r.Bad = append(r.Bad, bad)
	}
}

func (r *Report) readIncidents(d *directory) error {
	var kept incidents
	bad, found, err := readLog(d, "anomaly", kept.add)
	if err != nil {
		return err
	}
	r.heard(bad)
	if !found {
		r.note("There is no anomaly.log: no alerts are shown.")
	}
	r.Incidents, r.wanted = kept.kept()
	r.AllAlerts = kept.alerts
	if more := kept.alerts + kept.others - len(r.Incidents); more > 0 {
		r.note("Of anomaly.log this page leaves out %s: shown are the %d alerts with the highest scores, all of the reports of the highest, and the newest %d lines.", things(more, "line"), bestAlerts, newestIncidents)
	}
	return nil
}

// readWindows reads kmeans.log and vectors.log, once the incidents are known.
func (r *Report) readWindows(d *directory) error {
	kept := newWindows(r.wanted)
	bad, found, err := readLog(d, "kmeans", kept.addReport)
	if err != nil {
		return err
	}
	r.heard(bad)
	if !found {
		r.note("There is no kmeans.log: reports have no clusters.")
	}
	bad, found, err = readLog(d, "vectors", kept.addVector)
	if err != nil {
		return err
	}
	r.heard(bad)
	if !found {
		r.note("There is no vectors.log (vectors.sample = 0, or logs of an older version): reports have no picture of their conversations.")
	}
	r.Windows, r.Names = kept.kept()
	r.AllWindows, r.BrokenWindows = max(kept.all, len(r.Windows)), kept.broken
	if more := kept.all - len(r.Windows); more > 0 {
		r.note("This page leaves out %s: shown are the newest %d and those of the %d highest alerts. Alerts of the others are in the table.", things(more, "report"), newestReports, alertReports)
	}
	return nil
}

func (r *Report) readConns(d *directory) error {
	t := newTraffic()
	bad, found, err := readLog(d, "conn", func(c *connLine) {
		r.Conns++
		r.covers(c.TS, c.TS+c.Duration)
		t.add(c)
	})
	if err != nil {
		return err
	}
	r.heard(bad)
	r.Traffic = t.picture()
	switch {
	case !found:
		r.note("There is no conn.log: connections and traffic are not known.")
	case r.Traffic == nil:
		r.note("conn.log has no connections: connections are logged when they have ended.")
	case r.Traffic.Outside > 0:
		r.note("The picture of the traffic leaves out %s, far from all others in time.", things(r.Traffic.Outside, "connection"))
	}
	return nil
}

func (r *Report) readSpool(d *directory) error {
	r.Files.Outcomes = map[string]int{}
	failed := 0
	bad, found, err := readLog(d, "spool", func(s *spoolLine) {
		f := &r.Files
		f.Packets, f.Bytes, f.Handled = f.Packets+s.Packets, f.Bytes+s.Bytes, f.Handled+s.Handled
		if s.times() {
			r.covers(*s.FirstTS, *s.LastTS)
		}
		if len(f.Outcomes) < 8 || f.Outcomes[s.Outcome] > 0 {
			f.Outcomes[cut(s.Outcome)]++
		}
		if s.Outcome != "failed" {
			return
		}
		if failed++; failed <= failedFiles {
			f.Failed = append(f.Failed, Failure{cut(s.File), cut(s.Reason)})
		}
	})
	if err != nil {
		return err
	}
	r.heard(bad)
	r.Files.Known = found
	if !found {
		r.note("There is no spool.log: files and packets are not known.")
	}
	return nil
}

// covers makes the period hold from and to.
func (r *Report) covers(from, to float64) {
	r.First, r.Last = min(r.First, from), max(r.Last, to)
}
