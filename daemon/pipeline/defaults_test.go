package pipeline

import (
	"reflect"
	"testing"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/daemon/config"
)

// The configuration knows no package of the analysis, so both state defaults:
// they must be the same ones.
func TestDefaultsAgree(t *testing.T) {
	cfg := config.Default()
	for _, c := range []struct{ got, want any }{
		{connConfig(cfg), conn.DefaultConfig()},
		{*vectorConfig(cfg, 0), flowvec.DefaultConfig()},
		{anomalyConfig(cfg), anomaly.DefaultConfig()},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("the configuration's defaults give %+v, the package's are %+v", c.got, c.want)
		}
	}
}
