package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the summary says of alerts and of who spoke most is what the logs say, whatever the
// shards.
func TestSummary(t *testing.T) {
	capture := filepath.Join(testdata, "pcap")
	var before string
	for _, shards := range []string{"1", "3"} {
		dir := t.TempDir()
		got := run(t.Context(), nil, "read", "--set", "shards.count="+shards, "--set", "shards.hash=4-tuple", "--log-dir", dir, capture)
		got.want(t, 0, "most bytes:")
		_, rest, _ := strings.Cut(got.err, "most bytes:\n")
		if before != "" && rest != before {
			t.Errorf("other shards, another summary:\n%s%s", before, rest)
		}
		before = rest

		bytes := map[string]uint64{}
		alerts := 0
		eachLine(t, filepath.Join(dir, "conn.log"), func(l line) { bytes[l.Orig+" -> "+l.Resp] += l.OrigBytes + l.RespBytes })
		eachLine(t, filepath.Join(dir, "anomaly.log"), func(l line) {
			if l.Label == "anomalous" {
				alerts++
			}
		})
		most, who := uint64(0), ""
		for ends, n := range bytes {
			if n > most {
				most, who = n, ends
			}
		}
		if lines := strings.Split(rest, "\n"); !strings.HasPrefix(lines[0], "  "+who+" ") {
			t.Errorf("first is %q, and in conn.log %s", lines[0], who)
		}
		if want := fmt.Sprintf("%d alerts, the highest (anomaly.log", alerts); alerts < 10 || !strings.Contains(rest, want) {
			t.Errorf("not %q, but\n%s", want, rest)
		}
		if n := strings.Count(rest, " -> "); n != 10 {
			t.Errorf("%d lines of 5 and 5:\n%s", n, rest)
		}
	}
	none := run(t.Context(), nil, "read", "--set", "vectors.windows=[]", "--log-dir", t.TempDir(), filepath.Join(testdata, "containers/micro.pcap"))
	if none.want(t, 0); strings.Contains(none.err, "bytes:") || strings.Contains(none.err, "alert") {
		t.Errorf("without vectors: %s", none.err)
	}
}

// line is what the test reads of lines of logs.
type line struct {
	Orig      string `json:"id.orig_h"`
	Resp      string `json:"id.resp_h"`
	OrigBytes uint64 `json:"orig_ip_bytes"`
	RespBytes uint64 `json:"resp_ip_bytes"`
	Label     string `json:"label"`
}

func eachLine(t *testing.T, path string, each func(line)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		var rec line
		if err := json.Unmarshal([]byte(l), &rec); err != nil {
			t.Fatal(err)
		}
		each(rec)
	}
}
