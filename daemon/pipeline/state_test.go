package pipeline_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
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
		last := lives == 25
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
