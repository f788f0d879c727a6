package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pcapdir/source/packet"
)

// A directory's line says what its files cover: the hole of a file that is missing,
// and the time that two of them share.
func TestCoverage(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap").sorted()
	at := func(hour int) capture {
		return c.shifted(packet.Unix(1_700_000_000, 0).Add(time.Duration(hour)*time.Hour), 0)
	}
	dir := t.TempDir()
	for name, hours := range map[string][]int{"a": {0, 1, 3}, "b": {2}} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		for i, h := range hours {
			at(h).write(t, filepath.Join(dir, name), fmt.Sprint(i))
		}
	}
	again := at(2)
	again.recs = again.recs[1:] // no copy
	again.write(t, filepath.Join(dir, "b"), "again")
	got := newJob(t).read(t, dir)
	first, last := at(0).recs[0].TS, at(3).recs[len(c.recs)-1].TS
	length := at(0).recs[len(c.recs)-1].TS.Sub(first).Seconds()
	lines := map[string]map[string]any{}
	for l := range bytes.Lines(got.logs["coverage"]) {
		var m map[string]any
		if err := json.Unmarshal(l, &m); err != nil {
			t.Fatal(err)
		}
		lines[filepath.Base(m["source"].(string))] = m
	}
	for source, want := range map[string]map[string]float64{
		"a": {"captures": 3, "first_ts": first.Seconds(), "last_ts": last.Seconds(), "gaps": 2, "covered": 3 * length, "overlap": 0},
		"b": {"captures": 2, "gaps": 0, "missing": 0, "covered": length, "overlap": length - again.recs[0].TS.Sub(at(2).recs[0].TS).Seconds()},
	} {
		for field, n := range want {
			if got, ok := lines[source][field].(float64); !ok || got-n > 1e-6 || n-got > 1e-6 {
				t.Errorf("%s: %s is %v, want %v", source, field, lines[source][field], n)
			}
		}
	}
	if len(lines) != 2 {
		t.Errorf("lines of %d directories", len(lines))
	}
}

// TCP of which a side is missing is counted, an attempt without an answer is not:
// by the lines of conn.log, and in a capture whose servers' packets were left out.
func TestOneSidedTCP(t *testing.T) {
	c := loadCapture(t, "golden/random.pcap.gz").sorted()
	half := capture{name: "half"}
	for _, r := range c.recs {
		if len(r.Data) < 38 || r.Data[12] != 8 || r.Data[13] != 0 || r.Data[14] != 0x45 ||
			bytes.Compare(r.Data[34:36], r.Data[36:38]) > 0 {
			half.recs = append(half.recs, r)
		}
	}
	var shares [2]float64
	for i, c := range []capture{c, half} {
		j := newJob(t)
		j.cfg.Vectors.Windows = nil // the capture spans days, and reports are not what this is about
		got := j.read(t, c.write(t, t.TempDir(), "x"))
		tcp, oneSided := uint64(0), uint64(0)
		for l := range bytes.Lines(got.logs["conn"]) {
			var r struct {
				Proto, History string
				OrigPkts       int `json:"orig_pkts"`
				RespPkts       int `json:"resp_pkts"`
			}
			if err := json.Unmarshal(l, &r); err != nil {
				t.Fatal(err)
			}
			if r.Proto == "tcp" {
				tcp++
				attempt := strings.Trim(r.History, "SsRrCcTtQqIiGgWw^") == ""
				if !attempt && (r.OrigPkts == 0 || r.RespPkts == 0) {
					oneSided++
				}
			}
		}
		if got.sum.TCP != tcp || got.sum.OneSided != oneSided || tcp == 0 {
			t.Errorf("%s: %d of %d, conn.log says %d of %d", c.name, got.sum.OneSided, got.sum.TCP, oneSided, tcp)
		}
		shares[i] = float64(oneSided) / float64(tcp)
	}
	if shares[1] < shares[0]+0.2 {
		t.Errorf("with a side left out the share goes from %.2f to %.2f", shares[0], shares[1])
	}
}
