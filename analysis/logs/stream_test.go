package logs

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files and the tables of doc/")

// addr is s as records hold it.
func addr(s string) [16]byte { return netip.MustParseAddr(s).As16() }

func fullConn() Conn {
	return Conn{
		TS: 1795238616.006069, UID: UID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		OrigH: addr("10.77.2.9"), RespH: addr("2001:db8::80"), OrigP: 45380, RespP: 80,
		Proto: "tcp", Service: "http,ssl", HasDuration: true, Duration: 0.10370898246765137,
		OrigBytes: 512, RespBytes: 18446744073709551615, ConnState: "SF", LocalOrig: true,
		MissedBytes: 3, History: []byte("ShADadFf"), OrigPkts: 6, OrigIP: 780, RespPkts: 5, RespIP: 4300,
		TunnelParents: []UID{{1}, {2}}, IPProto: 6, CommunityID: []byte("1:EMpg35mTYNPS68QodOxjjd193QY="),
		VLAN: 7, InnerVLAN: 8, OrigL2: [6]byte{2, 0, 0, 0, 0, 1}, RespL2: [6]byte{2, 0, 0, 0, 0xab, 0xff},
		LatePkts: 2, Evicted: true,
	}
}

func emptyConn() Conn {
	return Conn{TS: 1700000000, OrigH: addr("10.0.0.1"), RespH: addr("10.0.0.2"), Proto: "icmp", ConnState: "OTH"}
}

func fullAnomaly() Anomaly {
	return Anomaly{
		TS: 1795239060, Window: 60, Complete: true, Rank: 1, Label: "anomalous", Actor: addr("203.0.113.9"),
		OrigH: addr("203.0.113.9"), RespH: addr("10.77.2.22"), RespP: 22, Proto: "tcp", Service: "tcp/22",
		Score: 8.625, ScoreP: 4.1, Cluster: 17, ClusterSize: 12, ClusterShare: 0.012, K: 64, X: -3.5, Y: 0.25,
		First: 1795239000.5, Last: 1795239059.75, Message: "TTLs 21 apart (usually 0)",
		OrigPkts: 12, OrigBytes: 528, RespPkts: 12, RespBytes: 480, Siblings: 3, UIDs: []UID{{9}, {8, 7}},
		Why: []Why{
			{Feature: "ttl_spread", Value: 21, Typical: 0, Median: 0.5, Z: 6, Pct: 30},
			{Feature: "rst_in", Value: 1, Typical: -0.25, Z: 4.8, Pct: 20},
		},
		Model: "b1f3", Baseline: "ok",
	}
}

// endedAnomaly is the end of an alert that was repeated.
func endedAnomaly() Anomaly {
	r := fullAnomaly()
	r.TS, r.Rank, r.Label, r.Repeats = 1795242660, 0, "ended", &Repeats{Began: 1795239060, N: 7, Until: 1795241000}
	return r
}

func fullVector() Vector {
	return Vector{
		TS: 1795239060, Window: 300, Actor: addr("203.0.113.9"), OrigH: addr("203.0.113.9"), RespH: addr("10.77.2.22"), Service: "tcp/22",
		Score: 8.625, Cluster: 17, X: -3.5, Y: 0.25, Scored: true, OrigPkts: 1, OrigBytes: 2, RespPkts: 3, RespBytes: 4,
		Features: []float64{1, 2.5}, Names: []string{"s_n", "s_b"},
	}
}

func fullKMeans() KMeans {
	return KMeans{
		TS: 1795239060, Window: 60, Complete: true, Pairs: 812, K: 2, Inertia: 634884.838, Iterations: 17, Drift: 1e-9,
		Clusters: []Cluster{
			{Name: 3, Size: 800, Share: 0.985, Spread: 1.5, HasDrift: true, Drift: 0.5, Centroid: []float64{12, 1e21}, Names: []string{"pkts", "bytes"}},
			{Name: 9, Size: 12, Share: 0.015, Spread: math.NaN()},
		},
	}
}

