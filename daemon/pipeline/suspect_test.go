package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/daemon/config"
	"pcapdir/source/decode"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile/pcaptest"
)

// wrong are stamps that one record may have by mistake.
var wrong = []struct {
	name string
	of   func(right packet.Time) packet.Time
}{
	{"2106", func(packet.Time) packet.Time { return packet.Unix(1<<32-1, 0) }},
	{"1970", func(packet.Time) packet.Time { return 0 }},
	{"+2h", func(t packet.Time) packet.Time { return t.Add(2 * time.Hour) }},
	{"-2h", func(t packet.Time) packet.Time { return t.Add(-2 * time.Hour) }},
	{"+2d", func(t packet.Time) packet.Time { return t.Add(48 * time.Hour) }},
	{"-2d", func(t packet.Time) packet.Time { return t.Add(-48 * time.Hour) }},
}

// wild says whether no clock could have said ts: such a stamp is told alone.
func wild(ts packet.Time) bool { return ts == 0 || ts == packet.Unix(1<<32-1, 0) }

// spoiled are captures to put a wrong stamp into, each cut into several files.
func spoiled(t *testing.T) (all [][]capture) {
	micro := loadCapture(t, "containers/micro.pcap").sorted()
	lab := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	lab.recs = lab.recs[:8000]
	g, err := traffic.New(traffic.Config{Kind: "mix", Packets: 3000, Flows: 60})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := traffic.Write(&b, g, traffic.Container{Link: traffic.Ethernet}); err != nil {
		t.Fatal(err)
	}
	made := capture{name: "made"}
	if made.recs, err = pcaptest.ReadAll(&b); err != nil {
		t.Fatal(err)
	}
	for i, c := range []capture{micro, lab, made.sorted()} {
		parts := c.cut(5, true, rand.New(rand.NewPCG(uint64(i), 9)))
		all = append(all, slices.DeleteFunc(parts, func(p capture) bool { return len(p.recs) < 3 }))
	}
	return all
}

// places are the records of parts to spoil: of a small capture every one, of a
// large one the ends of each file and some between; in the short form a few.
func places(parts []capture, rnd *rand.Rand) (at [][2]int) {
	head, tail, between := 5, 2, 10
	if testing.Short() {
		head, tail, between = 1, 1, 2
	}
	for f, p := range parts {
		for i := range p.recs {
			if i < head || i >= len(p.recs)-tail || rnd.IntN(len(p.recs)) < between {
				at = append(at, [2]int{f, i})
			}
		}
	}
	return at
}

func writeParts(t *testing.T, parts []capture) string {
	dir := t.TempDir()
	for i, p := range parts {
		p.write(t, dir, fmt.Sprintf("%c", 'z'-i))
	}
	return dir
}

// spoil checks what comes of each capture when one record of it has a wrong
// stamp: put is the capture with that record at a place, and same compares.
func spoil(t *testing.T, put func(p capture, i int, wrong func(packet.Time) packet.Time) capture, same func(t *testing.T, want, got output, r record)) {
	rnd := rand.New(rand.NewPCG(4, 4))
	for _, parts := range spoiled(t) {
		span := merged(parts).span()
		want := run(t, plain, config.InsideSort, span, writeParts(t, parts))
		for n, at := range places(parts, rnd) {
			file, i := at[0], at[1]
			w := wrong[n%len(wrong)]
			right, last := parts[file].recs[i].TS, i == len(parts[file].recs)-1
			ts := w.of(right)
			if !wild(ts) && (ts < right && i == 0 || ts > right && last) {
				continue // as good as a silence behind the first record, or before the last
			}
			odd := slices.Clone(parts)
			odd[file] = put(parts[file], i, w.of)
			got := run(t, sample[n%len(sample)], config.InsideSort, span, writeParts(t, odd))
			suspect := uint64(0)
			for _, f := range got.spool {
				suspect += f.Suspect
			}
			if told := wild(ts) || !last; told != (suspect == 1) {
				t.Errorf("%d suspect records", suspect)
			}
			same(t, want, got, parts[file].recs[i])
			if t.Failed() {
				t.Fatalf("%s: %s at record %d of %d of file %d", parts[file].name, w.name, i, len(parts[file].recs), file)
			}
		}
	}
}

// One record with a wrong stamp, in any position of any file, changes no
// connection but its own, and none of the reports before it.
func TestWrongStampChangesNoOtherConnection(t *testing.T) {
	put := func(p capture, i int, wrong func(packet.Time) packet.Time) capture {
		p.recs = slices.Clone(p.recs)
		p.recs[i].TS = wrong(p.recs[i].TS)
		return p
	}
	spoil(t, put, func(t *testing.T, want, got output, r record) {
		w, g := otherLines(t, want.logs["conn"], r), otherLines(t, got.logs["conn"], r)
		if !bytes.Equal(w, g) {
			t.Errorf("conn.log differs:\n%s", firstDifference(w, g))
		}
		for _, name := range []string{"anomaly", "kmeans"} {
			w, g := linesUntil(t, want.logs[name], r.TS), linesUntil(t, got.logs[name], r.TS)
			if !bytes.Equal(w, g) {
				t.Errorf("%s.log differs:\n%s", name, firstDifference(w, g))
			}
		}
	})
}

