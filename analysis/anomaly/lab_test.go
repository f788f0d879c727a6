package anomaly_test

import (
	"encoding/binary"
	"hash/fnv"
	"path/filepath"
	"testing"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/contrib/bench/decoded"
	"pcapdir/source/packet"
)

const testdata = "../../testdata"

// labPackets are all decoded packets of the labelled captures, in order.
func labPackets(t testing.TB) []packet.Packet {
	names, _ := filepath.Glob(filepath.Join(testdata, "pcap", "lab-*.pcap.zst"))
	if len(names) == 0 {
		t.Fatal("the labelled captures are missing")
	}
	var all []packet.Packet
	var err error
	for _, name := range names {
		if all, err = decoded.Read(all, name); err != nil {
			t.Fatal(err)
		}
	}
	for i := range all {
		all[i].Hash = symmetric(&all[i])
	}
	return all
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
