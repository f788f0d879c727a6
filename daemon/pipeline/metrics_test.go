package pipeline_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"pcapdir/daemon/pipeline"
)

// get asks a daemon on its socket.
func get(t *testing.T, d *daemon, path string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.cfg.Status.Listen)
		},
	}}
	res, err := client.Get("http://pcapdird" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// What the metrics say is what was done, and promtool's rules have nothing to say of them.
func TestMetricsOfADaemon(t *testing.T) {
	cfg := site(newRoot(t))
	cfg.Status.Listen = filepath.Join(t.TempDir(), "s")
	d := startAs(t, pipeline.Options{Config: cfg, Flush: true, Version: "v7"})
	if code, text := get(t, d, "/healthz"); code != 200 {
		t.Errorf("%d %s", code, text)
	}
	if _, text := get(t, d, "/metrics"); strings.Contains(text, "pcapdir_lag_seconds ") {
		t.Error("there is a lag before the first packet")
	}
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	d.mv(t, "a", formOf(c).encode(t, c))
	wantAnswer[pipeline.Sealed](t, d, "seal", "")
	_, text := get(t, d, "/metrics")
	r := wantAnswer[pipeline.Report](t, d, "status", "")
	made := readLogs(t, cfg.Logs.Dir)
	reports := uint64(bytes.Count(made["kmeans"], []byte("\n")))
	alerts := uint64(bytes.Count(made["anomaly"], []byte(`"label":"anomalous"`)))
	for name, v := range map[string]uint64{
		"packets_total": r.Packets, "connections_total": r.Conns, "connections_open": r.ActiveConns, "files_done_total": 1, "files_failed_total": 0,
		"files_open": 0, `spool_files{state="held"}`: 0, `build_info{version="v7"}`: 1, "paused": 0, "reports_total": reports, "alerts_total": alerts, "book_mismatches_total": 0,
	} {
		if line := "pcapdir_" + name + " " + strconv.FormatUint(v, 10) + "\n"; !strings.Contains(text, line) {
			t.Errorf("%q is not in the metrics", line)
		}
	}
	if r.Packets == 0 || reports == 0 || !strings.Contains(text, "pcapdir_lag_seconds ") || !strings.Contains(text, `pcapdir_shard_packets_total{shard="1"}`) {
		t.Errorf("%d packets, and\n%s", r.Packets, text)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}