func fullSpool() Spool {
	return Spool{
		TS: 1795240000.25, File: "eth0\n\xff\"ü.pcap", Source: "tap1", ContentID: 0xab, Size: 4999939,
		Format: "pcap", Compression: "zstd", LinkTypes: []string{"EN10MB", "RAW"}, HasTimes: true,
		FirstTS: 1795238616.006069, LastTS: 1795238999.5, Packets: 100, Bytes: 9600, Late: 1, Inversions: 2, Suspect: 3,
		Handled: 92, HandledBytes: 9100, Dropped: []Drop{{"non_ip", 7, 470}, {"truncated_IP", 1, 30}}, Outcome: "failed", Reason: "cut short",
	}
}

func fullWeird() Weird {
	return Weird{
		TS: 1795238616.5, UID: UID{11: 1}, HasID: true, OrigH: addr("::1"), RespH: addr("fe80::2"), OrigP: 1, RespP: 65535,
		Name: "truncated_header", Count: 12,
	}
}

func fullStats() Stats {
	return Stats{
		TS: 1795240000.25, Interval: 5, Packets: 1, Bytes: 2, Dropped: 3, Late: 4, BookErrors: 24, Conns: 5, TCP: 25, OneSided: 26, ActiveConns: 6, ActivePairs: 7, EvictedConns: 27, Unassembled: 29,
		LostPairs: 17, UnpairedPkts: 18, UnflowedPkts: 19, UnlinkedPkts: 30, Unexpected: 31, Fragments: 20, Datagrams: 21, Expired: 22, Evicted: 23, ShardPackets: []uint64{8, 9}, Spool: 10, OpenFiles: 11, Done: 12, Failed: 13, HasWatermark: true, Watermark: 14,
		Lag: 0.5, CPU: 1.25, Memory: 15, Goroutines: 28, Commits: 16, CommitSeconds: 0.125, KMeansSeconds: 0.001, CommitError: "disk full",
	}
}

// want is what an encoder of another hand would print: a list of names and values.
type want []struct {
	name  string
	value any
}

func uids(list []UID) (out []string) {
	for _, u := range list {
		out = append(out, u.String())
	}
	return out
}

func wantConn(r Conn) want {
	return want{
		{"ts", r.TS}, {"uid", r.UID.String()},
		{"id.orig_h", netip.AddrFrom16(r.OrigH).Unmap().String()}, {"id.orig_p", r.OrigP},
		{"id.resp_h", netip.AddrFrom16(r.RespH).Unmap().String()}, {"id.resp_p", r.RespP},
		{"proto", r.Proto}, {"service", optional(r.Service)},
		{"duration", unless(!r.HasDuration, r.Duration)}, {"orig_bytes", unless(!r.HasDuration, r.OrigBytes)},
		{"resp_bytes", unless(!r.HasDuration, r.RespBytes)},
		{"conn_state", r.ConnState}, {"local_orig", r.LocalOrig}, {"local_resp", r.LocalResp},
		{"missed_bytes", r.MissedBytes}, {"history", optional(string(r.History))},
		{"orig_pkts", r.OrigPkts}, {"orig_ip_bytes", r.OrigIP}, {"resp_pkts", r.RespPkts}, {"resp_ip_bytes", r.RespIP},
		{"tunnel_parents", unless(len(r.TunnelParents) == 0, uids(r.TunnelParents))},
		{"ip_proto", r.IPProto}, {"community_id", optional(string(r.CommunityID))},
		{"vlan", unless(r.VLAN == 0, r.VLAN)}, {"inner_vlan", unless(r.InnerVLAN == 0, r.InnerVLAN)},
		{"orig_l2_addr", unless(r.OrigL2 == [6]byte{}, net.HardwareAddr(r.OrigL2[:]).String())},
		{"resp_l2_addr", unless(r.RespL2 == [6]byte{}, net.HardwareAddr(r.RespL2[:]).String())},
		{"late_pkts", unless(r.LatePkts == 0, r.LatePkts)}, {"evicted", unless(!r.Evicted, true)},
	}
}

