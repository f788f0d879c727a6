package conn_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// shared is where reference captures and records lie beside the repository.
const shared = "../../../shared"

// line is the part of a Zeek conn.log line that is compared.
type line struct {
	TS       float64  `json:"ts"`
	OrigH    string   `json:"id.orig_h"`
	OrigP    uint16   `json:"id.orig_p"`
	RespH    string   `json:"id.resp_h"`
	RespP    uint16   `json:"id.resp_p"`
	Proto    string   `json:"proto"`
	Service  string   `json:"service"`
	Duration *float64 `json:"duration"`
	OrigB    *uint64  `json:"orig_bytes"`
	RespB    *uint64  `json:"resp_bytes"`
	State    string   `json:"conn_state"`
	LocalO   bool     `json:"local_orig"`
	LocalR   bool     `json:"local_resp"`
	Missed   uint64   `json:"missed_bytes"`
	History  string   `json:"history"`
	OrigPkts uint64   `json:"orig_pkts"`
	OrigIP   uint64   `json:"orig_ip_bytes"`
	RespPkts uint64   `json:"resp_pkts"`
	RespIP   uint64   `json:"resp_ip_bytes"`
	IPProto  uint8    `json:"ip_proto"`
	CID      string   `json:"community_id"`
	Parents  []string `json:"tunnel_parents"`
}

// lineOf is a record as the log would show it.
func lineOf(c *logs.Conn) line {
	addr := func(b [16]byte) string { return packet.Addr(b).String() }
	l := line{
		TS: c.TS, OrigH: addr(c.OrigH), OrigP: c.OrigP, RespH: addr(c.RespH), RespP: c.RespP, Proto: c.Proto, Service: c.Service,
		State: c.ConnState, LocalO: c.LocalOrig, LocalR: c.LocalResp, Missed: c.MissedBytes, History: string(c.History),
		OrigPkts: c.OrigPkts, OrigIP: c.OrigIP, RespPkts: c.RespPkts, RespIP: c.RespIP, IPProto: c.IPProto,
		CID: string(c.CommunityID),
	}
	if c.HasDuration {
		l.Duration, l.OrigB, l.RespB = &c.Duration, &c.OrigBytes, &c.RespBytes
	}
	return l
}

func loadLines(tb testing.TB, path string) (ls []line) {
	tb.Helper()
	for b := range bytes.Lines(readGzip(tb, path)) {
		var l line
		if err := json.Unmarshal(b, &l); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		l.OrigH, l.RespH = netip.MustParseAddr(l.OrigH).String(), netip.MustParseAddr(l.RespH).String()
		ls = append(ls, l)
	}
	return ls
}

// differences names the fields in which two records differ.
func (a *line) differences(b *line) (names []string) {
	near := func(x, y *float64) bool {
		return (x == nil) == (y == nil) && (x == nil || math.Abs(*x-*y) <= 2e-6)
	}
	same := func(x, y *uint64) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	add := func(name string, ok bool) {
		if !ok {
			names = append(names, name)
		}
	}
	add("ts", near(&a.TS, &b.TS))
	add("id", a.OrigH == b.OrigH && a.OrigP == b.OrigP && a.RespH == b.RespH && a.RespP == b.RespP && a.Proto == b.Proto)
	add("duration", near(a.Duration, b.Duration))
	add("orig_bytes", same(a.OrigB, b.OrigB))
	add("resp_bytes", same(a.RespB, b.RespB))
	add("conn_state", a.State == b.State)
	add("local", a.LocalO == b.LocalO && a.LocalR == b.LocalR)
	add("missed_bytes", a.Missed == b.Missed)
	add("history", a.History == b.History)
	add("pkts", a.OrigPkts == b.OrigPkts && a.RespPkts == b.RespPkts)
	add("ip_bytes", a.OrigIP == b.OrigIP && a.RespIP == b.RespIP)
	add("ip_proto", a.IPProto == b.IPProto)
	add("community_id", a.CID == b.CID)
	add("tunnel_parents", len(a.Parents) == len(b.Parents))
	return names
}

// score counts how a set of records compares.
type score struct {
	want, exact, missing, extra int
	services                    int // pairs whose services are equal, as sets
	wrong                       map[string]int
	first                       string // the first difference, for a human
}

// compare pairs records by protocol and unordered endpoints, in time order.
func compare(want, got []line) score {
	s := score{want: len(want), wrong: map[string]int{}}
	w, g := byTuple(want), byTuple(got)
	for k := range g {
		if _, ok := w[k]; !ok {
			w[k] = nil
		}
	}
	for k := range w {
		s.pair(w[k], g[k])
	}
	return s
}

