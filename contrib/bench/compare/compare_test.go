package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRatioIsOfTheSameRounds(t *testing.T) {
	a, b := []cost{{cpu: 2}, {cpu: 30}, {cpu: 8}}, []cost{{cpu: 1}, {cpu: 10}, {cpu: 2}}
	if got := ratio(a, b); got != 3 {
		t.Errorf("ratio %v, want the median of 2, 3 and 4", got)
	}
	if got := middle([]float64{4, 1}); got != 2.5 {
		t.Errorf("%v between 1 and 4", got)
	}
}

// A tool that takes one plain file is not run on others.
func TestToolsThatTakeOneFile(t *testing.T) {
	args := each(func(path, _ string) []string { return []string{path} })
	if args(&set{name: "mix", paths: []string{"a"}}, "") == nil || args(&set{name: "mix.gz", paths: []string{"a"}, packed: true}, "") != nil ||
		args(&set{name: "mix64", paths: []string{"a", "b"}}, "") != nil {
		t.Error("a tool is run on what it cannot read")
	}
}

// A small comparison, from the captures to the tables.
func TestPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three programs")
	}
	var out bytes.Buffer
	if err := run([]string{"-scale", "0.001", "-rounds", "1", "-sets", "mix,mix64,mix.zst", "-tools", "gopacket", "-dir", t.TempDir(), "-root", "../../.."}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"\nmix: 1 files", "\nmix64: 64 files", "\nmix.zst: 1 files", "| gopacket, tuned |", "| pcapdird, no vectors |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "failed") {
		t.Error(out.String())
	}
	if err := run([]string{"-sets", "giant", "-dir", t.TempDir()}, &out); err == nil || !strings.Contains(err.Error(), "unknown set") {
		t.Errorf("a set that is not known: %v", err)
	}
}

func TestScale(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four programs")
	}
	var out bytes.Buffer
	if err := runScale([]string{"-scale", "0.002", "-rounds", "1", "-flows", "100000", "-shards", "2", "-dir", t.TempDir(), "-root", "../../.."}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if rows := strings.Count(out.String(), "\n| ") - 3; rows != 2+5+2 { // less the headings
		t.Errorf("%d rows:\n%s", rows, out.String())
	}
}
