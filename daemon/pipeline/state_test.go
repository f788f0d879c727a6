package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/daemon/status"
	"pcapdir/source/merge"
	"pcapdir/source/spool"
)

var hashes = []config.Hash{config.Hash2Tuple, config.Hash4Tuple, config.Hash5Tuple}

// C4 but for the kill, which contrib/killtest has: stopped at any moment and started
// again, each time with other shards, the daemon leaves the logs of one that was left
// alone.
func TestRestartsLeaveNoTrace(t *testing.T) {
	for _, c := range own(t) {
		for seed, inside := range bothInsides {
			t.Run(c.name+"/"+string(inside), func(t *testing.T) {
				rnd := newRand(uint64(seed))
				parts := c.cut(6, inside == config.InsideFile, rnd)
				if inside == config.InsideSort {
					parts = append(c.jittered(50*time.Millisecond, 3).cut(5, false, rnd), parts...)
				}
				whole := merged(parts)
				if inside == config.InsideSort {
					parts = append(whole.cut(4, false, rnd), capture{})[:4]
				}
				dir := scatter(t, parts, rnd, forms)
				want := restartJob(t, inside).read(t, dir)
				d := restarted(t, dir, inside, rnd)
				got := output{logs: readLogs(t, d.cfg.Logs.Dir)}
				wantSameLogs(t, want, got)
			})
		}
	}
}

func restartJob(t *testing.T, inside config.Inside) *job {
	j := newJob(t)
	j.cfg.Order.Inside = inside
	return j
}

// fewer is n in the long form, else less.
func fewer(n, less int) int {
	if long {
		return n
	}
	return less
}

// restarted lets a daemon read what is in dir, in many lives.
func restarted(t *testing.T, dir string, inside config.Inside, rnd *rand.Rand) *daemon {
	t.Helper()
	root := newRoot(t)
	if err := os.Rename(dir, filepath.Join(root, "in", "all")); err != nil {
		t.Fatal(err)
	}
	for lives := 1; ; lives++ {
		cfg := site(root)
		cfg.Order.Inside, cfg.Order.Idle = inside, 100*time.Millisecond
		cfg.Shards.Count, cfg.Shards.Hash = 1+rnd.IntN(4), hashes[rnd.IntN(len(hashes))]
		last := lives == fewer(25, 5)
		d := startAs(t, pipeline.Options{Config: cfg, Flush: last})
		time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond)
		if last {
			d.until(t, "all files put away", func() bool { return len(filesBelow(t, filepath.Join(root, "in"))) == 0 })
		}
		d.quit(t)
		if last {
			return d
		}
	}
}

// stopped is a daemon that has read a capture and was stopped in the middle of its
// time, with connections open.
func stopped(t *testing.T) (cfg *config.Config, c capture) {
	t.Helper()
	c = loadCapture(t, "golden/cases.pcap.gz").sorted()
	cfg = site(newRoot(t))
	d := startAs(t, pipeline.Options{Config: cfg})
	d.mv(t, "a", formOf(c).encode(t, capture{"a", c.recs[:len(c.recs)/2]}))
	d.fate(t, "a")
	d.quit(t)
	return cfg, c
}

// segments are the files of the state directory that hold a part of the state.
func segments(t *testing.T, cfg *config.Config) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(cfg.Commit.Dir, "state-*"))
	if err != nil || len(all) < 4 {
		t.Fatalf("%q, %v", all, err)
	}
	return all
}

