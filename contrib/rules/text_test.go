package rules

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The patterns are put together from pieces, so that this file does not
// match itself.
var unwanted = []struct {
	what *regexp.Regexp
	why  string
}{
	{
		regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`),
		"a note to oneself is read by everybody and done by nobody; do it, or put it where work is planned",
	},
	{
		regexp.MustCompile(`(^|[\s"'=(:` + "`" + `])(/ho` + `me/|/Us` + `ers/|/ro` + `ot/|/wo` + `rk/|[A-Z]:\\Us` + `ers\\)`),
		"a path of one developer's machine works on no other",
	},
	{
		regexp.MustCompile(`(?i)\b(proxy\.golang\.org|goproxy\.|artif` + `actory|nexus\.|registry\.[a-z]|mirror[s]?\.)`),
		"where modules are fetched from is a setting of the machine, not of the project",
	},
}

// isText is by ending: a capture may well look like text.
func isText(p string) bool {
	switch path.Ext(p) {
	case ".go", ".md", ".toml", ".txt", ".sh", ".yml", ".yaml", ".mod", ".sum", ".service", ".socket", ".conf", ".json", ".golden", ".js", ".css", ".html":
		return true
	}
	return path.Dir(p) == ".ci" || !strings.Contains(path.Base(p), ".") && !inTestdata(p)
}

// content is what stands in a tracked file; false: it was removed, and git does not know yet.
func content(t *testing.T, p string) (text []byte, ok bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, p))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return text, err == nil
}

func TestText(t *testing.T) {
	files := tracked(t)
	if len(files) < 10 {
		t.Fatalf("found %d tracked files", len(files))
	}
	for _, p := range files {
		if !isText(p) {
			continue
		}
		text, ok := content(t, p)
		if !ok {
			continue
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			for _, u := range unwanted {
				if found := u.what.Find(line); found != nil {
					t.Errorf("%s:%d: %q: %s", p, i+1, bytes.TrimSpace(found), u.why)
				}
			}
		}
	}
}

// Pages show texts of captures: a script makes no markup and runs no text. It asks its own
// server alone, in the one place that does.
func TestScripts(t *testing.T) {
	forbidden := []string{"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "import", "XMLHttpRequest", "WebSocket", "EventSource", "src=", "href="}
	fetches, scripts := 0, 0
	for _, p := range tracked(t) {
		if path.Ext(p) != ".js" {
			continue
		}
		text, ok := content(t, p)
		if !ok {
			continue
		}
		scripts++
		for _, f := range forbidden {
			if bytes.Contains(text, []byte(f)) {
				t.Errorf("%s has %q: it could make markup or code of a text, or load something", p, f)
			}
		}
		fetches += bytes.Count(text, []byte("fetch("))
	}
	if fetches > 1 || scripts < 5 {
		t.Errorf("%d fetches in %d scripts: one place asks the server", fetches, scripts)
	}
}
