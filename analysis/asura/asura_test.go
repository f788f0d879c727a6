package asura_test

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pcapdir/analysis/asura"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

func host(n byte) packet.Addr { return packet.AddrFrom4([4]byte{10, 0, 0, n}) }

// one is a packet of 100 bytes between two hosts.
func one(src, dst packet.Addr, proto uint8) packet.Packet {
	return packet.Packet{Src: src, Dst: dst, SrcPort: 4000, DstPort: 53, Proto: proto, TTL: 64, IPLen: 100, PayLen: 60, TCPFlags: packet.ACK}
}

// window is the rows of one pane with those packets, a millisecond apart, split over shards.
func window(packets []packet.Packet, shards int) flowvec.Rows {
	tables := make([]*flowvec.Table, shards)
	for i := range tables {
		tables[i] = flowvec.New(flowvec.DefaultConfig())
	}
	for i := range packets {
		p := packets[i]
		p.Eff = packet.Time(i) * packet.Time(time.Millisecond)
		tables[(int(p.Src[15])+int(p.Dst[15]))%shards].Add(&p, logs.UID{0: byte(p.Src[15] + p.Dst[15])})
	}
	parts := make([]*flowvec.Pane, shards)
	for i := range tables {
		parts[i] = tables[i].ClosePane()
	}
	w := flowvec.NewWindows(time.Minute, time.Minute)
	w.Push(packet.Time(time.Minute), parts, true)
	rows, _ := w.Window(time.Minute)
	return rows
}

func report(packets []packet.Packet, shards int, cfg asura.Config) (logs.KMeans, []logs.Anomaly, []logs.Vector) {
	return asura.Report(window(packets, shards), packet.Time(time.Minute), time.Minute, true, cfg)
}

// many are pairs alike, and three that are not: by UDP, by IPv6, and by their bytes.
func many() (all []packet.Packet) {
	for n := range byte(100) {
		for range 2 + n%3 {
			all = append(all, one(host(n), host(200), packet.TCP))
		}
		back := one(host(200), host(n), packet.TCP)
		back.SrcPort, back.DstPort, back.TTL = 53, 4000, 60
		all = append(all, back)
	}
	six := packet.Addr{0: 0x20, 1: 1, 15: 6}
	for range 40 {
		all = append(all, one(host(250), host(251), packet.UDP), one(six, packet.Addr{0: 0x20, 1: 1, 15: 7}, packet.ICMPv6))
	}
	for range 50_000 {
		p := one(host(240), host(241), packet.TCP)
		p.IPLen, p.PayLen = 65535, 65000
		all = append(all, p)
	}
	return all
}

// What Asura's code loses is there: UDP, IPv6, more than 2^31 bytes, both directions,
// ports and TTL.
func TestNothingIsLeftOut(t *testing.T) {
	k, anomalies, vectors := report(many(), 1, asura.Config{Lines: 10, Sample: 1000, Full: true})
	if k.Pairs != 203 || len(vectors) != 203 || k.K != 4 || len(anomalies) != 10 {
		t.Fatalf("%d pairs, %d vectors, %d clusters, %d lines", k.Pairs, len(vectors), k.K, len(anomalies))
	}
	first := anomalies[0]
	if first.OrigH != host(240) || first.OrigBytes != 50_000*65535 || first.Label != "anomalous" || first.ClusterSize != 1 ||
		math.Abs(first.ClusterShare-1./203) > 1e-12 || math.Abs(first.Score-202./203) > 1e-12 || first.Why[0].Feature != "bytes" || len(first.UIDs) != 1 {
		t.Errorf("first line: %+v", first)
	}
	want := map[string]float64{"packets": 40, "bytes": 4000, "ttl": 64, "src_port": 4000, "dst_port": 53}
	found := false
	for _, v := range vectors {
		if v.OrigH != host(250) {
			continue
		}
		found = true
		for i, x := range v.Features {
			if x != want[v.Names[i]] {
				t.Errorf("UDP: %s is %v, want %v", v.Names[i], x, want[v.Names[i]])
			}
		}
	}
	if !found {
		t.Error("UDP is missing")
	}
	size, share := 0, 0.
	for i, c := range k.Clusters {
		size, share = size+c.Size, share+c.Share
		if c.Name != i || i > 0 && c.Size > k.Clusters[i-1].Size {
			t.Errorf("cluster %d: %+v", i, c)
		}
	}
	if size != 203 || math.Abs(share-1) > 1e-9 {
		t.Errorf("%d pairs in clusters, share %v", size, share)
	}
}

// Neither shards nor the order in which hosts are met show.
func TestShardsDoNotShow(t *testing.T) {
	cfg := asura.Config{Lines: 10, Sample: 50, Seed: 3}
	k, a, v := report(many(), 1, cfg)
	k2, a2, v2 := report(many(), 7, cfg)
	if !reflect.DeepEqual(k, k2) || !reflect.DeepEqual(a, a2) || !reflect.DeepEqual(v, v2) {
		t.Error("seven shards give another report")
	}
	var few []packet.Packet
	for n := range byte(30) {
		few = append(few, one(host(n), host(100), packet.UDP))
	}
	k, _, _ = report(few, 1, cfg)
	slices.Reverse(few)
	k2, _, _ = report(few, 3, cfg)
	if !reflect.DeepEqual(k, k2) || k.K != 1 {
		t.Errorf("pairs all alike: %+v, backwards %+v", k, k2)
	}
}

func TestOnePair(t *testing.T) {
	for _, k := range []int{-1, 0, 4} { // what a search may be set to is Asura's, too
		if m, _, _ := report(many(), 1, asura.Config{K: k}); m.K != 4 {
			t.Errorf("k of %d became %d", k, m.K)
		}
	}
	k, a, _ := report([]packet.Packet{one(host(1), host(2), packet.ICMP)}, 1, asura.Config{Lines: 5})
	if k.Pairs != 1 || k.K != 1 || len(a) != 1 || a[0].Score != 0 || a[0].Label != "normal" || len(a[0].Why) != 0 || a[0].Proto != "icmp" {
		t.Errorf("%+v %+v", k, a)
	}
}