func wantAnomaly(r Anomaly) want {
	type why struct {
		Feature string  `json:"feature"`
		Value   float64 `json:"value"`
		Typical float64 `json:"typical"`
		Median  float64 `json:"median"`
		Z       float64 `json:"z"`
		Pct     float64 `json:"pct"`
	}
	var whys []why
	for _, w := range r.Why {
		whys = append(whys, why(w))
	}
	ends := r.Repeats
	if ends == nil {
		ends = &Repeats{}
	}
	return want{
		{"ts", r.TS}, {"window", r.Window}, {"complete", r.Complete}, {"rank", unless(r.Rank == 0, r.Rank)}, {"label", r.Label},
		{"began", unless(r.Repeats == nil, ends.Began)}, {"repeats", unless(r.Repeats == nil, ends.N)}, {"until", unless(r.Repeats == nil, ends.Until)},
		{"actor", netip.AddrFrom16(r.Actor).Unmap()}, {"id.orig_h", netip.AddrFrom16(r.OrigH).Unmap()},
		{"id.resp_h", netip.AddrFrom16(r.RespH).Unmap()}, {"id.resp_p", r.RespP}, {"proto", r.Proto}, {"service", r.Service},
		{"score", r.Score}, {"score_p", r.ScoreP}, {"cluster", r.Cluster}, {"cluster_size", r.ClusterSize}, {"cluster_share", r.ClusterShare}, {"k", r.K},
		{"x", r.X}, {"y", r.Y}, {"first", r.First}, {"last", r.Last},
		{"orig_pkts", r.OrigPkts}, {"orig_bytes", r.OrigBytes}, {"resp_pkts", r.RespPkts}, {"resp_bytes", r.RespBytes},
		{"siblings", r.Siblings}, {"uids", uids(r.UIDs)}, {"msg", r.Message}, {"why", whys}, {"model", r.Model}, {"baseline", r.Baseline},
	}
}

func wantVector(r Vector) want {
	return want{
		{"ts", r.TS}, {"window", r.Window}, {"actor", netip.AddrFrom16(r.Actor).Unmap()}, {"id.orig_h", netip.AddrFrom16(r.OrigH).Unmap()},
		{"id.resp_h", netip.AddrFrom16(r.RespH).Unmap()}, {"service", r.Service}, {"scored", r.Scored}, {"score", r.Score}, {"cluster", r.Cluster},
		{"x", r.X}, {"y", r.Y}, {"orig_pkts", 1}, {"orig_bytes", 2}, {"resp_pkts", 3}, {"resp_bytes", 4},
		{"features", json.RawMessage(`{"s_n":1.0,"s_b":2.5}`)},
	}
}

func wantSpool(r Spool) want {
	dropped, bytes := map[string]uint64{}, map[string]uint64{} // encoding/json sorts them: the test's reasons are in order
	for _, d := range r.Dropped {
		dropped[d.Reason], bytes[d.Reason] = d.Packets, d.Bytes
	}
	return want{
		{"ts", r.TS}, {"file", "eth0\n\\xff\"ü.pcap"}, {"source", r.Source}, {"content_id", fmt.Sprintf("%016x", r.ContentID)},
		{"size", r.Size}, {"format", r.Format}, {"compression", r.Compression}, {"link_types", r.LinkTypes},
		{"first_ts", r.FirstTS}, {"last_ts", r.LastTS}, {"packets", r.Packets}, {"bytes", r.Bytes}, {"late", r.Late},
		{"inversions", r.Inversions}, {"suspect", r.Suspect},
		{"handled", r.Handled}, {"handled_bytes", r.HandledBytes}, {"dropped", dropped}, {"dropped_bytes", bytes}, {"outcome", r.Outcome}, {"reason", r.Reason},
	}
}

func wantKMeans(r KMeans) want {
	return want{
		{"ts", r.TS}, {"window", r.Window}, {"complete", r.Complete}, {"pairs", r.Pairs}, {"k", r.K}, {"inertia", r.Inertia},
		{"iterations", r.Iterations}, {"drift", r.Drift},
		{"clusters", json.RawMessage(`[{"name":3,"size":800,"share":0.985,"spread":1.5,"drift":0.5,"centroid":{"pkts":12.0,"bytes":1e21}},` +
			`{"name":9,"size":12,"share":0.015,"spread":null,"centroid":{}}]`)},
	}
}

