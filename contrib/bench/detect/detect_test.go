package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the product reaches on its own captures, with some room below what was
// measured: a change that loses more than a kind or two fails here.
func TestLab(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the labelled captures twice for each mode")
	}
	var out bytes.Buffer
	results, err := measure(ownSet("../../../testdata"), "", &out)
	if err != nil {
		t.Fatal(err)
	}
	printResults(&out, results)
	t.Log("\n" + out.String())
	ours := results[0]
	minute, five, both := ours.Columns[0], ours.Columns[1], ours.Columns[2]
	for _, c := range []struct {
		what       string
		got, least float64
	}{
		{"kinds in the top 1 of some minute", minute.Top[1], .69},
		{"kinds in the top 3 of some minute", minute.Top[3], .88},
		{"kinds in the top 5 of some minute", minute.Top[5], 25. / 26},
		{"kinds in the top 1 of some five minutes", five.Top[1], .3},
		{"kinds in the top 3 of some five minutes", five.Top[3], .6},
		{"kinds in the top 5 of some five minutes", five.Top[5], .8},
		{"kinds at 20 false incidents an hour, both windows", both.At[20], .84},
		{"kinds at 60 false incidents an hour, both windows", both.At[60], .95},
		{"kinds at 60 false incidents an hour, muted, both windows", both.Muted[60], .95},
		{"kinds alerted", float64(both.Alerts.Kinds), 20},
		{"precision of alerts", both.Alerts.precision(), .7},
	} {
		if c.got < c.least {
			t.Errorf("%s: %.3f, at least %.3f wanted", c.what, c.got, c.least)
		}
	}
	if both.Alerts.Wrong > 15 {
		t.Errorf("%d alerts that are no attack", both.Alerts.Wrong)
	}
	for _, r := range results[1:] {
		theirs := r.Columns[0]
		if r.Mode == "asura" && (theirs.Top[5]*5 > minute.Top[5] || theirs.At[20]*15 > minute.At[20]) {
			t.Errorf("asura finds %.3f of kinds in the top 5 and %.3f at 20 an hour, the default %.3f and %.3f",
				theirs.Top[5], theirs.At[20], minute.Top[5], minute.At[20])
		}
	}
}

// The command itself, on a directory that has labels beside captures.
func TestDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a labelled capture")
	}
	own := ownSet("../../../testdata")
	dir := t.TempDir()
	for i, name := range append(own.captures[:2:2], own.labels) {
		link(t, name, filepath.Join(dir, []string{"a.pcap.zst", "b.pcap.zst", "labels.csv"}[i]))
	}
	rows, figures := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "figures.json")
	var out, errs bytes.Buffer
	if err := detect([]string{"-vectors", rows, "-json", figures, dir}, &out, &errs); err != nil {
		t.Fatal(err, errs.String())
	}
	if !strings.Contains(out.String(), "26 kinds of attack") {
		t.Errorf("printed\n%s", out.String())
	}
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(text, &results); err != nil || len(results) == 0 || results[0].Kinds != 26 || len(results[0].Columns) != 3 {
		t.Errorf("figures are %s (%v)", text, err)
	}
	text, err = os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 1000 || strings.Count(lines[0], ",") != 9+29-1 || !strings.Contains(string(text), ",syn_scan,") {
		t.Errorf("%d rows, the first %q", len(lines), lines[0])
	}
}

func link(t *testing.T, from, to string) {
	t.Helper()
	abs, err := filepath.Abs(from)
	if err == nil {
		err = os.Symlink(abs, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefuses(t *testing.T) {
	empty := t.TempDir()
	for _, args := range [][]string{{empty}, {filepath.Join(empty, "absent")}, {"-vectors", "x", "a", "b"}, {"-no-such-flag"}} {
		var out, errs bytes.Buffer
		if err := detect(args, &out, &errs); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
