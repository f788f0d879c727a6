package report

import (
	"fmt"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	open := strings.TrimSuffix(fmt.Sprintf(connText, 5000, "C3", "ssl", 100.0), "}")
	dir := logDir(t, map[string][]string{
		"conn":      {"{}", fmt.Sprintf(connText, 1000, "C1", "http", 30.0), fmt.Sprintf(connText, 2000, "C2", "", 0)},
		"open_conn": {open + `,"as_of":5200}`, open + `,"as_of":5900}`},
		"spool": {
			fmt.Sprintf(spoolText, "/b/late", "b", 1025, 1100, "done", ""),
			fmt.Sprintf(spoolText, "/a/early", "a", 900, 1000, "failed", "cut short"),
			fmt.Sprintf(spoolText, "before", "a", 900, 999.9, "done", ""),
			fmt.Sprintf(spoolText, "/a/after", "a", 1030.1, 2000, "done", ""),
			fmt.Sprintf(spoolText, "open", "", 5800, 5950, "done", ""),
			`{"file":"empty","outcome":"done"}`,
		},
	})
	for _, c := range []struct {
		uid   string
		files string
		open  bool
	}{
		{"C1", "/a/early /b/late", false},
		{"C2", "/a/after", false},
		{"C3", "open", true},
	} {
		f, err := Find(t.Context(), dir, c.uid)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, h := range f.Files {
			names = append(names, h.File)
		}
		if f.Conn.UID != c.uid || strings.Join(names, " ") != c.files || f.Conn.AsOf > 0 != c.open || f.Conn.RespPkts != 4 || !f.Spool {
			t.Errorf("%s: %+v", c.uid, f)
		}
	}
	for _, uid := range []string{"C4", "C", "10.0.0.1", "\x1b[2J"} {
		if _, err := Find(t.Context(), dir, uid); err == nil || !strings.Contains(err.Error(), "no connection") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %v", uid, err)
		}
	}
}
