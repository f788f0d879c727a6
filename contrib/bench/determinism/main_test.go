package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestShareIn(t *testing.T) {
	for report, want := range map[string]string{
		"Type: cpu\nShowing nodes accounting for 80ms, 4.88% of 1640ms total\n": "4.88",
		"Showing nodes accounting for 0, 0% of 10.21s total\n":                  "0",
		"no samples": "0",
	} {
		if got := shareIn([]byte(report)); got != want {
			t.Errorf("%q: %s, want %s", report, got, want)
		}
	}
}

// The whole command, small.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the job under a profile, and a daemon")
	}
	var out bytes.Buffer
	if err := run([]string{"-packets", "20000", "-rounds", "1", "-times", "1"}, &out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, want := range []string{"| lines of all shards merged | ", "| pcapdird run, with its commits | "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(out.String(), "| all of these | 0 |") {
		t.Error("all parts together have no share: are they called otherwise by now?")
	}
}
