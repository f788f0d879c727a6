package page

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// between is what stands in text after the last of from and before to.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	part, _, closed := strings.Cut(rest, to)
	if !found || !closed {
		t.Fatalf("no %q before %q", from, to)
	}
	return part
}

// A page runs what its policy names and nothing else, and loads nothing.
func TestPageIsAlone(t *testing.T) {
	for _, live := range []bool{false, true} {
		p := Page{Title: "a page", Scripts: []string{"own();\n", "more();\n"}, Data: "</script><!--\u2028{data}{script}", Live: live}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		html := b.String()
		script, style := between(t, html, "</script>\n<script>", "</script>"), between(t, html, "<style>", "</style>")
		if want := p.policy(style, script); len(script) < 1000 || !strings.Contains(html, `content="`+want+`"`) {
			t.Errorf("the policy is not that of the page: %s", want)
		}
		if !strings.HasSuffix(script, "own();\nmore();\n") || !strings.Contains(html, "<title>a page</title>") {
			t.Error("what the page has of its own is not in it")
		}
		if n := strings.Count(html, "</script>"); n != 2 || strings.Contains(html, "<!--") || strings.Contains(html, "\u2028") {
			t.Errorf("%d scripts end; or the data are markup", n)
		}
		if got := strings.Contains(html, "connect-src 'self'"); got != live {
			t.Errorf("live %t, and it may ask its server: %t", live, got)
		}
		for _, forbidden := range []string{"src=", "href=", "@import", "url("} {
			if strings.Contains(script+style, forbidden) {
				t.Errorf("the page has %q", forbidden)
			}
		}
		if links := regexp.MustCompile(`https?://[^"]*`).FindAllString(html, -1); len(links) != 1 || links[0] != "http://www.w3.org/2000/svg" {
			t.Errorf("the page names %q", links)
		}
	}
	entries, err := parts.ReadDir("parts")
	if err != nil || len(entries) != len(scripts)+2 {
		t.Errorf("%d files in parts, pages are made of %d; %v", len(entries), len(scripts)+2, err)
	}
}
