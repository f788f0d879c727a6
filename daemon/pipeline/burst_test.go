package pipeline_test

import (
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
