package cli_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"pcapdir/daemon/plan"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// timed is a capture of UDP packets a second apart, as many as fit from..to.
func timed(t *testing.T, from, to int64, payload int) []byte {
	t.Helper()
	ip := append([]byte{
		0x45, 0, byte((28 + payload) >> 8), byte(28 + payload), 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2,
		byte((8 + payload) >> 8), byte(8 + payload), 0, 0,
	}, make([]byte, payload)...)
	var recs []pcapfile.Record
	for sec := from; sec <= to; sec++ {
		recs = append(recs, pcapfile.Record{TS: packet.Unix(1_700_000_000+sec, 0), LinkType: 101, Wire: uint32(len(ip)), Data: ip})
	}
	var b bytes.Buffer
	if err := pcaptest.WritePcap(&b, pcaptest.PcapOptions{}, recs); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func squeezed(t *testing.T, text []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(text, nil)
}

func planOf(t *testing.T, code int, args ...string) (p plan.Plan) {
	t.Helper()
	r := run(t.Context(), nil, append([]string{"plan", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.out), &p); err != nil || r.code != code {
		t.Fatalf("exit code %d, want %d; %v: %s%s", r.code, code, err, r.out, r.err)
	}
	return p
}

// A plan says what reading finds: files, packets, times, what fails.
func TestPlanIsWhatReadFinds(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a/1", timed(t, 0, 99, 10))
	put(t, dir+"/a/2", timed(t, 100, 199, 10))
	put(t, dir+"/a/late", timed(t, 500, 599, 10))
	put(t, dir+"/b/x.zst", squeezed(t, timed(t, 50, 149, 10)))
	put(t, dir+"/b/cut", timed(t, 300, 399, 10)[:24+50*54+7])
	put(t, dir+"/copy", timed(t, 0, 99, 10))
	put(t, dir+"/empty", nil)
	put(t, dir+"/header", timed(t, 0, 99, 10)[:24])
	odd := timed(t, 0, 9, 10)
	odd[20] = 147
	put(t, dir+"/user0", odd)
	p := planOf(t, 1, dir)
	logs := t.TempDir()
	run(t.Context(), nil, "read", "--log-dir", logs, dir).want(t, 1)
	text, err := os.ReadFile(logs + "/spool.log")
	if err != nil {
		t.Fatal(err)
	}
	var packets, failed, copies uint64
	first, last := math.Inf(1), 0.0
	for l := range bytes.Lines(text) {
		var f struct {
			Packets         uint64
			Outcome, Reason string
			FirstTS         float64 `json:"first_ts"`
			LastTS          float64 `json:"last_ts"`
		}
		if err := json.Unmarshal(l, &f); err != nil {
			t.Fatal(err)
		}
		packets += f.Packets
		if f.Packets > 0 {
			first, last = min(first, f.FirstTS), max(last, f.LastTS)
		}
		switch f.Outcome {
		case "failed":
			failed++
		case "duplicate":
			copies++
		}
	}
	if p.Files != bytes.Count(text, []byte("\n")) || p.Packets != packets || !p.Exact || p.FirstTS != first || p.LastTS != last ||
		uint64(len(p.Refused)) != failed || uint64(p.Duplicates) != copies || p.Empty != 1 {
		t.Errorf("%d files, %d packets, %f to %f, %d failed, %d copies; the plan is\n%+v", bytes.Count(text, []byte("\n")), packets, first, last, failed, copies, p)
	}
	for _, why := range []string{"empty file", "cut short", "USER0 (147)"} {
		if !slices.ContainsFunc(p.Refused, func(f plan.File) bool { return strings.Contains(f.Reason, why) }) {
			t.Errorf("%q is not among %v", why, p.Refused)
		}
	}
	a := p.Sources[slices.IndexFunc(p.Sources, func(s plan.Source) bool { return s.Name == "a" })]
	// From the 199th to the 500th second nobody captured; the one between two files is none.
	if a.Files != 3 || a.Gaps != 1 || a.Missing != 301 || a.Covered != 199+99 || a.Longest[0] != (plan.Gap{FromTS: 1_700_000_199, ToTS: 1_700_000_500}) {
		t.Errorf("%+v", a)
	}
	if p.Depth != 2 { // b/x.zst with both of a, user0 with a/1
		t.Errorf("depth %d", p.Depth)
	}
	run(t.Context(), nil, "plan", dir).want(t, 1, "copies of others, not read: 1", "gap from 2023-11-14T22:16:39Z", "set aside", "#", "captures without packets: 1")
}

// Of large files the ends are enough; where they are not, the plan says so, and
// --full reads.
func TestPlanOfLargeFiles(t *testing.T) {
	dir := t.TempDir()
	const n = 3000
	large := timed(t, 0, n-1, 1400)
	put(t, dir+"/plain", large)
	p := planOf(t, 0, dir)
	if p.Exact || p.OpenEnds != 0 || p.LastTS != 1_700_000_000+n-1 || p.Packets < n*9/10 || p.Packets > n*11/10 {
		t.Errorf("%+v", p)
	}
	noise, rnd := bytes.Clone(large), rand.New(rand.NewPCG(1, 1))
	for i := 24 + 100; i < len(noise); i += 1444 { // so that it stays large
		for j := range 700 {
			noise[min(i+j, len(noise)-1)] = byte(rnd.Uint32())
		}
	}
	put(t, dir+"/plain", squeezed(t, noise))
	if st, err := os.Stat(dir + "/plain"); err != nil || st.Size() < 1<<20 {
		t.Fatalf("%v, %d bytes", err, st.Size())
	}
	if p := planOf(t, 0, dir); p.Exact || p.OpenEnds != 1 || p.Packets < n/2 || p.Packets > 2*n {
		t.Errorf("compressed: %+v", p)
	}
	if p := planOf(t, 0, "--full", dir); !p.Exact || p.OpenEnds != 0 || p.LastTS != 1_700_000_000+n-1 || p.Packets != n {
		t.Errorf("in full: %+v", p)
	}
	put(t, dir+"/plain", large[:len(large)-1])
	if p := planOf(t, 0, dir); p.OpenEnds != 1 {
		t.Errorf("cut: %+v", p)
	}
	if p := planOf(t, 1, "--full", dir); p.OpenEnds != 0 || p.Packets != n-1 || len(p.Refused) != 1 {
		t.Errorf("cut, in full: %+v", p)
	}
}

func TestPlanArguments(t *testing.T) {
	run(t.Context(), nil, "plan").want(t, 2, "name at least one")
	run(t.Context(), nil, "plan", "").want(t, 2, "a PATH is empty")
	if p := planOf(t, 1, "/nowhere", testdata+"/containers/micro.pcap"); len(p.Refused) != 1 || p.Files != 2 || p.Refused[0].Path != "/nowhere" {
		t.Errorf("%+v", p)
	}
	if p := planOf(t, 0, t.TempDir()); p.Files != 0 || p.Packets != 0 {
		t.Errorf("nothing: %+v", p)
	}
	run(t.Context(), nil, "plan", t.TempDir()).want(t, 0, "files", "a run")
}
