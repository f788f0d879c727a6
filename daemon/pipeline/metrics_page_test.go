package pipeline

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMetricsPage holds the page of metrics to the table.
func TestMetricsPage(t *testing.T) {
	const path = "../../contrib/doc/metrics.md"
	var b bytes.Buffer
	b.WriteString("# Metrics\n\n" +
		"With `status.listen` set, `GET /metrics` says this to Prometheus, beside the metrics of the process (`process_*`) and of Go's\n" +
		"runtime (`go_*`). All names begin with `pcapdir_`; counters begin with the process. `GET /healthz` is `ok`, or status 503 and what is\n" +
		"wrong, a line each. This page is made of the table in the code: `go test ./daemon/pipeline -run MetricsPage -update`.\n\n" +
		"| metric | kind | label | what it says |\n|---|---|---|---|\n")
	for _, m := range metrics {
		kind := "gauge"
		if m.Counter {
			kind = "counter"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, kind, m.Label, m.Help)
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is not what the table says: run the command that it names", path)
	}
}
