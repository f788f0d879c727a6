package anomaly_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

func host(n int) packet.Addr {
	return packet.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// office is minutes of plain traffic: clients that ask a few servers, each
// server with sizes of its own.
func office(minutes int, seed uint64) (all []packet.Packet) {
	r := rand.New(rand.NewPCG(seed, 4))
	for m := range minutes {
		for c := range 40 {
			server := r.IntN(6)
			port := uint16(20000 + r.IntN(40000))
			at := packet.Time(m)*packet.Time(time.Minute) + packet.Time(r.Int64N(int64(40*time.Second)))
			for i := range 4 + r.IntN(12) {
				at += packet.Time(r.Int64N(int64(time.Second)))
				p := packet.Packet{
					Src: host(c), Dst: host(1000 + server), SrcPort: port, DstPort: uint16(80 + server),
					Proto: packet.TCP, TCPFlags: packet.ACK, TTL: 64, PayLen: uint32(100 * (server + 1)),
				}
				if i == 0 {
					p.TCPFlags, p.PayLen = packet.SYN, 0
				}
				if i%2 == 1 {
					p.Src, p.Dst, p.SrcPort, p.DstPort, p.TTL = p.Dst, p.Src, p.DstPort, p.SrcPort, 60
					p.PayLen = uint32(r.IntN(1400))
				}
				p.Eff, p.TS, p.IPLen, p.Rank = at, at, 40+p.PayLen, r.Uint64()
				p.Hash = symmetric(&p)
				all = append(all, p)
			}
		}
	}
	return inOrder(all)
}

// scan is one host that tries many ports of another within a few seconds.
func scan(minute, ports int) (all []packet.Packet) {
	for i := range ports {
		at := packet.Time(minute)*packet.Time(time.Minute) + packet.Time(10*time.Second) + packet.Time(i)*packet.Time(5*time.Millisecond)
		syn := packet.Packet{
			Eff: at, TS: at, Rank: uint64(i), Src: host(666), Dst: host(1001), SrcPort: 40000, DstPort: uint16(i + 1),
			Proto: packet.TCP, TCPFlags: packet.SYN, TTL: 50, IPLen: 44,
		}
		syn.Hash = symmetric(&syn)
		rst := syn
		rst.Src, rst.Dst, rst.SrcPort, rst.DstPort = syn.Dst, syn.Src, syn.DstPort, syn.SrcPort
		rst.TCPFlags, rst.IPLen, rst.Eff, rst.TS = packet.RST|packet.ACK, 40, at+1000, at+1000
		all = append(all, syn, rst)
	}
	return all
}

func inOrder(all []packet.Packet) []packet.Packet {
	slices.SortStableFunc(all, func(a, b packet.Packet) int { return a.Order(0).Compare(b.Order(0)) })
	return all
}

// The same packets over any number of shards, split by pair or by connection,
// parts in any order, on any number of cores: the same reports.
func TestShardsAndCoresDoNotShow(t *testing.T) {
	inputs := map[string][]packet.Packet{"office": inOrder(append(office(12, 1), scan(9, 300)...))}
	if !testing.Short() {
		inputs["lab"] = labOrNone(t)
	}
	asura := anomaly.DefaultConfig()
	asura.Asura = true
	for name, packets := range inputs {
		for _, cfg := range []anomaly.Config{anomaly.DefaultConfig(), asura} {
			shardsDoNotShow(t, name, cfg, packets)
		}
	}
}

func shardsDoNotShow(t *testing.T, name string, cfg anomaly.Config, packets []packet.Packet) {
	want := detect(cfg, packets, 1, oneShard)
	for _, shards := range []int{2, 7} {
		for seed, part := range map[uint64]func(int, *packet.Packet) int{
			1: func(_ int, p *packet.Packet) int { return int(p.Hash % uint64(shards)) },
			2: func(_ int, p *packet.Packet) int {
				return int((uint64(p.Src[15]) + uint64(p.Dst[15])) % uint64(shards))
			},
		} {
			r := rand.New(rand.NewPCG(seed, 1))
			procs := runtime.GOMAXPROCS(int(seed * 2))
			got := detectWith(cfg, packets, shards, part, func(parts []*flowvec.Pane) {
				r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			})
			runtime.GOMAXPROCS(procs)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s, asura %v: %d shards, split %d: other reports", name, cfg.Asura, shards, seed)
			}
		}
	}
}

func labOrNone(t *testing.T) (packets []packet.Packet) {
	t.Run("lab", func(t *testing.T) { packets = labPackets(t) })
	if len(packets) == 0 {
		return office(3, 9)
	}
	return packets
}

