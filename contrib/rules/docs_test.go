package rules

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pcapdir/daemon/config"
)

// document is a page of Markdown.
type document struct {
	path   string
	prose  string   // without what is fenced; lines keep their numbers
	fenced []string // the language and then the text of each
}

// documents are those that say how things are, which the changelog does not: it says
// how they were.
func documents(t *testing.T) []document {
	t.Helper()
	var all []document
	for _, p := range tracked(t) {
		if path.Ext(p) != ".md" || p == "CHANGELOG.md" {
			continue
		}
		text, ok := content(t, p)
		if !ok {
			continue
		}
		d := document{path: p}
		for i, part := range strings.Split("\n"+string(text), "\n```") {
			if i%2 == 0 {
				d.prose += part
			} else {
				d.fenced = append(d.fenced, part)
				d.prose += strings.Repeat("\n", strings.Count(part, "\n")+2)
			}
		}
		d.prose = strings.TrimPrefix(d.prose, "\n")
		all = append(all, d)
	}
	if len(all) < 10 {
		t.Fatalf("found %d documents", len(all))
	}
	return all
}

// at is the place of an offset into the prose, as editors jump to it.
func (d *document) at(offset int) string {
	return fmt.Sprintf("%s:%d", d.path, 1+strings.Count(d.prose[:offset], "\n"))
}

var (
	span    = regexp.MustCompile("`[^`\n]+`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// slugs are the places in d that links name after a #, as forges make them.
func (d *document) slugs() []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(d.prose, -1) {
		all = append(all, strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return all
}

// A link leads to a file of the repository and, where it names one, to a heading in it.
func TestLinks(t *testing.T) {
	all := documents(t)
	files := tracked(t)
	for _, d := range all {
		for _, m := range link.FindAllStringSubmatchIndex(d.prose, -1) {
			to := d.prose[m[2]:m[3]]
			if strings.Contains(to, "://") {
				continue
			}
			file, place, _ := strings.Cut(to, "#")
			target := path.Join(path.Dir(d.path), file)
			if file == "" {
				target = d.path
			}
			if !slices.ContainsFunc(files, func(p string) bool { return p == target || strings.HasPrefix(p, target+"/") }) {
				t.Errorf("%s: %s is not in the repository", d.at(m[0]), to)
				continue
			}
			if i := slices.IndexFunc(all, func(d document) bool { return d.path == target }); place != "" && (i < 0 || !slices.Contains(all[i].slugs(), place)) {
				t.Errorf("%s: %s has no heading %s", d.at(m[0]), target, place)
			}
		}
	}
}

var (
	setting = regexp.MustCompile("^`([a-z_]+\\.[a-z_]+ = .*)`$")
	dotted  = regexp.MustCompile(`(^|[^\w./-])([a-z_]+)\.([a-z_]+)\b`)
)

// ofOption says what is wrong with a span of code as far as options are named in it. A
// word with a dot is one where it begins as a section does and does not end as a file
// does: conn.log is none, id.orig_h neither.
func ofOption(span string, keys, sections []string) error {
	if m := setting.FindStringSubmatch(span); m != nil {
		_, err := config.Parse("setting", []byte(m[1]))
		return err
	}
	for _, m := range dotted.FindAllStringSubmatch(span, -1) {
		if key := m[2] + "." + m[3]; slices.Contains(sections, m[2]) && path.Ext(key) != ".log" && !slices.Contains(keys, key) {
			return fmt.Errorf("%s is no option", key)
		}
	}
	return nil
}

// optionNames are the keys there are, and their sections.
func optionNames() (keys, sections []string) {
	for _, k := range config.Keys() {
		section, _, _ := strings.Cut(k.Name, ".")
		keys, sections = append(keys, k.Name), append(sections, section)
	}
	return keys, sections
}

// An option that a document names is one, and a value that it gives is good.
func TestOptionsInDocuments(t *testing.T) {
	keys, sections := optionNames()
	spans := 0
	for _, d := range documents(t) {
		for _, at := range span.FindAllStringIndex(d.prose, -1) {
			if err := ofOption(d.prose[at[0]:at[1]], keys, sections); err != nil {
				t.Errorf("%s: %v", d.at(at[0]), err)
			}
			spans++
		}
		for _, text := range d.fenced {
			if toml, ok := strings.CutPrefix(text, "toml\n"); ok {
				if _, err := config.Parse(d.path, []byte(toml)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if spans < 100 {
		t.Errorf("found %d spans of code", spans)
	}
}

// The rule itself: one that took everything would pass for ever.
func TestOptionRule(t *testing.T) {
	keys, sections := optionNames()
	for text, good := range map[string]bool{
		"`order.window`": true, "`order.windw`": false, "`conn.log`": true, "`id.orig_h`": true, "`conn.login`": false,
		"`logs.ts = \"iso8601\"`": true, "`logs.ts = \"iso\"`": false, "`merge.window = 3`": false, "`vectors.windows = []`": true,
		"`pcapdird run --set order.windw=1s`": false, "`systemd/conn.conf`": true, "`testdata/vectors.txt`": true,
	} {
		if err := ofOption(text, keys, sections); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
