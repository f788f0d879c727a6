package anomaly_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// sound fails where a report holds what no reader could use.
func sound(t *testing.T, name string, r *anomaly.Report) {
	t.Helper()
	bad := func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
	k := &r.KMeans
	if bad(k.Inertia) || bad(k.Drift) || k.K < 1 || k.K > k.Pairs || len(k.Clusters) < 1 {
		t.Errorf("%s: report %+v", name, k)
	}
	for i := range r.Anomalies {
		a := &r.Anomalies[i]
		if bad(a.Score) || bad(a.ScoreP) || bad(a.X) || bad(a.Y) || a.Score < 0 || a.First > a.Last || a.ClusterSize < 1 {
			t.Errorf("%s: line %+v", name, a)
		}
		for _, w := range a.Why {
			if bad(w.Value) || bad(w.Typical) || bad(w.Median) || bad(w.Z) || bad(w.Pct) {
				t.Errorf("%s: reason %+v", name, w)
			}
		}
	}
}

// minutes runs packets made for each of some minutes.
func minutes(n int, cfg anomaly.Config, each func(minute int, add func(p packet.Packet))) (reports []anomaly.Report) {
	det := anomaly.New(cfg)
	for m := range n {
		table := flowvec.New(flowvec.DefaultConfig())
		start := packet.Time(m) * packet.Time(time.Minute)
		each(m, func(p packet.Packet) {
			p.Eff += start
			p.TS, p.Hash = p.Eff, symmetric(&p)
			table.Add(&p, uidOf(&p))
		})
		reports = append(reports, det.Pane(start.Add(time.Minute), []*flowvec.Pane{table.ClosePane()}, true)...)
	}
	return reports
}

func plain(src, dst int) packet.Packet {
	return packet.Packet{Src: host(src), Dst: host(dst), SrcPort: 1000, DstPort: 53, Proto: packet.UDP, TTL: 64, IPLen: 60, PayLen: 32}
}

func TestOddTraffic(t *testing.T) {
	for name, each := range map[string]func(m int, add func(p packet.Packet)){
		"one pair": func(_ int, add func(packet.Packet)) { add(plain(1, 2)) },
		"all pairs equal": func(_ int, add func(packet.Packet)) {
			for n := range 300 {
				add(plain(1000+n, 2000+n))
			}
		},
		"a pair with itself": func(_ int, add func(packet.Packet)) { add(plain(1, 1)) },
		"one pair with nearly all": func(_ int, add func(packet.Packet)) {
			for n := range 30 {
				add(plain(1000+n, 2000+n))
			}
			for n := range 30_000 {
				p := plain(1, 2)
				p.Eff, p.IPLen, p.PayLen = packet.Time(n)*packet.Time(time.Millisecond), 65535, 65507
				add(p)
			}
		},
		"nothing but nothing": func(_ int, add func(packet.Packet)) {
			for n := range 40 {
				add(packet.Packet{Src: host(n), Dst: host(n + 1), Proto: 255})
			}
		},
		"the largest numbers": func(m int, add func(packet.Packet)) {
			for n := range 40 {
				p := plain(n, 100+n)
				p.IPLen, p.PayLen, p.TTL, p.SrcPort, p.DstPort = math.MaxUint32, math.MaxUint32, 255, 65535, 65535
				p.Eff = packet.Time(time.Minute - 1)
				add(p)
			}
		},
		"other numbers each minute": func(m int, add func(packet.Packet)) {
			for n := range 1 << m {
				p := plain(n, 100+n%3)
				p.PayLen, p.DstPort, p.TTL = uint32(1)<<(m*2), uint16(m), uint8(m*20)
				add(p)
			}
		},
	} {
		for _, asura := range []bool{false, true} {
			cfg := anomaly.DefaultConfig()
			cfg.Asura, cfg.WarmVectors = asura, 1
			reports := minutes(12, cfg, each)
			if len(reports) < 12 {
				t.Errorf("%s: %d reports", name, len(reports))
			}
			for i := range reports {
				sound(t, fmt.Sprintf("%s, asura %v, report %d", name, asura, i), &reports[i])
			}
		}
	}
}

// A million sources to one destination and the reverse are one incident each, and
// take no more memory than their pairs.
func TestAMillionToOne(t *testing.T) {
	if testing.Short() {
		t.Skip("millions of conversations take seconds")
	}
	const most = 1 << 20
	for name, of := range map[string]func(n int) (src, dst int){
		"to one":   func(n int) (int, int) { return 100_000 + n, 7 },
		"from one": func(n int) (int, int) { return 7, 100_000 + n },
	} {
		cfg := anomaly.DefaultConfig()
		cfg.Windows, cfg.WarmUp, cfg.WarmVectors = cfg.Windows[:1], 0, 1
		reports := minutes(7, cfg, func(m int, add func(p packet.Packet)) {
			for n := range 400 {
				add(plain(1000+n, 2000+n%9))
			}
			if m < 6 {
				return
			}
			for n := range most {
				p := plain(of(n))
				p.Proto, p.TCPFlags, p.PayLen, p.IPLen = packet.TCP, packet.SYN, 0, 40
				add(p)
			}
		})
		last := &reports[len(reports)-1]
		sound(t, name, last)
		if a := last.Anomalies[0]; a.Actor != host(7) || a.Label != "anomalous" || a.Siblings < most/2 {
			t.Errorf("%s: the first of %d lines is %v, %s, with %d siblings", name, len(last.Anomalies), packet.Addr(a.Actor).Netip(), a.Label, a.Siblings)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > 1500<<20 {
			t.Errorf("%s: %d MiB of heap", name, m.HeapAlloc>>20)
		}
	}
}

// The same window gives the same report, byte for byte.
func TestSameReportAgain(t *testing.T) {
	packets := inOrder(append(office(14, 2), scan(11, 200)...))
	text := func() (all []byte) {
		for _, r := range detect(anomaly.DefaultConfig(), packets, 2, func(i int, _ *packet.Packet) int { return int(packets[i].Hash % 2) }) {
			all = logs.KMeansStream().Append(all, &r.KMeans)
			for i := range r.Anomalies {
				all = logs.AnomalyStream().Append(all, &r.Anomalies[i])
			}
			for i := range r.Vectors {
				all = logs.VectorStream().Append(all, &r.Vectors[i])
			}
		}
		return all
	}
	if first := text(); string(first) != string(text()) {
		t.Error("the second time another text")
	}
}
