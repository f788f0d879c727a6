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

// The whole command, small: a part that is no longer called as it was would have no share.
func TestEveryPartIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the job under a profile, and a daemon")
	}
	var out bytes.Buffer
	if err := run([]string{"-packets", "20000", "-rounds", "1", "-times", "1"}, &out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, part := range parts {
		if !strings.Contains(out.String(), "| "+part.what+" | ") || strings.Contains(out.String(), "| "+part.what+" | 0 |") {
			t.Errorf("%q has no share", part.what)
		}
	}
	if !strings.Contains(out.String(), "| pcapdird run, with its commits | ") {
		t.Error("nothing of the daemon")
	}
}
