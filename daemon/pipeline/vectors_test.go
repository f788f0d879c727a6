package pipeline_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// Without a window there are no vectors and no reports, and conn.log is the same.
func TestNoWindowsNoVectors(t *testing.T) {
	path := filepath.Join(testdata, "golden", "cases.pcap.gz")
	with := newJob(t).read(t, path)
	off := newJob(t)
	off.cfg.Vectors.Windows = nil
	without := off.read(t, path)
	for _, name := range []string{"conn", "weird"} {
		if !bytes.Equal(with.logs[name], without.logs[name]) {
			t.Errorf("%s.log: %s", name, firstDifference(with.logs[name], without.logs[name]))
		}
	}
	if len(with.logs["kmeans"]) == 0 || len(without.logs["kmeans"]) != 0 || len(without.logs["anomaly"]) != 0 {
		t.Errorf("%d bytes of kmeans.log with windows, %d without", len(with.logs["kmeans"]), len(without.logs["kmeans"]))
	}
}

// More conversations than a shard keeps: what reports lack is in stats.log.
func TestFullVectorsAreCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("a million conversations take some seconds")
	}
	path := sweep(1<<20+100_000).write(t, t.TempDir(), "pairs.pcap")
	type losses struct {
		Pairs    uint64 `json:"lost_pairs"`
		Unpaired uint64 `json:"unpaired_packets"`
	}
	var lost losses
	var report struct {
		Pairs    uint64 `json:"pairs"`
		Complete bool   `json:"complete"`
	}
	out := newJob(t).read(t, path)
	for line := range bytes.Lines(out.logs["stats"]) {
		var l losses
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		lost = losses{lost.Pairs + l.Pairs, lost.Unpaired + l.Unpaired}
	}
	if err := json.Unmarshal(bytes.SplitAfter(out.logs["kmeans"], []byte("\n"))[0], &report); err != nil {
		t.Fatal(err)
	}
	if lost.Pairs == 0 || lost.Unpaired < lost.Pairs || report.Pairs >= 1<<20 || report.Complete {
		t.Errorf("%d conversations and %d packets lost, report %+v", lost.Pairs, lost.Unpaired, report)
	}
}

// sweep is n empty UDP datagrams, each to another address, a microsecond apart.
func sweep(n int) (c capture) {
	ip := decodetest.IP{Src: netip.AddrFrom4([4]byte{10, 0, 0, 1})}
	for i := range n {
		ip.Dst = netip.AddrFrom4([4]byte{172, byte(i >> 16), byte(i >> 8), byte(i)})
		data := decodetest.Ether(ip.UDP(1024, 53, nil))
		c.recs = append(c.recs, record{
			TS: packet.Unix(1_700_000_000, 0).Add(time.Duration(i) * time.Microsecond), LinkType: uint16(traffic.Ethernet),
			Wire: uint32(len(data)), Data: data,
		})
	}
	return c
}
