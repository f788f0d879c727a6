package anomaly_test

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"hash/fnv"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/decode"
	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

const testdata = "../../testdata"

// labPackets are all decoded packets of the labelled captures, in order.
func labPackets(t testing.TB) []packet.Packet {
	names, _ := filepath.Glob(filepath.Join(testdata, "pcap", "lab-*.pcap.zst"))
	if len(names) == 0 {
		t.Fatal("the labelled captures are missing")
	}
	var all []packet.Packet
	for _, name := range names {
		all = append(all, readCapture(t, name)...)
	}
	return all
}

func readCapture(t testing.TB, name string) (all []packet.Packet) {
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	inflated, err := decompress.NewReader(decompress.Zstd, file)
	if err != nil {
		t.Fatal(err)
	}
	defer inflated.Close()
	r, err := pcapfile.NewReader(inflated, 0)
	if err != nil {
		t.Fatal(err)
	}
	var rec pcapfile.Record
	var last packet.Time
	for {
		if err := r.Next(&rec); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		var p packet.Packet
		var in decode.Inside
		if decode.Decode(rec.LinkType, rec.Data, rec.Wire, &p, &in) != packet.DropNone {
			continue
		}
		last = max(last, rec.TS)
		p.TS, p.Eff, p.Hash = rec.TS, last, symmetric(&p)
		all = append(all, p)
	}
}

// symmetric stands for the sharder's hash.
func symmetric(p *packet.Packet) uint64 {
	one := func(a packet.Addr, port uint16) uint64 {
		h := fnv.New64a()
		h.Write(a[:])
		if p.Proto == packet.TCP || p.Proto == packet.UDP {
			h.Write(binary.BigEndian.AppendUint16(nil, port))
		}
		h.Write([]byte{p.Proto})
		return h.Sum64()
	}
	return (one(p.Src, p.SrcPort) + one(p.Dst, p.DstPort)) * 0x9e3779b97f4a7c15
}

// uidOf stands for the connection table.
func uidOf(p *packet.Packet) (u logs.UID) {
	binary.BigEndian.PutUint64(u[:], p.Hash)
	return u
}

// detect runs packets through that many shards. part says which one gets a packet.
func detect(cfg anomaly.Config, all []packet.Packet, shards int, part func(i int, p *packet.Packet) int) []anomaly.Report {
	return detectWith(cfg, all, shards, part, func([]*flowvec.Pane) {})
}

func detectWith(cfg anomaly.Config, all []packet.Packet, shards int, part func(i int, p *packet.Packet) int, mix func([]*flowvec.Pane)) (reports []anomaly.Report) {
	tables := make([]*flowvec.Table, shards)
	for i := range tables {
		tables[i] = flowvec.New(flowvec.Config{Pane: cfg.Pane})
	}
	det := anomaly.New(cfg)
	var end packet.Time
	closePane := func() {
		parts := make([]*flowvec.Pane, shards)
		for i := range tables {
			parts[i] = tables[i].ClosePane()
		}
		mix(parts)
		reports = append(reports, det.Pane(end, parts, true)...)
	}
	for i := range all {
		p := &all[i]
		if at := p.Eff.Floor(cfg.Pane).Add(cfg.Pane); at != end {
			if end != 0 {
				closePane()
			}
			end = at
		}
		tables[part(i, p)].Add(p, uidOf(p))
	}
	closePane()
	return reports
}

func oneShard(int, *packet.Packet) int { return 0 }

// label is one attack of labels.csv.
type label struct {
	src, dst   netip.Prefix // src invalid: spoofed, any
	start, end float64
	kind       string
}

func readLabels(t testing.TB) (labels []label) {
	file, err := os.Open(filepath.Join(testdata, "lab", "labels.csv"))
	if err != nil {
		t.Skip("no labels: ", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		start, _ := strconv.ParseFloat(r[2], 64)
		end, _ := strconv.ParseFloat(r[3], 64)
		labels = append(labels, label{prefix(r[0]), prefix(r[1]), start, end, r[4]})
	}
	return labels
}

func prefix(s string) netip.Prefix {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, 32)
}

// kindOf is the attack that a line shows, or "".
func kindOf(labels []label, a *logs.Anomaly) string {
	orig, resp := packet.Addr(a.OrigH).Netip(), packet.Addr(a.RespH).Netip()
	for _, l := range labels {
		if a.TS <= l.start || a.TS-a.Window > l.end {
			continue
		}
		if !l.src.IsValid() && (l.dst.Contains(resp) || l.dst.Contains(orig)) ||
			l.src.Contains(orig) && l.dst.Contains(resp) || l.src.Contains(resp) && l.dst.Contains(orig) {
			return l.kind
		}
	}
	return ""
}

