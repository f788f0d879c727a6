// Package prometheus holds the alerts and the dashboard to the metrics that there are.
package prometheus

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNamesOfMetrics(t *testing.T) {
	page := read(t, "../doc/metrics.md")
	name := regexp.MustCompile(`pcapdir_([a-z_]+)`)
	for _, path := range []string{"alerts.yml", "grafana.json"} {
		found := name.FindAllStringSubmatch(read(t, path), -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric", path)
		}
		for _, m := range found {
			if m[1] != "build_info" && !strings.Contains(page, "| `"+m[1]+"` |") {
				t.Errorf("%s names %s, which there is not", path, m[0])
			}
		}
	}
	if !json.Valid([]byte(read(t, "grafana.json"))) {
		t.Error("grafana.json is no JSON")
	}
}

func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed, so rules are not checked by it")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"check", "config", "prometheus.yml"}} {
		if text, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
}
