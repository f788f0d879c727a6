package spool

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func remember(t *testing.T, dir string, now time.Time, most int) *history {
	t.Helper()
	h := newHistory(OS{}, dir, func() time.Time { return now })
	h.max = most
	if err := h.open(); err != nil {
		t.Fatal(err)
	}
	return h
}

func mustAdd(t *testing.T, h *history, records ...record) {
	t.Helper()
	if err := h.add(records); err != nil {
		t.Fatal(err)
	}
}

// wantRecords compares the paths of originals 1 to n; "" is none.
func wantRecords(t *testing.T, h *history, want ...string) {
	t.Helper()
	for i, path := range want {
		r, err := h.original(uint64(i + 1))
		if err != nil || (r == nil) != (path == "") || r != nil && string(r.Path) != path {
			t.Errorf("record %d: %+v, %v, want %q", i+1, r, err, path)
		}
	}
}

func TestHistorySurvives(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(1e9, 0)
	path := filepath.Join(dir, historyName)
	h := remember(t, dir, now, 100)
	wantRecords(t, h, "")
	mustAdd(t, h, record{Path: "/a", ContentID: 1}, record{Path: "/\xff%\n", ContentID: 2, Place: 7, Reason: "why"})
	mustAdd(t, h, record{Path: "/b", ContentID: 1})
	wantRecords(t, h, "/b", "/\xff%\n")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A crash in the middle of a line, and a line that a disk spoiled.
	torn := append(append([]byte("spoiled\n"), before...), before[:20]...)
	if err := os.WriteFile(path, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	h = remember(t, dir, now, 100)
	wantRecords(t, h, "/b", "/\xff%\n", "")
	if r, err := h.stays(7); err != nil || r == nil || r.Reason != "why" {
		t.Errorf("stays: %+v, %v", r, err)
	}
	mustAdd(t, h, record{Path: "/c", ContentID: 3}, record{Place: 7})
	h = remember(t, dir, now, 100)
	wantRecords(t, h, "/b", "/\xff%\n", "/c")
	if r, err := h.stays(7); err != nil || r != nil {
		t.Errorf("a file that was moved away stays: %+v, %v", r, err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(1e9, 0)
	h := remember(t, dir, now, 8)
	for i := range 50 {
		mustAdd(t, h, record{Path: rawName(fmt.Sprint("/", i+1)), ContentID: uint64(i + 1)})
		if h.records > 10 || len(h.originals) > 10 {
			t.Fatalf("%d records, %d in memory", h.records, len(h.originals))
		}
	}
	text, err := os.ReadFile(h.path)
	if err != nil || bytes.Count(text, []byte("\n")) != h.records {
		t.Errorf("%d lines for %d records, %v", bytes.Count(text, []byte("\n")), h.records, err)
	}
	for i := 43; i <= 50; i++ {
		if r, err := h.original(uint64(i)); err != nil || r == nil || string(r.Path) != fmt.Sprint("/", i) {
			t.Errorf("the recent record %d: %+v, %v", i, r, err)
		}
	}
	// Old ones go at the next start, but for files that stay where they are.
	mustAdd(t, h, record{Path: "/stays", Place: 9, ContentID: 99})
	h = remember(t, dir, now.Add(historyAge+time.Hour), 8)
	if r, _ := h.original(50); r != nil {
		t.Errorf("remembered beyond its age: %+v", r)
	}
	if r, _ := h.stays(9); r == nil || h.records != 1 {
		t.Errorf("%d records left, the file that stays: %+v", h.records, r)
	}
}