// As long as all conversations are learned, what the hosts are called does not show:
// the same scores, clusters and reasons.
func TestNamesOfHostsDoNotShow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	names := map[packet.Addr]packet.Addr{}
	other := func(a packet.Addr) packet.Addr {
		if _, ok := names[a]; !ok {
			names[a] = packet.AddrFrom4([4]byte{byte(r.IntN(220)), byte(r.IntN(256)), byte(r.IntN(256)), byte(len(names))})
		}
		return names[a]
	}
	before := inOrder(append(office(12, 5), scan(9, 100)...))
	after := slices.Clone(before)
	for i := range after {
		p := &after[i]
		p.Src, p.Dst = other(p.Src), other(p.Dst)
		p.Hash = symmetric(p)
	}
	cfg := anomaly.DefaultConfig()
	cfg.Lines = 1000
	want, got := detect(cfg, before, 1, oneShard), detect(cfg, after, 3, func(_ int, p *packet.Packet) int { return int(p.Hash % 3) })
	said := func(lines []logs.Anomaly, name func(packet.Addr) packet.Addr) (all []string) {
		for _, a := range lines {
			all = append(all, fmt.Sprint(a.Score, a.Label, name(a.Actor), name(a.OrigH), name(a.RespH), a.Cluster, a.X, a.Y, a.Message, a.Siblings))
		}
		slices.Sort(all) // those of the same score come by their names
		return all
	}
	for i := range want {
		w, g := said(want[i].Anomalies, other), said(got[i].Anomalies, func(a packet.Addr) packet.Addr { return a })
		if !reflect.DeepEqual(got[i].KMeans, want[i].KMeans) || !slices.Equal(g, w) {
			t.Fatalf("report %d: %v, want %v", i, g, w)
		}
	}
}

func TestScanIsFoundAndExplained(t *testing.T) {
	cfg := anomaly.DefaultConfig()
	cfg.Windows = []time.Duration{time.Minute}
	reports := detect(cfg, inOrder(append(office(20, 3), scan(15, 500)...)), 1, oneShard)
	if len(reports) != 20 {
		t.Fatalf("%d reports of 20 minutes", len(reports))
	}
	r := reports[15]
	if len(r.Anomalies) != cfg.Lines {
		t.Fatalf("%d lines", len(r.Anomalies))
	}
	a := r.Anomalies[0]
	if a.Actor != host(666) || a.OrigH != host(666) || a.RespH != host(1001) || a.Label != "anomalous" || a.Rank != 1 || a.Baseline != "ok" {
		t.Errorf("first line is %+v", a)
	}
	if a.OrigPkts != 500 || a.RespPkts != 500 || a.OrigBytes != 22000 || a.TS != 16*60 || a.Window != 60 || a.Proto != "tcp" || len(a.UIDs) != 5 {
		t.Errorf("first line is %+v", a)
	}
	sum, last, features := 0.0, math.Inf(1), map[string]bool{}
	for _, w := range a.Why {
		sum += w.Pct
		if w.Pct > last {
			t.Errorf("reasons are not in order: %+v", a.Why)
		}
		last, features[w.Feature] = w.Pct, true
	}
	if sum > 100.0001 || sum < 60 || !features["log_dports"] && !features["src_ports"] && !features["s_flows"] {
		t.Errorf("reasons add to %v: %+v", sum, a.Why)
	}
}

func TestReportsAddUp(t *testing.T) {
	for i, r := range detect(anomaly.DefaultConfig(), inOrder(append(office(12, 5), scan(9, 50)...)), 1, oneShard) {
		k := r.KMeans
		size, share, names := 0, 0.0, map[int]bool{}
		for _, c := range k.Clusters {
			size, share, names[c.Name] = size+c.Size, share+c.Share, true
			for _, v := range c.Centroid {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("report %d: centroid holds %v", i, v)
				}
			}
			if len(c.Centroid) != flowvec.NumFeatures || c.Size == 0 || c.Spread < 0 || math.IsNaN(c.Spread) {
				t.Errorf("report %d: cluster %+v", i, c)
			}
		}
		if size != k.Pairs || math.Abs(share-1) > 1e-9 || len(names) != len(k.Clusters) || len(names) > k.K || k.Inertia < 0 {
			t.Errorf("report %d: %d in clusters of %d pairs, share %v, %d names for %d", i, size, k.Pairs, share, len(names), k.K)
		}
		for n, a := range r.Anomalies {
			if a.Rank != n+1 || n > 0 && a.Score > r.Anomalies[n-1].Score || a.TS != k.TS || a.K != k.K || !names[a.Cluster] || a.Model == "" {
				t.Errorf("report %d, line %d: %+v", i, n, a)
			}
		}
	}
}

