package pipeline_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/pipeline"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// caughtUp splits conn.log into the lines of the live timeline and, without
// their mark, those of catch-ups; each as a set.
func caughtUp(text []byte) (live, old []string) {
	const mark = `,"catchup":true`
	for l := range bytes.Lines(text) {
		if s := strings.Replace(string(l), mark, "", 1); len(s) < len(l) {
			old = append(old, s)
		} else {
			live = append(live, s)
		}
	}
	slices.Sort(live)
	slices.Sort(old)
	return live, old
}

func lines(text []byte) (all []string) {
	for l := range bytes.Lines(text) {
		all = append(all, string(l))
	}
	slices.Sort(all)
	return all
}

// Files that come after their time are read by themselves: as if they had been
// the only ones, and as if they had never come.
func TestCatchUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	whole := loadCapture(t, "containers/micro.pcap")
	day := packet.Time(24 * 3600e9)
	old := whole.shifted(whole.recs[0].TS-day, 0)
	never := whole.shifted(packet.Unix(1000, 0), 0) // of a clock that was never set
	livePath := writeFile(t, t.TempDir()+"/live", forms[0].encode(t, whole))
	wantLive := newJob(t).read(t, livePath)
	oldDir := t.TempDir()
	cfg := site(newRoot(t))
	cfg.Order.HoldBack = 500 * time.Millisecond // the old files are to be one group
	d := start(t, cfg)
	d.mv(t, "live-0", forms[0].encode(t, whole))
	d.fate(t, "live-0")
	parts := old.cut(5, true, rnd)
	for i, p := range parts {
		text := formOf(p).encode(t, p)
		writeFile(t, fmt.Sprint(oldDir, "/", i), text)
		d.mv(t, fmt.Sprint(9-i), text)
	}
	for i := range parts {
		if f := d.fate(t, fmt.Sprint(9-i)); f.Outcome != "catchup" || f.Late > 0 {
			t.Errorf("an old file: %+v", f)
		}
	}
	d.mv(t, "never", forms[0].encode(t, never))
	if f := d.fate(t, "never"); f.Outcome != "catchup" {
		t.Errorf("a file of 1970: %+v", f)
	}
	d.quit(t)
	live, caught := caughtUp(readLogs(t, d.cfg.Logs.Dir)["conn"])
	if want := lines(wantLive.logs["conn"]); !slices.Equal(live, want) {
		t.Errorf("%d live connections, want the %d without old files", len(live), len(want))
	}
	wantOld := lines(newJob(t).read(t, oldDir).logs["conn"])
	neverPath := writeFile(t, t.TempDir()+"/never", forms[0].encode(t, never))
	wantOld = append(wantOld, lines(newJob(t).read(t, neverPath).logs["conn"])...)
	slices.Sort(wantOld)
	if !slices.Equal(caught, wantOld) {
		t.Errorf("%d connections were caught up on, want %d:\n%s\n%s", len(caught), len(wantOld), strings.Join(caught[:min(3, len(caught))], ""), strings.Join(wantOld[:3], ""))
	}
	if left := len(d.places(t)); left != len(parts)+2 {
		t.Errorf("%d files in all places, want %d", left, len(parts)+2)
	}
}

// What is caught up on goes on after a restart, wherever that falls.
func TestCatchUpOverRestarts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	whole := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	day := packet.Time(24 * 3600e9)
	old := whole.shifted(whole.recs[0].TS-day, 0)
	wantLive := newJob(t).read(t, whole.write(t, t.TempDir(), "live"))
	oldDir := t.TempDir()
	root := newRoot(t)
	d := startAs(t, pipeline.Options{Config: site(root)})
	d.mv(t, "live", formOf(whole).encode(t, whole))
	d.fate(t, "live")
	d.quit(t)
	parts := old.cut(6, true, rnd)
	for i, p := range parts {
		text := formOf(p).encode(t, p)
		writeFile(t, fmt.Sprint(oldDir, "/", i), text)
		d.mv(t, fmt.Sprint(9-i), text)
	}
	resumed := 0
	for lives := 1; ; lives++ {
		cfg := site(root)
		cfg.Shards.Count = 1 + rnd.IntN(4)
		last := lives == fewer(40, 10)
		d = startAs(t, pipeline.Options{Config: cfg, Flush: last})
		time.Sleep(time.Duration(rnd.IntN(10)) * time.Millisecond)
		if last {
			d.until(t, "all files put away", func() bool { return len(filesBelow(t, root+"/in")) == 0 })
		}
		d.quit(t)
		if l, err := spool.LoadLedger(spool.OS{}, cfg.Commit.Dir); err == nil && strings.Contains(string(l.State), `"Late":`) {
			resumed++
		}
		if last {
			break
		}
	}
	t.Logf("%d restarts in the middle of it", resumed)
	live, caught := caughtUp(readLogs(t, d.cfg.Logs.Dir)["conn"])
	if want := lines(wantLive.logs["conn"]); !slices.Equal(live, want) {
		t.Errorf("%d live connections, want the %d without old files", len(live), len(want))
	}
	wantOld := lines(newJob(t).read(t, oldDir).logs["conn"])
	if !slices.Equal(caught, wantOld) {
		t.Errorf("%d connections were caught up on, want %d", len(caught), len(wantOld))
	}
	for _, f := range d.fates(t) {
		if f.Outcome != "catchup" && !strings.HasSuffix(f.File, "/live") {
			t.Errorf("%+v", f)
		}
	}
}
