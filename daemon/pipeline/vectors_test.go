package pipeline_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"testing"
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
	path := writeFile(t, filepath.Join(t.TempDir(), "pairs.pcap"), sweep(1<<20+100_000))
	var lost struct {
		Pairs    uint64 `json:"lost_pairs"`
		Unpaired uint64 `json:"unpaired_packets"`
	}
	var report struct {
		Pairs    uint64 `json:"pairs"`
		Complete bool   `json:"complete"`
	}
	out := newJob(t).read(t, path)
	for line := range bytes.Lines(out.logs["stats"]) {
		var l = lost
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		lost.Pairs, lost.Unpaired = max(lost.Pairs, l.Pairs), max(lost.Unpaired, l.Unpaired)
	}
	if err := json.Unmarshal(bytes.SplitAfter(out.logs["kmeans"], []byte("\n"))[0], &report); err != nil {
		t.Fatal(err)
	}
	if lost.Pairs == 0 || lost.Unpaired < lost.Pairs || report.Pairs >= 1<<20 || report.Complete {
		t.Errorf("%d conversations and %d packets lost, report %+v", lost.Pairs, lost.Unpaired, report)
	}
}

// sweep is a capture of n empty UDP datagrams (raw IPv4), each to another address,
// a microsecond apart.
func sweep(n int) []byte {
	const rawIPv4, length = 228, 28
	capture := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	capture = binary.LittleEndian.AppendUint32(capture, 4<<16|2)
	capture = binary.LittleEndian.AppendUint64(capture, 0)
	capture = binary.LittleEndian.AppendUint32(capture, 65535)
	capture = binary.LittleEndian.AppendUint32(capture, rawIPv4)
	for i := range uint32(n) {
		for _, v := range []uint32{1_700_000_000 + i/1e6, i % 1e6, length, length} {
			capture = binary.LittleEndian.AppendUint32(capture, v)
		}
		ip := [length]byte{0x45, 3: length, 8: 64, 9: 17, 12: 10, 15: 1, 16: 172, 20: 4, 23: 53, 25: 8}
		binary.BigEndian.PutUint32(ip[16:], 172<<24+i)
		sum := uint32(0)
		for k := 0; k < 20; k += 2 {
			sum += uint32(binary.BigEndian.Uint16(ip[k:]))
		}
		sum = sum>>16 + sum&0xffff
		binary.BigEndian.PutUint16(ip[10:], ^uint16(sum>>16+sum))
		capture = append(capture, ip[:]...)
	}
	return capture
}