// State that cannot be used is refused, with the way out; and that works.
func TestStateIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(cfg *config.Config){
		"damaged": func(cfg *config.Config) {
			path := segments(t, cfg)[0]
			text := readFile(t, path)
			text[len(text)-1] ^= 1
			writeFile(t, path, text)
		},
		"cut short": func(cfg *config.Config) {
			path := segments(t, cfg)[0]
			writeFile(t, path, readFile(t, path)[:7])
		},
		"gone": func(cfg *config.Config) {
			if err := os.Remove(segments(t, cfg)[0]); err != nil {
				t.Fatal(err)
			}
		},
		"another seed": func(cfg *config.Config) {
			writeFile(t, filepath.Join(cfg.Commit.Dir, "hash-seed"), []byte("0123456789abcdef"))
		},
	} {
		if testing.Short() && name != "damaged" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			cfg, _ := stopped(t)
			spoil(cfg)
			o := pipeline.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}
			err := pipeline.Run(t.Context(), o)
			if !errors.Is(err, pipeline.ErrState) || !strings.Contains(err.Error(), "--reset-state") {
				t.Fatalf("%v", err)
			}
			d := startAs(t, pipeline.Options{Config: cfg, ResetState: true, Flush: true})
			d.mv(t, "b", formOf(capture{}).encode(t, loadCapture(t, "golden/cases.pcap.gz")))
			d.fate(t, "b")
			d.quit(t)
			if left, _ := filepath.Glob(filepath.Join(cfg.Commit.Dir, "state-*")); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// A flush by hand ends what an earlier life left open, each connection once.
func TestFlushAfterARestart(t *testing.T) {
	cfg, c := stopped(t)
	d := startAs(t, pipeline.Options{Config: cfg})
	var sealed pipeline.Sealed
	d.until(t, "the control socket", func() bool { _, err := os.Stat(cfg.ControlPath()); return err == nil })
	if err := status.Ask(t.Context(), cfg.ControlPath(), "flush", "", &sealed); err != nil {
		t.Fatal(err)
	}
	d.quit(t)
	j := newJob(t)
	want := j.read(t, capture{"a", c.recs[:len(c.recs)/2]}.write(t, t.TempDir(), "a"))
	if got, want := lines(readLogs(t, cfg.Logs.Dir)["conn"]), lines(want.logs["conn"]); !slices.Equal(got, want) {
		t.Errorf("%d connections, want %d", len(got), len(want))
	}
}

// With other settings what is open goes on as far as that makes sense.
func TestOtherSettingsAfterARestart(t *testing.T) {
	for name, set := range map[string]func(cfg *config.Config){
		"no vectors": func(cfg *config.Config) { cfg.Vectors.Windows = nil },
		"other panes": func(cfg *config.Config) {
			cfg.Vectors.Pane, cfg.Vectors.Windows = 2*time.Minute, []time.Duration{2 * time.Minute}
		},
		"links":       func(cfg *config.Config) { cfg.Conn.VLAN, cfg.Conn.MAC = true, true },
		"no showings": func(cfg *config.Config) { cfg.Conn.OpenInterval = 0 },
		"inside":      func(cfg *config.Config) { cfg.Order.Inside = config.InsideFile },
	} {
		if testing.Short() && name != "other panes" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			cfg, c := stopped(t)
			set(cfg)
			d := startAs(t, pipeline.Options{Config: cfg, Flush: true})
			d.mv(t, "b", formOf(c).encode(t, capture{"b", c.recs[len(c.recs)/2:]}))
			d.fate(t, "b")
			d.quit(t)
			whole := newJob(t)
			want := whole.read(t, c.write(t, t.TempDir(), "all"))
			if got := len(lines(readLogs(t, cfg.Logs.Dir)["conn"])); got != len(lines(want.logs["conn"])) {
				t.Errorf("%d connections, want %d", got, len(lines(want.logs["conn"])))
			}
		})
	}
}