func fullCoverage() Coverage {
	return Coverage{
		TS: 1795240000.25, Source: "/in/tap1", Captures: 3, FirstTS: 1, LastTS: 2.5, Covered: 1.25, Overlap: 0.5, Gaps: 1, Missing: 0.25,
		Longest: []Gap{{1.5, 1.75}},
	}
}

func wantCoverage(r Coverage) want {
	return want{
		{"ts", r.TS}, {"source", r.Source}, {"captures", 3}, {"first_ts", r.FirstTS}, {"last_ts", r.LastTS}, {"covered", r.Covered},
		{"overlap", r.Overlap}, {"gaps", 1}, {"missing", r.Missing}, {"longest_gaps", json.RawMessage(`[{"from_ts":1.5,"to_ts":1.75}]`)},
	}
}

func wantWeird(r Weird) want {
	return want{
		{"ts", r.TS}, {"uid", r.UID.String()}, {"id.orig_h", "::1"}, {"id.orig_p", 1}, {"id.resp_h", "fe80::2"}, {"id.resp_p", 65535},
		{"name", r.Name}, {"count", r.Count},
	}
}

func wantStats(r Stats) want {
	return want{
		{"ts", r.TS}, {"interval", r.Interval}, {"packets", 1}, {"bytes", 2}, {"dropped", 3}, {"late", 4}, {"book_errors", 24}, {"conns", 5}, {"tcp_conns", 25}, {"one_sided", 26},
		{"active_conns", 6}, {"active_pairs", 7},
		{"evicted_conns", 27}, {"unassembled", 29}, {"lost_pairs", 17}, {"unpaired_packets", 18}, {"unflowed_packets", 19},
		{"unlinked_packets", 30}, {"lost_announcements", 31}, {"fragments", 20}, {"datagrams", 21}, {"expired_datagrams", 22}, {"evicted_datagrams", 23}, {"shard_packets", []int{8, 9}}, {"spool", 10}, {"open_files", 11},
		{"done", 12}, {"failed", 13}, {"watermark", r.Watermark}, {"lag", r.Lag}, {"cpu", r.CPU}, {"memory", 15}, {"goroutines", 28}, {"commits", 16},
		{"commit_seconds", r.CommitSeconds}, {"kmeans_seconds", r.KMeansSeconds}, {"commit_error", r.CommitError},
	}
}

// unless is nil, which stands for an unset field, when unset holds.
func unless(unset bool, v any) any {
	if unset {
		return nil
	}
	return v
}

func optional(s string) any { return unless(s == "", s) }

func TestLinesAgreeWithEncodingJSON(t *testing.T) {
	conn, empty := fullConn(), emptyConn()
	anomaly, kmeans, spool, weird, stats := fullAnomaly(), fullKMeans(), fullSpool(), fullWeird(), fullStats()
	coverage, ended, vector := fullCoverage(), endedAnomaly(), fullVector()
	for _, c := range []struct {
		name string
		line []byte
		want want
	}{
		{"conn", ConnStream().Append(nil, &conn), wantConn(conn)},
		{"conn unset", ConnStream().Append(nil, &empty), wantConn(empty)},
		{"anomaly", AnomalyStream().Append(nil, &anomaly), wantAnomaly(anomaly)},
		{"anomaly ended", AnomalyStream().Append(nil, &ended), wantAnomaly(ended)},
		{"kmeans", KMeansStream().Append(nil, &kmeans), wantKMeans(kmeans)},
		{"vectors", VectorStream().Append(nil, &vector), wantVector(vector)},
		{"spool", SpoolStream().Append(nil, &spool), wantSpool(spool)},
		{"weird", WeirdStream().Append(nil, &weird), wantWeird(weird)},
		{"coverage", CoverageStream().Append(nil, &coverage), wantCoverage(coverage)},
		{"stats", StatsStream().Append(nil, &stats), wantStats(stats)},
	} {
		t.Run(c.name, func(t *testing.T) { compare(t, c.line, c.want) })
	}
}