func sameServices(a, b string) bool {
	x, y := strings.Split(a, ","), strings.Split(b, ",")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func byTuple(ls []line) map[string][]line {
	m := map[string][]line{}
	for _, l := range ls {
		a, b := l.OrigH+" "+strconv.Itoa(int(l.OrigP)), l.RespH+" "+strconv.Itoa(int(l.RespP))
		k := fmt.Sprint(l.IPProto) + " " + min(a, b) + " " + max(a, b)
		m[k] = append(m[k], l)
	}
	for _, ls := range m {
		slices.SortStableFunc(ls, func(a, b line) int { return cmp.Compare(a.TS, b.TS) })
	}
	return m
}

func (s *score) pair(a, b []line) {
	for len(a) > 0 && len(b) > 0 {
		switch d := a[0].TS - b[0].TS; {
		case math.Abs(d) <= 2e-6 || len(a) == len(b):
			names := a[0].differences(&b[0])
			if sameServices(a[0].Service, b[0].Service) {
				s.services++
			}
			for _, n := range names {
				s.wrong[n]++
			}
			if len(names) == 0 {
				s.exact++
			} else {
				s.note(fmt.Sprintf("%v\n  want %s\n  got  %s", names, show(&a[0]), show(&b[0])))
			}
			a, b = a[1:], b[1:]
		case d < 0:
			s.missing++
			s.note("missing " + show(&a[0]))
			a = a[1:]
		default:
			s.extra++
			s.note("extra " + show(&b[0]))
			b = b[1:]
		}
	}
	s.missing, s.extra = s.missing+len(a), s.extra+len(b)
	for i := range a {
		s.note("missing " + show(&a[i]))
	}
	for i := range b {
		s.note("extra " + show(&b[i]))
	}
}

func (s *score) note(text string) {
	if s.first == "" || os.Getenv("PARITY_ALL") != "" {
		s.first += "\n" + text
	}
}

func show(l *line) string {
	b, _ := json.Marshal(l)
	return string(b)
}

// add sums scores.
func (s *score) add(o score) {
	s.want, s.exact, s.missing, s.extra = s.want+o.want, s.exact+o.exact, s.missing+o.missing, s.extra+o.extra
	s.services += o.services
	if s.wrong == nil {
		s.wrong = map[string]int{}
	}
	for k, n := range o.wrong {
		s.wrong[k] += n
	}
}

func (s *score) String() string {
	return fmt.Sprintf("exact %d of %d (%.3f %%), service %d, missing %d, extra %d, wrong %v",
		s.exact, s.want, 100*float64(s.exact)/float64(max(s.want, 1)), s.services, s.missing, s.extra, s.wrong)
}

// scoreIndex compares every capture of an index.
func scoreIndex(t *testing.T, dir string, only string) score {
	b, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Skipf("no reference captures in %s", dir)
	}
	var sum score
	for l := range bytes.Lines(b) {
		var e struct{ ID, PCAP, Conn string }
		if err := json.Unmarshal(l, &e); err != nil {
			t.Fatal(err)
		}
		if only != "" && e.ID != only {
			continue
		}
		ps, last := readCapture(t, filepath.Join(dir, e.PCAP))
		var got []line
		for _, c := range track(ps, last) {
			got = append(got, lineOf(&c.c))
		}
		s := compare(loadLines(t, filepath.Join(dir, e.Conn)), got)
		if s.first != "" && testing.Verbose() {
			t.Logf("%s: %s %s", e.ID, s.String(), s.first)
		}
		sum.add(s)
	}
	return sum
}

// The golden captures are hand-made and random conversations one after another,
// so that Zeek's global clock adds nothing of its own.
func TestParityGolden(t *testing.T) {
	s := scoreIndex(t, "../../testdata/golden", os.Getenv("PARITY_ONLY"))
	t.Log(s.String())
	if s.exact*1000 < s.want*999 || s.services != s.want {
		t.Errorf("too few exact records: %s", s.String())
	}
}

// Half an hour of a small network with real servers, clients and attacks.
func TestParityLab(t *testing.T) {
	var ps []packet.Packet
	var last packet.Time
	for n := range 5 {
		some, end := readCapture(t, fmt.Sprintf("../../testdata/pcap/lab-%02d.pcap.zst", n))
		ps, last = append(ps, some...), max(last, end)
	}
	var got []line
	for _, c := range track(ps, last) {
		got = append(got, lineOf(&c.c))
	}
	s := compare(loadLines(t, "../../testdata/lab/conn.json.gz"), got)
	t.Log(s.String())
	if s.missing+s.extra > 0 || s.exact < s.want || s.services != s.want {
		t.Errorf("too few exact records: %s%s", s.String(), s.first)
	}
}

// Real captures: what is missing is inside tunnels, or needs the payload (DNS and
// NTP messages that turn a connection round).
func TestParityRealCaptures(t *testing.T) {
	s := scoreIndex(t, shared+"/oracle", os.Getenv("PARITY_ONLY"))
	t.Log(s.String())
	if s.exact*1000 < s.want*974 {
		t.Errorf("too few exact records: %s", s.String())
	}
}