// midFile is a daemon that was stopped in the middle of the file "a" of its spool.
func midFile(t *testing.T) (cfg *config.Config, c capture, path string) {
	t.Helper()
	c = loadCapture(t, "pcap/lab-00.pcap.zst")
	text := formOf(c).encode(t, c)
	for tries := range 100 {
		cfg = site(newRoot(t))
		path = writeFile(t, filepath.Join(cfg.Spool.Dirs[0], "a"), text)
		old := time.Now().Add(-time.Hour) // settled
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		d := startAs(t, pipeline.Options{Config: cfg, Merge: merge.Config{Batch: 1, Queue: 1}}) // which is slow
		time.Sleep(time.Duration(tries%20*(3+tries/20*5)) * time.Millisecond)
		d.quit(t)
		l, err := spool.LoadLedger(spool.OS{}, cfg.Commit.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if l != nil && strings.Contains(string(l.State), path) {
			return cfg, c, path
		}
	}
	t.Fatal("never stopped in the middle of a file")
	return nil, c, ""
}

// lastLife lets a daemon read all that is left, and close what is open.
func lastLife(t *testing.T, cfg *config.Config) {
	t.Helper()
	d := startAs(t, pipeline.Options{Config: cfg, Flush: true})
	d.until(t, "all files put away", func() bool { return len(filesBelow(t, cfg.Spool.Dirs[0])) == 0 })
	d.quit(t)
}

// wantAsAlone lets a last life read what is left, and wants conn.log to be as if c
// had been read alone.
func wantAsAlone(t *testing.T, cfg *config.Config, c capture) {
	t.Helper()
	lastLife(t, cfg)
	want := newJob(t).read(t, c.write(t, t.TempDir(), "a"))
	if got, want := lines(readLogs(t, cfg.Logs.Dir)["conn"]), lines(want.logs["conn"]); !slices.Equal(got, want) {
		t.Errorf("%d connections, want %d, or other ones", len(got), len(want))
	}
}

// Whatever happens in a life that ends before it has looked at its spool, a file that
// was being read goes on where it was.
func TestShortLives(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, cfg *config.Config, path string) (back func()){
		"nothing":    func(*testing.T, *config.Config, string) func() { return nil },
		"other seed": func(_ *testing.T, cfg *config.Config, _ string) func() { cfg.KMeans.Seed++; return nil },
		"a copy first": func(t *testing.T, _ *config.Config, path string) func() {
			writeFile(t, filepath.Join(filepath.Dir(path), "0copy"), readFile(t, path))
			return nil
		},
		"taken away": func(t *testing.T, cfg *config.Config, path string) func() {
			away := filepath.Join(filepath.Dir(cfg.Spool.Dirs[0]), "away")
			if err := os.Rename(path, away); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := os.Rename(away, path); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		for _, flush := range []bool{false, true} {
			if !long && flush != (name == "other seed") || testing.Short() && name != "other seed" {
				continue
			}
			t.Run(fmt.Sprint(name, flush), func(t *testing.T) {
				cfg, c, path := midFile(t)
				back := change(t, cfg, path)
				cfg.Spool.Settle = time.Second
				writeFile(t, filepath.Join(cfg.Spool.Dirs[0], "fresh"), []byte("no capture"))
				for range 2 {
					d := startAs(t, pipeline.Options{Config: cfg, Flush: flush})
					time.Sleep(50 * time.Millisecond)
					d.quit(t)
				}
				cfg.Spool.Settle = 20 * time.Millisecond
				if back != nil {
					back()
				}
				if err := os.Remove(filepath.Join(cfg.Spool.Dirs[0], "fresh")); err != nil {
					t.Fatal(err)
				}
				wantAsAlone(t, cfg, c)
			})
		}
	}
}

// A file that was being read and is gone at the next start is told, and holds up
// nothing.
func TestFileIsGoneAfterARestart(t *testing.T) {
	cfg, _, path := midFile(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	d := startAs(t, pipeline.Options{Config: cfg})
	d.until(t, "the warning", func() bool { return d.said.has("gone from the spool") })
	d.quit(t)
}

// A stop with a flush reads files of which an earlier life has read something.
func TestFlushInTheMiddle(t *testing.T) {
	cfg, c, _ := midFile(t)
	d := startAs(t, pipeline.Options{Config: cfg, Flush: true})
	d.until(t, "it goes on", func() bool { return d.said.has("going on with") })
	d.quit(t)
	wantAsAlone(t, cfg, c)
}

// Logs are complete after a seal by hand, also where a start has found nothing new.
func TestSealAfterARestart(t *testing.T) {
	cfg, _ := stopped(t)
	for range 2 {
		d := startAs(t, pipeline.Options{Config: cfg})
		var sealed pipeline.Sealed
		d.until(t, "the control socket", func() bool { _, err := os.Stat(cfg.ControlPath()); return err == nil })
		ctx, done := context.WithTimeout(t.Context(), 20*time.Second)
		if err := status.Ask(ctx, cfg.ControlPath(), "seal", "", &sealed); err != nil || sealed.UpTo == "" {
			t.Errorf("%+v, %v", sealed, err)
		}
		done()
		d.quit(t)
	}
}

func filesBelow(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