// compare reads line field by field and wants the same names in the same order
// and values that encoding/json reads as the same.
func compare(t *testing.T, line []byte, want want) {
	t.Helper()
	if n := bytes.IndexByte(line, '\n'); n != len(line)-1 {
		t.Fatalf("newline at %d of %d bytes", n, len(line))
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if tok, err := d.Token(); tok != json.Delim('{') {
		t.Fatalf("starts with %v, %v", tok, err)
	}
	for _, w := range want {
		if w.value == nil {
			continue
		}
		name, err := d.Token()
		if name != w.name {
			t.Fatalf("field %v (%v), want %s\n%s", name, err, w.name, line)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(w.value)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := canonical(t, raw), canonical(t, text); got != want {
			t.Errorf("%s: %s, want %s", w.name, got, want)
		}
	}
	if tok, err := d.Token(); tok != json.Delim('}') {
		t.Errorf("more than wanted: %v, %v\n%s", tok, err, line)
	}
}

// canonical prints a JSON text so that equal values print equally; whole numbers
// keep all their digits.
func canonical(t *testing.T, text []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return fmt.Sprint(numbers(v))
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".e") || f < 1<<53 {
			return f
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

// The byte-for-byte form is what people's parsers and the invariance of the logs
// rest on; a change here is a change for every reader.
func TestGoldenLines(t *testing.T) {
	conn, empty := fullConn(), emptyConn()
	anomaly, kmeans, spool, weird, stats := fullAnomaly(), fullKMeans(), fullSpool(), fullWeird(), fullStats()
	ended, vector := endedAnomaly(), fullVector()
	got := ConnStream().Append(nil, &conn)
	got = ConnStream().Append(got, &empty)
	got = AnomalyStream().Append(got, &anomaly)
	got = AnomalyStream().Append(got, &Anomaly{})
	got = AnomalyStream().Append(got, &ended)
	got = VectorStream().Append(got, &vector)
	got = VectorStream().Append(got, &Vector{})
	got = KMeansStream().Append(got, &kmeans)
	got = KMeansStream().Append(got, &KMeans{})
	got = SpoolStream().Append(got, &spool)
	got = SpoolStream().Append(got, &Spool{})
	got = WeirdStream().Append(got, &weird)
	got = WeirdStream().Append(got, &Weird{})
	got = StatsStream().Append(got, &stats)
	got = StatsStream().Append(got, &Stats{})
	path := filepath.Join("testdata", "lines.golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("lines differ from %s:\n%s\nwant\n%s", path, got, want)
	}
}

func TestAppendWithoutFields(t *testing.T) {
	s := newStream("x", "", []Column[int]{{Name: "a", Append: func(b []byte, _ *int) []byte { return b }}})
	if got := string(s.Append([]byte("before\n"), new(int))); got != "before\n{}\n" {
		t.Errorf("got %q", got)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	conn, anomaly, kmeans := fullConn(), fullAnomaly(), fullKMeans()
	spool, weird, stats := fullSpool(), fullWeird(), fullStats()
	dst := make([]byte, 0, 4096)
	for name, encode := range map[string]func(){
		"conn":    func() { ConnStream().Append(dst, &conn) },
		"anomaly": func() { AnomalyStream().Append(dst, &anomaly) },
		"kmeans":  func() { KMeansStream().Append(dst, &kmeans) },
		"spool":   func() { SpoolStream().Append(dst, &spool) },
		"weird":   func() { WeirdStream().Append(dst, &weird) },
		"stats":   func() { StatsStream().Append(dst, &stats) },
	} {
		if n := testing.AllocsPerRun(100, encode); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkConn(b *testing.B) {
	r := fullConn()
	r.TunnelParents, r.LatePkts, r.Evicted = nil, 0, false
	r.VLAN, r.InnerVLAN, r.OrigL2, r.RespL2 = 0, 0, [6]byte{}, [6]byte{} // as is the default
	r.RespH, r.RespBytes = addr("10.77.2.80"), 4100
	s, dst := ConnStream(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Append(dst[:0], &r)
	}
	b.SetBytes(int64(len(dst)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