// score is what one window length reaches.
type score struct {
	kinds   int
	best    map[string]int     // best rank of each kind in any report
	far     map[string]float64 // highest score of each kind
	benign  []float64          // scores of incidents that are no attack
	reports int
	hours   float64
}

func evaluate(labels []label, reports []anomaly.Report, window time.Duration) score {
	s := score{best: map[string]int{}, far: map[string]float64{}}
	kinds := map[string]bool{}
	for _, l := range labels {
		kinds[l.kind] = true
	}
	s.kinds = len(kinds)
	for _, r := range reports {
		if r.KMeans.Window != window.Seconds() || r.KMeans.TS <= reports[0].KMeans.TS-60+240 {
			continue // the attacks begin after 250 seconds
		}
		s.reports++
		for i := range r.Anomalies {
			a := &r.Anomalies[i]
			kind := kindOf(labels, a)
			if kind == "" {
				s.benign = append(s.benign, a.Score)
				continue
			}
			if b := s.best[kind]; b == 0 || a.Rank < b {
				s.best[kind] = a.Rank
			}
			s.far[kind] = math.Max(s.far[kind], a.Score)
		}
	}
	s.hours = float64(s.reports) / 60
	slices.Sort(s.benign)
	slices.Reverse(s.benign)
	return s
}

// within is the share of kinds that reach that rank in some report.
func (s *score) within(rank int) float64 {
	n := 0
	for _, b := range s.best {
		if b <= rank {
			n++
		}
	}
	return float64(n) / float64(s.kinds)
}

// atRate is the share of kinds above the threshold that so many benign
// incidents an hour reach.
func (s *score) atRate(perHour float64) float64 {
	limit := 0.0
	if i := int(perHour * s.hours); i < len(s.benign) {
		limit = s.benign[i]
	}
	n := 0
	for _, far := range s.far {
		if far > limit {
			n++
		}
	}
	return float64(n) / float64(s.kinds)
}

func TestLabRecall(t *testing.T) {
	labels := readLabels(t)
	cfg := anomaly.DefaultConfig()
	cfg.Lines, cfg.Mute = 10_000, 0
	began := time.Now()
	reports := detect(cfg, labPackets(t), 1, oneShard)
	t.Logf("%d reports, %v with reading", len(reports), time.Since(began))
	for _, c := range []struct {
		window           time.Duration
		top1, top3, top5 float64 // must be reached
	}{{time.Minute, .69, .88, .92}, {5 * time.Minute, .3, .6, .8}} {
		s := evaluate(labels, reports, c.window)
		t.Logf("%v: recall of %d kinds in top 1/3/5 %.2f %.2f %.2f; at 6/20/60 false incidents an hour %.2f %.2f %.2f", c.window, s.kinds,
			s.within(1), s.within(3), s.within(5), s.atRate(6), s.atRate(20), s.atRate(60))
		for _, l := range labels {
			if rank := s.best[l.kind]; rank == 0 || rank > 3 {
				t.Logf("  %s: best rank %d, score %.1f", l.kind, rank, s.far[l.kind])
			}
		}
		if s.within(1) < c.top1 || s.within(3) < c.top3 || s.within(5) < c.top5 {
			t.Errorf("%v: below %v/%v/%v", c.window, c.top1, c.top3, c.top5)
		}
	}
}

// With the default configuration: which kinds are alerted, and what else.
func TestLabAlerts(t *testing.T) {
	labels := readLabels(t)
	cfg := anomaly.DefaultConfig()
	reports := detect(cfg, labPackets(t), 1, oneShard)
	all, kinds, wrong, right := map[string]bool{}, map[string]bool{}, 0, 0
	for _, l := range labels {
		all[l.kind] = true
	}
	for _, r := range reports {
		if len(r.Anomalies) > cfg.Lines {
			t.Errorf("%d lines, at most %d wanted", len(r.Anomalies), cfg.Lines)
		}
		for i := range r.Anomalies {
			if a := &r.Anomalies[i]; a.Label == "anomalous" {
				if kind := kindOf(labels, a); kind != "" {
					kinds[kind] = true
					right++
				} else {
					wrong++
				}
			}
		}
	}
	t.Logf("%d of %d kinds alerted in %d lines, %d other alerts, in half an hour of two windows", len(kinds), len(all), right, wrong)
	if len(kinds) < 10 || wrong > 15 {
		t.Errorf("%d kinds alerted, %d other alerts", len(kinds), wrong)
	}
}
