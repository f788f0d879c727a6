package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/analysis/logs"
)

// logDir makes a directory of logs out of their lines.
func logDir(t *testing.T, lines map[string][]string) string {
	t.Helper()
	dir := t.TempDir()
	for log, l := range lines {
		text := strings.Join(l, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(dir, log+".log"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, dir string) *Report {
	t.Helper()
	r, err := Read(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pageOf is r's page, and what its script will see.
func pageOf(t *testing.T, r *Report) (html string, back *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WritePage(&b); err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(b.String(), `<script type="application/json" id="data">`)
	text, _, closed := strings.Cut(rest, "</script>")
	if !found || !closed {
		t.Fatal("the page has no data")
	}
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	return b.String(), back
}

const (
	connText    = `{"ts":%v,"uid":"%s","id.orig_h":"10.0.0.1","id.orig_p":4000,"id.resp_h":"10.0.0.2","id.resp_p":80,"proto":"tcp","service":"%s","duration":%v,"conn_state":"SF","history":"ShAF","orig_pkts":3,"orig_ip_bytes":100,"resp_pkts":4,"resp_ip_bytes":200}`
	spoolText   = `{"ts":1e9,"file":"%s","source":"%s","first_ts":%v,"last_ts":%v,"packets":7,"bytes":300,"handled":6,"outcome":"%s","reason":"%s"}`
	kmeansText  = `{"ts":%v,"window":60.0,"complete":%t,"pairs":2,"k":3,"drift":0.5,"clusters":[{"name":4,"size":1,"share":0.5,"spread":1.5,"centroid":{"s_n":1000.0,"icmp":0.0}},{"name":5,"size":9,"share":0.5,"spread":1.0,"drift":0.1,"centroid":{"s_n":10.0,"icmp":0.0}},{"name":6,"size":3,"share":0.5,"spread":1.0,"drift":0.1,"centroid":{"s_n":10.0,"icmp":0.0}}]}`
	vectorText  = `{"ts":%v,"window":60.0,"actor":"10.0.0.1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","service":"tcp/80","scored":%t,"score":2.5,"cluster":4,"x":1.23456,"y":-1.0,"orig_pkts":3,"orig_bytes":100,"resp_pkts":4,"resp_bytes":200}`
	anomalyText = `{"ts":%v,"window":60.0,"complete":false,"rank":1,"label":"%s","actor":"10.0.0.1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","id.resp_p":80,"proto":"tcp","service":"tcp/80","score":%v,"score_p":1.0,"cluster":4,"x":1.0,"y":2.0,"first":1000.0,"last":1030.0,"orig_pkts":3,"orig_bytes":100,"resp_pkts":4,"resp_bytes":200,"siblings":0,"uids":["C1"],"msg":"1000 packets sent (usually 10)","why":[{"feature":"s_n","value":1000.0,"typical":12.0,"median":10.0,"z":6.0,"pct":90.0},{"feature":"from another version","value":1.5,"typical":2.5,"median":3.5,"z":1.0,"pct":10.0}],"baseline":"ok"}`
)

func ended(began float64) string {
	text := fmt.Sprintf(anomalyText, began+600, "ended", 9.0)
	return strings.Replace(text, `"label"`, fmt.Sprintf(`"began":%v,"repeats":3,"until":%v,"label"`, began, began+300), 1)
}

func smallLogs(t *testing.T) string {
	return logDir(t, map[string][]string{
		"conn": {fmt.Sprintf(connText, 1000.5, "C1", "http", 30.0), fmt.Sprintf(connText, 1010.0, "C2", "", 0)},
		"spool": {fmt.Sprintf(spoolText, "/in/tap/a.pcap", "tap", 1000.5, 1020, "done", ""),
			fmt.Sprintf(spoolText, "/in/tap/b.pcap", "tap", 1020, 1050, "failed", "cut short")},
		"kmeans":  {fmt.Sprintf(kmeansText, 1020.0, false), fmt.Sprintf(kmeansText, 1080.0, true)},
		"vectors": {fmt.Sprintf(vectorText, 1020.0, false), fmt.Sprintf(vectorText, 1080.0, true)},
		"anomaly": {fmt.Sprintf(anomalyText, 1080.0, "anomalous", 9.0), fmt.Sprintf(anomalyText, 1080.0, "normal", 1.0), ended(1080)},
	})
}

func TestPage(t *testing.T) {
	dir := smallLogs(t)
	html, r := pageOf(t, read(t, dir))
	if r.Dir != dir || len(r.Notes) != 0 || len(r.Bad) != 0 || r.First != 1000.5 || r.Last != 1050 || r.Conns != 2 {
		t.Errorf("%+v", r)
	}
	if f := r.Files; !f.Known || f.Outcomes["done"] != 1 || f.Outcomes["failed"] != 1 || f.Packets != 14 || f.Handled != 12 || f.Failed[0] != (Failure{"/in/tap/b.pcap", "cut short"}) {
		t.Errorf("%+v", f)
	}
	if r.AllWindows != 2 || r.BrokenWindows != 1 || r.AllAlerts != 1 || len(r.Windows) != 2 || len(r.Incidents) != 2 {
		t.Fatalf("%+v", r)
	}
	first, second := r.Windows[0], r.Windows[1]
	if first.Complete || !second.Complete || first.Clusters[0].Name != 5 || first.Clusters[2].Drift != nil || *first.Clusters[0].Drift != .1 {
		t.Errorf("%+v %+v", first, second)
	}
	if tells := first.Clusters[2].Tells; len(tells) != 1 || tells[0] != "1000 packets sent (usually 10)" {
		t.Errorf("%q", tells)
	}
	if p := second.Points[0]; p[0] != 1.235 || p[3] != 2.5 || first.Points[0][3] != nil || r.Names[int(p[9].(float64))] != "10.0.0.2" {
		t.Errorf("%v, %v of %q", p, first.Points[0], r.Names)
	}
	a := r.Incidents[0]
	if a.Complete == nil || *a.Complete || !r.Timed {
		t.Errorf("complete %v, timed %t", a.Complete, r.Timed)
	}
	if !a.isAlert() || a.Repeats != 3 || a.Until != 1380 || r.Incidents[1].Repeats != 0 {
		t.Errorf("%+v", a)
	}
	if a.Why[0].Text != "1000 packets sent (usually 10)" || a.Why[0].Near != "12" || a.Why[1].Text != "from another version 1.5 (usually 3.5)" {
		t.Errorf("%+v", a.Why)
	}
	if again, _ := pageOf(t, read(t, dir)); again != html {
		t.Error("the same logs give another page")
	}
}

// All files of the page are in it.
func TestPageIsWhole(t *testing.T) {
	entries, err := files.ReadDir("page")
	if err != nil || len(entries) != len(scripts) {
		t.Errorf("%d files in page, the page is made of %d; %v", len(entries), len(scripts), err)
	}
}

// Whatever stands in logs stays text.
func TestHostileTexts(t *testing.T) {
	const evil = `</script><script>alert(1)</script><!--` + "\u2028\u2029" + `<img src=x onerror=alert(1)>&{data}{script}`
	quotedEvil, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	inside := strings.Trim(string(quotedEvil), `"`)
	dir := smallLogs(t)
	for _, log := range []string{"conn", "spool", "vectors", "anomaly"} {
		path := filepath.Join(dir, log+".log")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = regexp.MustCompile(`"(10\.0\.0\.\d|http|tcp/80|tap|/in/tap/a\.pcap|cut short|C1|ok|s_n|1000 packets[^"]*)"`).ReplaceAllLiteral(text, []byte(`"`+inside+`"`))
		text = append(text, evil+"\n"...)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	html, r := pageOf(t, read(t, dir))
	for _, forbidden := range []string{"<script>alert", "<img", "<!--", "\u2028", "\u2029"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
	if n := strings.Count(html, "</script>"); n != 2 {
		t.Errorf("%d scripts end", n)
	}
	a := r.Incidents[0]
	if a.Actor != evil || a.UIDs[0] != evil || a.Message != evil || r.Names[0] != evil || r.Traffic.Series[0].Name != evil && r.Traffic.Series[1].Name != evil {
		t.Errorf("%+v", r)
	}
	if len(r.Bad) != 4 || r.Bad[0].Lines != 1 {
		t.Errorf("%+v", r.Bad)
	}
}

func TestMissingLogs(t *testing.T) {
	if _, err := Read(t.Context(), t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "pcapdird read --log-dir") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Read(t.Context(), "nowhere", nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no directory: %v", err)
	}
	file := filepath.Join(logDir(t, map[string][]string{"conn": {}}), "conn.log")
	if _, err := Read(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), "is a file: name the directory") {
		t.Errorf("a file: %v", err)
	}
	tsv := logDir(t, map[string][]string{"conn": {`#separator \x09`, "#path\tconn"}})
	if _, err := Read(t.Context(), tsv, nil); err == nil || !strings.Contains(err.Error(), "conn.log: this log is TSV") {
		t.Errorf("TSV: %v", err)
	}
	r := read(t, logDir(t, map[string][]string{"conn": {fmt.Sprintf(connText, 5, "C1", "", 0)}}))
	if len(r.Notes) != 4 || len(r.Windows) != 0 || len(r.Incidents) != 0 {
		t.Errorf("conn.log alone: %q", r.Notes)
	}
	pageOf(t, r)
	r = read(t, logDir(t, map[string][]string{"spool": {`{"file":"x.pcap","outcome":"failed","reason":"cut short"}`}}))
	if r.Timed || !r.Files.Known || r.Files.Failed[0] != (Failure{"x.pcap", "cut short"}) || !strings.Contains(strings.Join(r.Notes, " "), "no conn.log") {
		t.Errorf("spool.log alone: %+v", r)
	}
	pageOf(t, r)
	r = read(t, logDir(t, map[string][]string{"kmeans": {fmt.Sprintf(kmeansText, 90.0, true)}}))
	if !r.Timed || r.First != 30 || r.Last != 90 {
		t.Errorf("kmeans.log alone: %+v", r)
	}
	r = read(t, logDir(t, map[string][]string{"conn": {}, "vectors": {fmt.Sprintf(vectorText, 60, true)}}))
	if len(r.Windows) != 1 || r.AllWindows != 1 || r.Traffic != nil || r.First != 0 || r.Last != 60 {
		t.Errorf("without kmeans.log: %+v", r)
	}
	pageOf(t, r)
}

// A pipe would be read for ever, and a device may have no end.
func TestOnlyFilesAreRead(t *testing.T) {
	for _, log := range []string{"conn", "spool", "anomaly"} {
		dir := t.TempDir()
		path := filepath.Join(dir, log+".log")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), dir, nil); err == nil || !strings.Contains(err.Error(), path+" is a pipe") {
			t.Errorf("%s.log: %v", log, err)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "conn.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(t.Context(), dir, "C1"); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

// The end of a period has four digits of a year, whatever durations say.
func TestPeriodEnds(t *testing.T) {
	r := read(t, logDir(t, map[string][]string{"conn": {fmt.Sprintf(connText, lastTime-1, "C1", "", 1e9)}}))
	if r.Last != lastTime || r.First != lastTime-1 {
		t.Errorf("from %v to %v", r.First, r.Last)
	}
}

// Features of another mode have no words; their numbers are shown.
func TestTellsOfUnknownFeatures(t *testing.T) {
	got := newWords().tells([]clusterLine{{Centroid: map[string]float64{"packets": 14.25, "bytes": 5000, "ttl": 60, "src_port": 1, "dst_port": 39242.6}}})
	if want := "bytes 5000; dst_port 39243; packets 14.2; src_port 1; ttl 60"; strings.Join(got[0], "; ") != want {
		t.Errorf("%q, want %q", got[0], want)
	}
}

// Parts of bytes are added up in an order that is always the same.
func TestSameLogsSamePage(t *testing.T) {
	var lines []string
	for i := range 4000 {
		lines = append(lines, fmt.Sprintf(connText, float64(i)*.37, fmt.Sprint("C", i), fmt.Sprint("s", i%12), 3.3+float64(i%7)))
	}
	dir := logDir(t, map[string][]string{"conn": lines})
	first, _ := pageOf(t, read(t, dir))
	for range 10 {
		if again, _ := pageOf(t, read(t, dir)); again != first {
			t.Fatal("another page of the same logs")
		}
	}
}

// A log that was rotated, and packed in part, is read as if it were one file.
func TestRotatedLogs(t *testing.T) {
	conns := []string{fmt.Sprintf(connText, 1000, "C1", "http", 30.0), "{}", fmt.Sprintf(connText, 2000, "C2", "", 0), fmt.Sprintf(connText, 3000, "C3", "", 0)}
	whole := read(t, logDir(t, map[string][]string{"conn": conns}))
	dir := logDir(t, map[string][]string{
		"conn.2026-11-21-05-00-00": conns[:1], "conn.2026-11-21-06-00-00": conns[1:2], "conn.2026-11-21-07-00-00": conns[2:3], "conn": conns[3:],
	})
	if err := logs.Pack(t.Context(), dir, "conn"); err != nil {
		t.Fatal(err)
	}
	got := read(t, dir)
	if len(got.Bad) != 1 || got.Bad[0].Log != "conn.2026-11-21-06-00-00.log.gz" || got.Bad[0].First != 1 {
		t.Errorf("bad lines: %+v", got.Bad)
	}
	got.Dir, got.Bad = whole.Dir, whole.Bad
	if !reflect.DeepEqual(got, whole) {
		t.Errorf("%+v, as one file %+v", got, whole)
	}
	if f, err := Find(t.Context(), dir, "C1"); err != nil || f.Conn.TS != 1000 {
		t.Errorf("%+v, %v", f, err)
	}
	// Of several one is damaged: the others are shown.
	for name, text := range map[string]string{"empty": "", "no gzip": "garbage, more of it", "cut short": "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"} {
		if err := os.WriteFile(filepath.Join(dir, "conn.2026-11-21-05-00-00.log.gz"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got := read(t, dir)
		if notes := strings.Join(got.Notes, " "); got.Conns != 2 || !strings.Contains(notes, "conn.2026-11-21-05-00-00.log.gz cannot be read to its end") {
			t.Errorf("%s: %v connections, %s", name, got.Conns, notes)
		}
		if f, err := Find(t.Context(), dir, "C3"); err != nil || f.Conn.TS != 3000 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if f, err := Find(t.Context(), dir, "C1"); err == nil || !strings.Contains(err.Error(), "05-00-00.log.gz cannot be read") {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// Times may be numbers or text: the report is the same.
func TestTimesAsText(t *testing.T) {
	numbers, text := t.TempDir(), t.TempDir()
	for _, name := range logs.Names {
		lines, err := os.ReadFile("../../testdata/golden/logs/cases." + name + ".log")
		if err != nil {
			continue // it is not among the golden ones
		}
		for dir, form := range map[string]logs.Form{numbers: logs.JSON, text: logs.JSONDate} {
			b := logs.NewEncoder(form).Encode(name, lines, true, time.Time{})
			if err := os.WriteFile(filepath.Join(dir, name+".log"), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, got := read(t, numbers), read(t, text)
	got.Dir = want.Dir
	if !reflect.DeepEqual(got, want) || got.Conns == 0 || len(got.Bad) > 0 {
		t.Errorf("%+v\nas numbers %+v", got, want)
	}
	if f, err := Find(t.Context(), text, "C1aTQt8I5WL9ublZVT"); err != nil || f.Conn.TS != 1700000000 {
		t.Errorf("%+v, %v", f, err)
	}
}