// A record that is nobody's packet and has a wrong stamp changes no log at all.
func TestWrongStampOfNobodyChangesNothing(t *testing.T) {
	put := func(p capture, i int, wrong func(packet.Time) packet.Time) capture {
		arp := record{TS: wrong(p.recs[i].TS), LinkType: 1, Wire: 42, Data: make([]byte, 42)}
		copy(arp.Data[12:], []byte{8, 6})
		if i == len(p.recs)-1 {
			i++
		}
		p.recs = slices.Insert(slices.Clone(p.recs), i, arp)
		return p
	}
	spoil(t, put, func(t *testing.T, want, got output, _ record) { wantSameLogs(t, want, got) })
}

// otherLines are the lines about endpoints other than those of the packet in r.
func otherLines(t *testing.T, text []byte, r record) (rest []byte) {
	var p packet.Packet
	decode.Decode(r.LinkType, r.Data, r.Wire, &p, new(decode.Inside))
	for l := range bytes.Lines(text) {
		var ends struct {
			OrigH string `json:"id.orig_h"`
			RespH string `json:"id.resp_h"`
			OrigP uint16 `json:"id.orig_p"`
			RespP uint16 `json:"id.resp_p"`
		}
		if err := json.Unmarshal(l, &ends); err != nil {
			t.Fatal(err)
		}
		if icmp := p.Proto == packet.ICMP || p.Proto == packet.ICMPv6; icmp {
			p.SrcPort, p.DstPort, ends.OrigP, ends.RespP = 0, 0, 0, 0 // types, which are not those of the answer
		}
		orig, resp := fmt.Sprintf("%s:%d", ends.OrigH, ends.OrigP), fmt.Sprintf("%s:%d", ends.RespH, ends.RespP)
		src, dst := fmt.Sprintf("%s:%d", p.Src, p.SrcPort), fmt.Sprintf("%s:%d", p.Dst, p.DstPort)
		if own := orig == src && resp == dst || orig == dst && resp == src; !own && ends.OrigH != "" {
			rest = append(rest, l...)
		}
	}
	return rest
}

// linesUntil are the lines of a report log from windows that ended before t.
func linesUntil(t *testing.T, text []byte, until packet.Time) (head []byte) {
	for l := range bytes.Lines(text) {
		var line struct{ TS float64 }
		if err := json.Unmarshal(l, &line); err != nil {
			t.Fatal(err)
		}
		if line.TS < until.Add(-time.Second).Seconds() {
			head = append(head, l...)
		}
	}
	return head
}

// A clock that is set back, or ahead and back, loses nothing.
func TestClockStepLosesNothing(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	c.recs = c.recs[:5000]
	for _, step := range []time.Duration{-2 * time.Hour, 2 * time.Hour, -48 * time.Hour} {
		odd := capture{c.name, slices.Clone(c.recs)}
		for i := 2000; i < 4000; i++ {
			odd.recs[i].TS = odd.recs[i].TS.Add(step)
		}
		want := run(t, plain, config.InsideSort, 50*time.Hour, c.write(t, t.TempDir(), "x"))
		got := run(t, plain, config.InsideSort, 50*time.Hour, odd.write(t, t.TempDir(), "x"))
		w, g := want.only(t), got.only(t)
		if g.Packets != w.Packets || g.Outcome != "done" || g.Suspect != 0 || g.Inversions < 1000 ||
			fmt.Sprint(g.Dropped) != fmt.Sprint(w.Dropped) || got.sum.Handled != want.sum.Handled {
			t.Errorf("step %s: %+v, %d handled; without %+v, %d handled", step, g, got.sum.Handled, w, want.sum.Handled)
		}
	}
}

// The header of a second capture behind the first, as cat leaves it, reads as a
// record of the year 2055, and then as damage: no time passes for it.
func TestSecondHeaderPassesNoTime(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap")
	text := forms[0].encode(t, c)
	want := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), text))
	got := newJob(t).read(t, writeFile(t, filepath.Join(t.TempDir(), "x"), slices.Concat(text, text)))
	if !bytes.Equal(want.logs["conn"], got.logs["conn"]) {
		t.Errorf("conn.log differs:\n%s", firstDifference(want.logs["conn"], got.logs["conn"]))
	}
	w, g := want.only(t), got.only(t)
	if g.Suspect != 1 || g.Outcome != "failed" || g.LastTS != w.LastTS || g.Packets != w.Packets+1 {
		t.Errorf("%+v", g)
	}
	if k := []byte(`"name":"empty_pcap_header","count":1`); !bytes.Contains(got.logs["weird"], k) {
		t.Errorf("weird.log: %s", got.logs["weird"])
	}
}