// No alert before the warm-up is over, and both of its conditions count.
func TestWarmUp(t *testing.T) {
	for name, change := range map[string]func(*anomaly.Config){
		"time":    func(c *anomaly.Config) { c.WarmUp = 7 * time.Minute; c.WarmVectors = 1 },
		"vectors": func(c *anomaly.Config) { c.WarmUp = 0; c.WarmVectors = 270 },
	} {
		cfg := anomaly.DefaultConfig()
		cfg.Windows = []time.Duration{time.Minute}
		change(&cfg)
		packets := office(14, 7)
		for m := range 14 {
			packets = append(packets, scan(m, 100+50*m)...)
		}
		okFrom := 0
		for i, r := range detect(cfg, inOrder(packets), 1, oneShard) {
			for _, a := range r.Anomalies {
				if a.Baseline == "ok" && okFrom == 0 {
					okFrom = i
				}
				if (a.Baseline == "ok") != (okFrom > 0) || a.Baseline != "ok" && a.Label != "normal" {
					t.Errorf("%s: report %d has %s, %s", name, i, a.Baseline, a.Label)
				}
			}
		}
		if okFrom < 5 || okFrom > 8 {
			t.Errorf("%s: warm from report %d", name, okFrom)
		}
	}
}

// The same alert is given once an hour, again when it grows.
func TestRepeatedAlertsAreMuted(t *testing.T) {
	cfg := anomaly.DefaultConfig()
	cfg.Windows = []time.Duration{time.Minute}
	packets := office(90, 11)
	for m := 20; m < 90; m++ {
		packets = append(packets, scan(m, 400)...)
	}
	count := func(cfg anomaly.Config) (n int) {
		for _, r := range detect(cfg, inOrder(packets), 1, oneShard) {
			for _, a := range r.Anomalies {
				if a.Actor == host(666) && a.Label == "anomalous" {
					n++
				}
			}
		}
		return n
	}
	muted := count(cfg)
	cfg.Mute = 0
	if all := count(cfg); muted == 0 || muted > 6 || all < 10 {
		t.Errorf("%d alerts with muting, %d without", muted, all)
	}
}

// A sweep that goes on to other targets each minute is one alert: its pairs differ, its
// service does not.
func TestASweepIsMuted(t *testing.T) {
	cfg := anomaly.DefaultConfig()
	cfg.Windows = []time.Duration{time.Minute}
	packets := office(40, 11)
	for m := 20; m < 40; m++ {
		for i := range 200 {
			at := packet.Time(m)*packet.Time(time.Minute) + packet.Time(i)*packet.Time(20*time.Millisecond)
			p := packet.Packet{
				Eff: at, TS: at, Src: host(666), Dst: host(5000 + 200*m + i), SrcPort: 40000, DstPort: 23, Proto: packet.TCP, TCPFlags: packet.SYN, TTL: 50, IPLen: 44,
			}
			p.Hash = symmetric(&p)
			packets = append(packets, p)
		}
	}
	alerts := 0
	for _, r := range detect(cfg, inOrder(packets), 1, oneShard) {
		for _, a := range r.Anomalies {
			if a.Actor == host(666) && a.Label == logs.LabelAnomalous {
				alerts++
			}
		}
	}
	if alerts < 1 || alerts > 3 {
		t.Errorf("%d alerts in twenty minutes of one sweep", alerts)
	}
}

func TestPanesMayBeEmptyOrFarApart(t *testing.T) {
	det := anomaly.New(anomaly.DefaultConfig())
	minute := packet.Time(time.Minute)
	if got := det.Pane(minute, []*flowvec.Pane{nil, nil}, true); len(got) != 0 {
		t.Errorf("a pane without packets has %d reports", len(got))
	}
	for i, end := range []packet.Time{2 * minute, 1000 * minute, 1_000_000 * minute, 150_000_000 * minute} {
		for _, r := range det.Pane(end, []*flowvec.Pane{onePacket(end - 1)}, true) {
			if r.KMeans.Pairs != 1 || r.KMeans.K != 1 || len(r.Anomalies) != 0 {
				t.Errorf("pane %d: %+v", i, r)
			}
		}
	}
}

func onePacket(at packet.Time) *flowvec.Pane {
	table := flowvec.New(flowvec.DefaultConfig())
	p := packet.Packet{Eff: at, Src: host(1), Dst: host(2), Proto: packet.UDP, DstPort: 53, IPLen: 50}
	table.Add(&p, logs.UID{})
	return table.ClosePane()
}

