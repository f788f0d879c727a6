package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// names are the keys and logs that a text mentions.
var names = regexp.MustCompile(`\b[a-z_]+\.[a-z_]+\b`)

// TestOptionsPage holds the page of options to the fields.
func TestOptionsPage(t *testing.T) {
	const path = "../../contrib/doc/options.md"
	page := "# Options\n\n" +
		"Every key of the file that `--config` names, and of `--set section.key=value`, with its default, and whether a running daemon takes on a\n" +
		"change at `pcapdird reload` (or SIGHUP), or from its next start on, which loses nothing. `pcapdird check --dump` prints them as such a\n" +
		"file, `pcapdird check --config FILE` says what is wrong with one. Durations have a unit: `\"100ms\"`, `\"5s\"`, `\"1m30s\"`, `\"24h\"`; there are no days.\n" +
		"This page is made of the table in the code: `go test ./daemon/config -run OptionsPage -update`.\n"
	section := ""
	for _, f := range fields {
		if f.section() != section {
			section = f.section()
			page += "\n## " + section + "\n\n| key | default | change holds | meaning |\n|---|---|---|---|\n"
		}
		holds := "from the next start"
		if slices.Contains(live, f.key) {
			holds = "at a reload"
		}
		if f.doc == "" {
			t.Errorf("%s is not documented", f.key)
		}
		page += fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", f.key, f.in(Default()).append(nil), holds, names.ReplaceAllString(strings.ReplaceAll(f.doc, "|", `\|`), "`$0`"))
	}
	golden(t, path, page)
}
