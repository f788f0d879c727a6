package consumers

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"pcapdir/analysis/logs"
)

var update = flag.Bool("update", false, "rewrite the index template")

// indexed are the logs that go to an index.
var indexed = []string{logs.ConnStream().Name, logs.OpenConnStream().Name, logs.AnomalyStream().Name, logs.WeirdStream().Name, logs.SpoolStream().Name}

// mapping is a type in the words of Elasticsearch and OpenSearch.
func mapping(t logs.Type) map[string]any {
	switch t {
	case logs.Time:
		return map[string]any{"type": "date", "format": "epoch_second||strict_date_optional_time_nanos"}
	case logs.Interval, logs.Double:
		return map[string]any{"type": "double"}
	case logs.Addr:
		return map[string]any{"type": "ip"}
	case logs.Port:
		return map[string]any{"type": "integer"}
	case logs.Number, logs.Numbers:
		return map[string]any{"type": "long"}
	case logs.Bool:
		return map[string]any{"type": "boolean"}
	case logs.Records, logs.Counts, logs.Values:
		return map[string]any{"type": "object", "enabled": false} // shown, and not searched
	default:
		return map[string]any{"type": "keyword", "ignore_above": 1024}
	}
}

// The template has every field of every log that goes to an index, under one type in all.
func TestIndexTemplate(t *testing.T) {
	properties := map[string]any{}
	for _, log := range indexed {
		for _, f := range logs.Fields(log) {
			m := mapping(f.Type)
			if old, ok := properties[f.Name]; ok && old.(map[string]any)["type"] != m["type"] {
				t.Errorf("%s is %v in %s and %v in another log", f.Name, m, log, old)
			}
			properties[f.Name] = m
		}
	}
	want, err := json.MarshalIndent(map[string]any{
		"index_patterns": []string{"pcapdir-*"},
		"template": map[string]any{
			"settings": map[string]any{"index.mapping.ignore_malformed": true},
			"mappings": map[string]any{"dynamic": false, "properties": properties},
		},
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	const path = "index-template.json"
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the logs have (%v): run go test ./contrib/consumers -update", path, err)
	}
}
