package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	tableBegin = "<!-- columns: written by go test -update -->\n"
	tableEnd   = "<!-- end of columns -->\n"
)

// pageTable is what the page of s must hold: its sentence and its columns.
func pageTable[T any](s Stream[T]) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n\n| field | type | meaning |\n|---|---|---|\n", tableBegin, s.Doc)
	for _, c := range s.Columns {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Name, c.Type, c.Doc)
	}
	return b.String() + tableEnd
}

// People read the pages and parsers follow the tables: they must not drift apart.
func TestPagesHoldTheTables(t *testing.T) {
	pages := map[string]string{
		"conn": pageTable(ConnStream()), "open_conn": pageTable(OpenConnStream()), "anomaly": pageTable(AnomalyStream()), "kmeans": pageTable(KMeansStream()),
		"vectors": pageTable(VectorStream()),
		"spool":   pageTable(SpoolStream()), "weird": pageTable(WeirdStream()), "coverage": pageTable(CoverageStream()), "stats": pageTable(StatsStream()),
	}
	for name, table := range pages {
		path := filepath.Join("doc", name+".md")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, found := strings.Cut(string(text), tableBegin)
		_, tail, closed := strings.Cut(rest, tableEnd)
		if !found || !closed || !strings.HasPrefix(head, "# "+name+".log\n") {
			t.Errorf("%s: lacks its title or the lines around its table", path)
			continue
		}
		want := head + table + tail
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if string(text) != want {
			t.Errorf("%s differs from the table of its stream; run the test with -update and read what it wrote", path)
		}
	}
	entries, err := os.ReadDir("doc")
	if err != nil || len(entries) != len(pages) {
		t.Errorf("doc holds %d pages for %d streams, %v", len(entries), len(pages), err)
	}
}

// What makes a table usable by every reader: names once, types and words present,
// nothing that breaks a table in Markdown.
func TestColumns(t *testing.T) {
	check := func(stream, name string, typ Type, doc string, seen map[string]bool) {
		if name == "" || typ == "" || doc == "" || seen[name] || strings.ContainsAny(name+doc, "|\n\"") {
			t.Errorf("%s: column %q, type %q, %q", stream, name, typ, doc)
		}
		seen[name] = true
	}
	walk(ConnStream(), check)
	walk(AnomalyStream(), check)
	walk(KMeansStream(), check)
	walk(VectorStream(), check)
	walk(SpoolStream(), check)
	walk(WeirdStream(), check)
	walk(CoverageStream(), check)
	walk(StatsStream(), check)
}

func walk[T any](s Stream[T], check func(stream, name string, typ Type, doc string, seen map[string]bool)) {
	seen := map[string]bool{}
	for _, c := range s.Columns {
		check(s.Name, c.Name, c.Type, c.Doc, seen)
	}
}

// Parsers that go by position take Zeek's 22 fields in Zeek's order and ours after them.
func TestConnStartsAsZeek(t *testing.T) {
	zeek := strings.Fields(`ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes
		conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes
		tunnel_parents ip_proto community_id vlan inner_vlan orig_l2_addr resp_l2_addr late_pkts evicted catchup`)
	var got []string
	for _, c := range ConnStream().Columns {
		got = append(got, c.Name)
	}
	if strings.Join(got, " ") != strings.Join(zeek, " ") {
		t.Errorf("columns %v, want %v", got, zeek)
	}
}
