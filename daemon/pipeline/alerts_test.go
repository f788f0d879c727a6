package pipeline_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"pcapdir/daemon/config"
)

// Half an hour with attacks, whole: alerts are given, and the end of input ends those
// that came again, once each, whatever the shape of the run, in both modes.
func TestAlertsAndTheirEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("reads half an hour of traffic several times")
	}
	names, err := filepath.Glob(filepath.Join(testdata, "pcap", "lab-*.pcap.zst"))
	if err != nil || len(names) != 5 {
		t.Fatal(names, err)
	}
	for _, features := range []config.Features{config.FeaturesDefault, config.FeaturesAsura} {
		all := func(shape func(*config.Config)) *job {
			j := newJob(t)
			j.cfg.Vectors.Features, j.cfg.Vectors.Sample, j.cfg.Vectors.Full = features, 1<<20, true
			shape(j.cfg)
			return j
		}
		want := all(func(*config.Config) {}).read(t, names...)
		alerts := bytes.Count(want.logs["anomaly"], []byte(`"label":"anomalous"`))
		ends := bytes.Count(want.logs["anomaly"], []byte(`"label":"ended","began":`))
		if alerts < 20 || (ends > 5) != (features == config.FeaturesDefault) {
			t.Errorf("%s: %d alerts, %d ends", features, alerts, ends)
		}
		for _, shape := range []func(*config.Config){
			func(c *config.Config) { c.Shards.Count, c.Shards.Hash = 3, config.Hash4Tuple },
			func(c *config.Config) { c.Shards.Count, c.Shards.Hash = 2, config.Hash5Tuple },
		} {
			other := all(shape)
			got := other.read(t, names[2], names[0], names[4], names[1], names[3])
			for _, name := range identical {
				if !bytes.Equal(got.logs[name], want.logs[name]) {
					t.Errorf("%s, %d shards: %s.log: %s", features, other.cfg.Shards.Count, name, firstDifference(got.logs[name], want.logs[name]))
				}
			}
		}
	}
}
