package pipeline_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// A file that was being read, and is away in a life that reads what is later, comes late
// in the next one: nothing of it is taken for handled that was not, and what was handled
// is not read again, but for a second.
func TestFileIsAwayForALife(t *testing.T) {
	for name, mid := range map[string]func(*testing.T) (*config.Config, capture, string){"live": midFile, "catching up": midCatchUp} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "live" {
				t.Skip("takes a minute to stop in the middle of a catch-up that is over in a moment")
			}
			cfg, c, path := mid(t)
			away := filepath.Join(filepath.Dir(cfg.Spool.Dirs[0]), "away")
			if err := os.Rename(path, away); err != nil {
				t.Fatal(err)
			}
			later := c.after(2*time.Hour, 100)
			d := startAs(t, pipeline.Options{Config: cfg})
			time.Sleep(300 * time.Millisecond) // what was caught up on ends, without its file
			d.mv(t, "later", formOf(later).encode(t, later))
			d.fate(t, "later")
			d.quit(t)
			if err := os.Rename(away, path); err != nil {
				t.Fatal(err)
			}
			lastLife(t, cfg)
			want, got := alone(t, c)+alone(t, later), countPackets(t, cfg.Logs.Dir)
			if name == "catching up" {
				want += alone(t, c.after(time.Hour, 50))
			}
			if got < want || got > want+c.busiest(2*time.Second) {
				t.Errorf("%d packets in conn.log, want %d, and at most %d more", got, want, c.busiest(2*time.Second))
			}
		})
	}
}

// alone is how many packets conn.log has of c, read by itself.
func alone(t *testing.T, c capture) int {
	t.Helper()
	j := newJob(t)
	j.read(t, c.write(t, t.TempDir(), "a"))
	return countPackets(t, j.cfg.Logs.Dir)
}

// after is n UDP packets like those of c, so much later than its end.
func (c capture) after(gap time.Duration, n int) capture {
	out := capture{name: "after"}
	last := c.recs[len(c.recs)-1].TS
	for _, r := range c.recs {
		if len(out.recs) == n {
			break
		}
		if len(r.Data) > 34 && r.Data[12] == 8 && r.Data[13] == 0 && r.Data[23] == packet.UDP {
			r.TS = last.Add(gap + time.Duration(len(out.recs))*time.Millisecond)
			out.recs = append(out.recs, r)
		}
	}
	return out
}

