package pipeline_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/packet"
)

// full reads paths with all files scanned first.
func full(t *testing.T, s shape, paths ...string) output {
	t.Helper()
	j := newJob(t)
	j.cfg.Order.Index = config.IndexFull
	j.cfg.Shards.Count, j.cfg.Shards.Hash = s.shards, s.hash
	j.sizes.Batch, j.sizes.Queue = s.batch, s.queue
	j.cfg.Limits.OpenFiles = 8
	return j.read(t, paths...)
}

// disordered are captures in one file that is not in order: what appending,
// mergecap -a and a clock that is set leave. Each comes with the same in order.
func disordered(t *testing.T) (all [][2]capture) {
	add := func(name string, parts ...capture) {
		c := capture{name: name}
		for _, p := range parts {
			c.recs = append(c.recs, p.recs...)
		}
		all = append(all, [2]capture{c, c.sorted()})
	}
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	c.recs = c.recs[:6000]
	five := c.cut(5, true, newRand(3))
	add("mergecap -a", five[3], five[0], five[4], five[2], five[1])
	add("taps appended", c.deal(20, newRand(5))...)
	early := loadCapture(t, "golden/cases.pcap.gz").sorted().shifted(c.recs[0].TS.Add(-2*time.Hour), 1)
	add("two hours back", c, early)
	add("one bad stamp and two hours back", c.spoiled(len(c.recs)/2, 79*365*24*time.Hour), early)
	all[3][1] = all[2][1]
	return all
}

// spoiled is the capture with one more record, of nobody, whose stamp is wrong.
func (c capture) spoiled(at int, by time.Duration) capture {
	arp := record{TS: c.recs[at].TS.Add(by), LinkType: 1, Wire: 42, Data: make([]byte, 42)}
	copy(arp.Data[12:], []byte{8, 6})
	return capture{c.name, slices.Insert(slices.Clone(c.recs), at, arp)}
}

// With its runs as inputs of the merge a file in disorder is as good as the same
// in order, in any container; without, it loses nothing.
func TestFullIndexPutsRunsInOrder(t *testing.T) {
	for i, pair := range disordered(t) {
		odd, even := pair[0], pair[1]
		want := full(t, plain, even.write(t, t.TempDir(), "one"))
		for k, f := range forms {
			if !f.holds(odd) {
				continue
			}
			t.Run(odd.name+"/"+f.name, func(t *testing.T) {
				path := writeFile(t, filepath.Join(t.TempDir(), "x"), f.encode(t, odd))
				got := full(t, sample[(i+k)%len(sample)], path)
				wantSameLogs(t, want, got)
				g, w := got.only(t), want.only(t)
				if g.Outcome != "done" || g.Inversions == 0 || g.FirstTS != w.FirstTS || g.LastTS != w.LastTS ||
					g.Packets != uint64(len(odd.recs)) || got.sum.Handled != want.sum.Handled || g.Late > 0 {
					t.Errorf("%+v, %d handled; in order %+v, %d handled", g, got.sum.Handled, w, want.sum.Handled)
				}
				first := run(t, plain, config.InsideSort, even.span(), path)
				if l := first.only(t); l.Packets != g.Packets || l.Inversions != g.Inversions || l.Suspect != g.Suspect ||
					first.sum.Handled != got.sum.Handled || fmt.Sprint(l.Dropped) != fmt.Sprint(g.Dropped) {
					t.Errorf("first records only: %+v, %d handled; all: %+v", l, first.sum.Handled, g)
				}
			})
		}
	}
}

// Files in order, and damaged ones, are read as without a scan.
func TestFullIndexChangesNothingInOrder(t *testing.T) {
	parts := loadCapture(t, "pcap/lab-00.pcap.zst").sorted().cut(9, true, newRand(4))
	dir := writeParts(t, parts)
	for _, b := range badCases {
		writeFile(t, filepath.Join(dir, b.name), readFile(t, b.path()))
	}
	want, got := newJob(t).read(t, dir), full(t, sample[0], dir)
	wantSameLogs(t, want, got)
	wantSameFates(t, want, got)
}

// Damage behind several runs is told as without a scan, and what is before it kept.
func TestFullIndexKeepsWhatIsBeforeDamage(t *testing.T) {
	odd := disordered(t)[0][0]
	for _, f := range []form{forms[0], forms[6]} {
		text := f.encode(t, odd)
		path := writeFile(t, filepath.Join(t.TempDir(), "x"), text[:len(text)-7])
		want, got := newJob(t).read(t, path), full(t, sample[1], path)
		w, g := want.only(t), got.only(t)
		if !errors.Is(got.err, pipeline.ErrFailedFiles) || g.Packets != uint64(len(odd.recs)-1) || g.Packets != w.Packets || g.Reason != w.Reason {
			t.Errorf("%s: %+v, without a scan %+v", f.name, g, w)
		}
	}
}

// A file that steps back at every record has more runs than are told apart: the
// rest of it is lifted, and all of it handled.
func TestFullIndexIsBounded(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	c.recs = slices.Clone(c.recs[:3000])
	for i := range c.recs {
		c.recs[i].TS = packet.Unix(1_700_000_000-int64(i), 0)
	}
	for _, f := range []form{forms[0], forms[4]} {
		got := full(t, plain, writeFile(t, filepath.Join(t.TempDir(), "x"), f.encode(t, c)))
		if g := got.only(t); g.Packets != 3000 || g.Outcome != "done" || g.Inversions != 2999 || got.sum.Handled != 3000 {
			t.Errorf("%s: %+v, %d handled", f.name, g, got.sum.Handled)
		}
	}
}

// A daemon retires a file once, when all its runs are covered.
func TestFullIndexInTheDaemon(t *testing.T) {
	odd, even := disordered(t)[0][0], disordered(t)[0][1]
	cfg := site(newRoot(t))
	cfg.Order.Index = config.IndexFull
	d := start(t, cfg)
	d.mv(t, "x", formOf(odd).encode(t, odd))
	f := d.fate(t, "x")
	d.wantPut(t, "x", f)
	d.quit(t)
	logs := readLogs(t, cfg.Logs.Dir)
	if n := bytes.Count(logs["spool"], []byte("\n")); n != 1 || f.Packets != uint64(len(odd.recs)) {
		t.Errorf("%d lines in spool.log: %+v", n, f)
	}
	want := newJob(t).read(t, even.write(t, t.TempDir(), "one"))
	wantSameLogs(t, want, output{logs: logs})
	if strings.Count(string(logs["conn"]), "\n") == 0 {
		t.Error("no connection at all: nothing is tested")
	}
}
