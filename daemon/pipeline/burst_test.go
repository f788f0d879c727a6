package pipeline_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pcapdir/daemon/pipeline"
)

// More connections end at once than lines may wait: the shards wait for the committer,
// which saves the state meanwhile, and neither waits for ever; nor does a stop in the
// middle, or a start after it.
func TestManyEndAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("100 000 connections take some seconds")
	}
	root := newRoot(t)
	cfg := site(root)
	cfg.Vectors.Windows, cfg.Limits.Memory = nil, 512<<20
	flood := synFlood(100_000)
	last := flood.recs[len(flood.recs)-1]
	hour := capture{"hour", []record{last}}
	hour.recs[0].TS = last.TS.Add(time.Hour)
	for round, stop := range []bool{false, true} {
		name := func(s string) string { return fmt.Sprint(s, round) }
		d := startAs(t, pipeline.Options{Config: cfg})
		d.mv(t, name("flood"), formOf(flood).encode(t, flood))
		d.fate(t, name("flood"))
		time.Sleep(500 * time.Millisecond) // a commit may be due
		d.mv(t, name("hour"), formOf(hour).encode(t, hour))
		if stop {
			time.Sleep(50 * time.Millisecond)
			d.quit(t)
			d = startAs(t, pipeline.Options{Config: cfg})
		}
		d.fate(t, name("hour"))
		d.quit(t)
		// The second round is later, and no copy of the first.
		for _, c := range []capture{flood, hour} {
			for i := range c.recs {
				c.recs[i].TS = c.recs[i].TS.Add(2 * time.Hour)
			}
		}
	}
}

// Where the memory is too small for all that lies within order.window, disorder stays,
// and is counted; where it is not, all is in order and nothing counted.
func TestTooSmallAWindowIsCounted(t *testing.T) {
	c := synFlood(20_000)
	jittered := c.jittered(20*time.Millisecond, 1)
	for memory, lifted := range map[int64]bool{64 << 20: true, 64 << 30: false} {
		j, k := newJob(t), newJob(t)
		j.cfg.Limits.Memory, k.cfg.Limits.Memory = memory, memory
		j.cfg.Vectors.Windows, k.cfg.Vectors.Windows = nil, nil
		want, got := j.read(t, c.write(t, t.TempDir(), "a")), k.read(t, jittered.write(t, t.TempDir(), "a"))
		n := got.only(t).Lifted
		if same := bytes.Equal(want.logs["conn"], got.logs["conn"]); (n > 0) != lifted || n > got.only(t).Inversions || !lifted && !same || want.only(t).Lifted > 0 {
			t.Errorf("%d MiB: %d of %d inversions lifted, the logs are those of the file in order: %v", memory>>20, n, got.only(t).Inversions, same)
		}
	}
}