// A window that holds no more panes than a shorter one says nothing of its own:
// at the start, and after silence.
func TestWindowsThatHoldTheSameReportOnce(t *testing.T) {
	cfg := anomaly.DefaultConfig()
	cfg.Windows = []time.Duration{5 * time.Minute, time.Minute, 2 * time.Minute}
	det := anomaly.New(cfg)
	want := map[int][]float64{1: {60}, 2: {60, 120}, 3: {60, 120, 300}, 20: {60}, 22: {60, 300}}
	for minute := range 30 {
		lengths, ok := want[minute]
		if !ok {
			continue
		}
		end := packet.Time(minute) * packet.Time(time.Minute)
		var got []float64
		for _, r := range det.Pane(end, []*flowvec.Pane{onePacket(end - 1)}, true) {
			got = append(got, r.KMeans.Window)
		}
		if !slices.Equal(got, lengths) {
			t.Errorf("minute %d: reports of windows of %v seconds, want %v", minute, got, lengths)
		}
	}
}

// Incidents are looked at some hundred at a time; all come, farthest first, each
// actor once.
func TestManyIncidentsComeInOrder(t *testing.T) {
	const scanners = 700
	cfg := anomaly.DefaultConfig()
	cfg.Windows, cfg.Lines, cfg.Budget, cfg.Mute = []time.Duration{time.Minute}, 10_000, 0, 0
	all := office(8, 7)
	for n := range scanners {
		for i := range 1 + n%9 {
			at := packet.Time(7*time.Minute) + packet.Time(n)*packet.Time(50*time.Millisecond) + packet.Time(i*1000*(1+n))
			p := packet.Packet{
				Eff: at, TS: at, Rank: uint64(n), Src: host(5000 + n), Dst: host(100_000 + n), SrcPort: 40000, DstPort: uint16(1 + n%300),
				Proto: packet.UDP, TTL: uint8(30 + n%100), PayLen: uint32(1 + n), IPLen: uint32(29 + n),
			}
			p.Hash = symmetric(&p)
			all = append(all, p)
		}
	}
	reports := detect(cfg, inOrder(all), 1, oneShard)
	lines := reports[len(reports)-1].Anomalies
	actors := map[packet.Addr]bool{}
	for i, l := range lines {
		if actors[l.Actor] || l.Rank != i+1 || i > 0 && l.Score > lines[i-1].Score {
			t.Fatalf("line %d: rank %d, actor %v again %v, score %v", i, l.Rank, l.Actor, actors[l.Actor], l.Score)
		}
		actors[l.Actor] = true
	}
	if len(lines) < scanners {
		t.Errorf("%d incidents of %d scanners and some clients", len(lines), scanners)
	}
}

func BenchmarkReport(b *testing.B) {
	for _, pairs := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("pairs=%d", pairs), func(b *testing.B) {
			if pairs > 100_000 && testing.Short() {
				b.Skip("half a minute for what the smaller ones show, too")
			}
			cfg := anomaly.DefaultConfig()
			cfg.Windows = []time.Duration{time.Minute}
			det := anomaly.New(cfg)
			minute := 0
			pane := func() []*flowvec.Pane {
				table := flowvec.New(flowvec.DefaultConfig())
				r := rand.New(rand.NewPCG(uint64(minute), 1))
				for n := range pairs * 4 {
					p := packet.Packet{
						Eff: packet.Time(minute)*packet.Time(time.Minute) + packet.Time(n*100), Src: host(n % pairs / 50), Dst: host(n%pairs%50 + 100_000),
						SrcPort: uint16(1000 + n%7), DstPort: uint16(80 + n%pairs%50), Proto: packet.TCP, TCPFlags: packet.ACK, TTL: 64, PayLen: uint32(r.IntN(1400)),
					}
					p.IPLen, p.Hash = 40+p.PayLen, symmetric(&p)
					table.Add(&p, logs.UID{})
				}
				minute++
				return []*flowvec.Pane{table.ClosePane()}
			}
			for range 6 {
				det.Pane(packet.Time(minute+1)*packet.Time(time.Minute), pane(), true)
			}
			b.ReportAllocs()
			b.ResetTimer()
			used := 0.0
			for range b.N {
				b.StopTimer()
				parts := pane()
				b.StartTimer()
				begin := cpuSeconds()
				det.Pane(packet.Time(minute)*packet.Time(time.Minute), parts, true)
				used += cpuSeconds() - begin
			}
			b.ReportMetric(used/float64(b.N), "cpu-s/report")
		})
	}
}

// cpuSeconds is the CPU time of the process.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