// busiest is how many packets c has in so much time, at most.
func (c capture) busiest(span time.Duration) (most int) {
	from := 0
	for i, r := range c.recs {
		for r.TS.Sub(c.recs[from].TS) > span {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// wellIn matches a state in which a file was read for 5 000 records or more.
var wellIn = regexp.MustCompile(`"Record":(\d{5}|[5-9]\d{3})`)

// midCatchUp is a daemon that was stopped while it caught up on the file "a", which came
// after one that is an hour later.
func midCatchUp(t *testing.T) (cfg *config.Config, c capture, path string) {
	t.Helper()
	c = loadCapture(t, "pcap/lab-00.pcap.zst")
	text, ahead := formOf(c).encode(t, c), c.after(time.Hour, 50)
	well := func() bool {
		l, err := spool.LoadLedger(spool.OS{}, cfg.Commit.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return l != nil && strings.Contains(string(l.State), path) && wellIn.Match(l.State)
	}
	for range 50 {
		cfg = site(newRoot(t))
		d := startAs(t, pipeline.Options{Config: cfg})
		d.mv(t, "ahead", formOf(ahead).encode(t, ahead))
		d.fate(t, "ahead")
		d.mv(t, "a", text)
		path = d.in("a")
		d.until(t, "it is well in", func() bool { return well() || len(filesBelow(t, d.in(""))) == 0 })
		if d.quit(t); well() {
			return cfg, c, path
		}
	}
	t.Fatal("never stopped in the middle of a catch-up")
	return nil, c, ""
}

// A file that is written to after a part of it was read, while no daemon runs, is not read
// anew, which would count that part twice: it is put away with what was read of it booked.
// What only has its name is another file.
func TestFileChangesBetweenLives(t *testing.T) {
	cfg, c, path := midFile(t)
	text := readFile(t, path)
	writeFile(t, path, append(text, text[len(text)-4000:]...))
	d := startAs(t, pipeline.Options{Config: cfg, Flush: true})
	f := d.fate(t, "a")
	d.quit(t)
	if f.Outcome != "failed" || !strings.Contains(f.Reason, "changed after") || int(f.Packets) >= len(c.recs) {
		t.Errorf("of a file that has grown: %+v", f)
	}
	if n, all := countPackets(t, cfg.Logs.Dir), alone(t, c); n > all {
		t.Errorf("%d packets in conn.log, of %d", n, all)
	}

	cfg, c, path = midFile(t)
	other := c.after(time.Millisecond, 100)
	writeFile(t, path, formOf(other).encode(t, other))
	d = startAs(t, pipeline.Options{Config: cfg, Flush: true})
	if f := d.fate(t, "a"); f.Outcome != "done" || int(f.Packets) != len(other.recs) {
		t.Errorf("of another file by its name: %+v", f)
	}
	d.quit(t)
}

// Whatever files come, go and come back between the lives of a daemon, each has one line in
// spool.log, and its packets are in conn.log, none twice but for a second of those that were
// half read when they went.
func TestFilesComeAndGo(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst")
	all := alone(t, c)
	for seed := range uint64(fewer(40, 3)) {
		rnd := newRand(seed)
		cfg := site(newRoot(t))
		in, away := cfg.Spool.Dirs[0], filepath.Join(filepath.Dir(cfg.Logs.Dir), "away")
		if err := os.Mkdir(away, 0o755); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, p := range c.cut(1+rnd.IntN(4), true, rnd) {
			writeFile(t, filepath.Join(away, p.name), formOf(p).encode(t, p))
			names[filepath.Join(in, p.name)] = true
		}
		lives := 2 + rnd.IntN(5)
		for range lives {
			moveSome(t, rnd, 3, in, away)
			moveSome(t, rnd, 2, away, in)
			cfg.Shards.Count = 1 + rnd.IntN(3)
			d := startAs(t, pipeline.Options{Config: cfg, Flush: rnd.IntN(4) == 0})
			time.Sleep(time.Duration(rnd.IntN(120)) * time.Millisecond)
			if rnd.IntN(2) == 0 {
				moveSome(t, rnd, 2, away, in)
				time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond)
			}
			d.quit(t)
		}
		moveSome(t, rnd, 1, away, in)
		lastLife(t, cfg)
		got, most := countPackets(t, cfg.Logs.Dir), all+lives*c.busiest(2*time.Second)
		if got < all || got > most {
			t.Errorf("seed %d: %d packets in conn.log, want %d to %d", seed, got, all, most)
		}
		done := map[string]int{}
		for _, f := range fates(t, readLogs(t, cfg.Logs.Dir)["spool"]) {
			done[f.File]++
		}
		for name := range names {
			if done[name] != 1 {
				t.Errorf("seed %d: %s has %d lines", seed, name, done[name])
			}
		}
	}
}

// A file that comes late and joins the others is not cut off before the cut of a stop: what
// its reader still held would look handled.
func TestStopWhileALateFileIsRead(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst")
	c.recs = c.recs[:10000]
	want := alone(t, c)
	for try := range fewer(200, 6) {
		cfg := site(newRoot(t))
		d := startAs(t, pipeline.Options{Config: cfg})
		put := func(name string, recs []record) {
			part := capture{name, recs}
			d.mv(t, name, formOf(part).encode(t, part))
		}
		put("ahead", c.recs[5000:])
		d.fate(t, "ahead")
		put("late", c.recs[:5000])
		time.Sleep(time.Duration(20+try%60) * time.Millisecond)
		d.quit(t)
		d = startAs(t, pipeline.Options{Config: cfg, Flush: true})
		d.fate(t, "late")
		d.quit(t)
		if got := countPackets(t, cfg.Logs.Dir); got != want {
			t.Fatalf("try %d: %d packets in conn.log, want %d", try, got, want)
		}
	}
}

// moveSome moves one of so many files from a directory to another.
func moveSome(t *testing.T, rnd *rand.Rand, one int, from, to string) {
	t.Helper()
	for _, path := range filesBelow(t, from) {
		if rnd.IntN(one) != 0 {
			continue
		}
		if err := os.Rename(path, filepath.Join(to, filepath.Base(path))); err != nil {
			t.Fatal(err)
		}
	}
}
