package consumers

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/analysis/logs"
)

// runSQL runs statements and prints the first column of the last.
const runSQL = `
const { DuckDBInstance } = require(process.env.DUCKDB_NODE);
(async () => {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  let rows = [];
  for (const sql of process.argv.slice(1)) rows = (await connection.runAndReadAll(sql)).getRowsJson();
  for (const row of rows) console.log(row[0]);
})().catch((e) => { console.error(String(e)); process.exit(1); });
`

// duckDB runs a query and gives its rows, each an object of JSON as DuckDB writes it.
func duckDB(t *testing.T) func(query string, before ...string) []string {
	t.Helper()
	run := func(statements ...string) []string {
		return output(t, "duckdb", "-noheader", "-list", "-c", strings.Join(statements, "; "))
	}
	if _, err := exec.LookPath("duckdb"); err != nil || os.Getenv("DUCKDB_NODE") != "" {
		run = inNode(t, "DUCKDB_NODE", "@duckdb/node-api", runSQL)
	}
	return func(query string, before ...string) []string {
		t.Helper()
		return run(append(before, "SELECT CAST(to_json(r) AS VARCHAR) FROM ("+query+") r")...)
	}
}

// column is the type that DuckDB should see in a field, and a pattern where it is nested.
func column(t logs.Type) string {
	switch t {
	case logs.Time, logs.Interval, logs.Double:
		return "DOUBLE"
	case logs.Port, logs.Number:
		return "BIGINT"
	case logs.Bool:
		return "BOOLEAN"
	case logs.Strings:
		return `VARCHAR\[\]`
	case logs.Numbers:
		return `BIGINT\[\]`
	case logs.Records:
		return `STRUCT\(.*\)\[\]`
	case logs.Counts:
		return `STRUCT\(("?\w+"? BIGINT(, )?)+\)`
	case logs.Values:
		return `STRUCT\(("?\w+"? DOUBLE(, )?)+\)`
	default:
		return "VARCHAR"
	}
}

// DuckDB sees the types that we mean, and gives every line back as it was; so does a copy
// in Parquet.
func TestDuckDB(t *testing.T) {
	query := duckDB(t)
	for log, file := range logFiles(t) {
		lines := read(t, file)
		from := "FROM read_json_auto('" + file + "', sample_size = -1)"
		want := map[string]string{}
		for _, f := range logs.Fields(log) {
			want[f.Name] = column(f.Type)
		}
		for _, row := range query("DESCRIBE SELECT * " + from) {
			var c struct {
				Name string `json:"column_name"`
				Type string `json:"column_type"`
			}
			if err := json.Unmarshal([]byte(row), &c); err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile("^" + want[c.Name] + "$").MatchString(c.Type) {
				t.Errorf("%s of %s.log is %s, want %s", c.Name, log, c.Type, want[c.Name])
			}
		}
		parquet := strings.TrimSuffix(file, ".log") + ".parquet"
		for name, rows := range map[string][]string{
			"json":    query("SELECT * " + from),
			"parquet": query("SELECT * FROM '"+parquet+"'", "COPY (SELECT * "+from+") TO '"+parquet+"'"),
		} {
			sameLines(t, name, log, lines, rows)
		}
	}
}

// Times that are text are times to DuckDB.
func TestDuckDBISO8601(t *testing.T) {
	query := duckDB(t)
	file := filepath.Join(t.TempDir(), "conn.log")
	lines := logs.NewEncoder(logs.JSONDate).Encode("conn", []byte(logLines(t)["conn"]), true, time.Time{})
	write(t, file, string(lines))
	want := []string{`{"typeof(ts)":"TIMESTAMP"}`}
	if got := query("SELECT DISTINCT typeof(ts) FROM read_json_auto('" + file + "')"); !slices.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// The recipe counts what is in live and rotated files, once, whatever else is there, and
// fields that come up late are there for it.
func TestDuckDBRecipe(t *testing.T) {
	query := duckDB(t)
	recipe := regexp.MustCompile("(?s)```sql\n(.*?);\n").FindStringSubmatch(read(t, "README.md"))
	if recipe == nil {
		t.Fatal("the README has no recipe")
	}
	dir := t.TempDir()
	sql := strings.ReplaceAll(recipe[1], "/var/log/pcapdir/", dir+"/")
	lines := logLines(t)["conn"]
	const sampled = 20480 // lines, unless sample_size says otherwise
	live := strings.Repeat(lines, sampled/len(split(lines))+1)
	late := strings.Replace(workedConn, `"orig_ip_bytes":342`, `"orig_ip_bytes":9007199254740993`, 1) + "\n" // no double
	for name, text := range map[string]string{
		"conn.log": live + late, "conn.2026-11-21-06-00-00.log": lines, "conn.2026-11-21-05-00-00.log.gz": packed(t, lines),
		"conn.2026-11-21-04-00-00.log.gz.tmp": packed(t, lines)[:100], // packing was cut short
		"open_conn.log":                       lines,
	} {
		write(t, filepath.Join(dir, name), text)
	}
	type total struct {
		Host        string `json:"id.orig_h"`
		Connections int64  `json:"connections"`
		Bytes       int64  `json:"bytes"`
	}
	totals := map[string]total{}
	for _, line := range split(live + late + lines + lines) {
		var c struct {
			Host  string `json:"id.orig_h"`
			Bytes int64  `json:"orig_ip_bytes"`
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		old := totals[c.Host]
		totals[c.Host] = total{c.Host, old.Connections + 1, old.Bytes + c.Bytes}
	}
	want := slices.SortedFunc(maps.Values(totals), func(a, b total) int { return int(max(-1, min(1, b.Bytes-a.Bytes))) })
	rows := query(sql)
	if len(rows) != min(10, len(want)) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		var got total
		if err := json.Unmarshal([]byte(row), &got); err != nil {
			t.Fatal(err)
		}
		if got != totals[got.Host] || got.Bytes != want[i].Bytes { // hosts that are equal come in any order
			t.Errorf("%v, want %v", got, want[i])
		}
	}
	from := regexp.MustCompile(`FROM \S+\([^)]*\)`).FindString(sql)
	if got := fmt.Sprint(query("SELECT count(*) AS n " + from + " WHERE evicted AND vlan = 12")); got != `[{"n":1}]` {
		t.Errorf("a field that comes up late: %s", got)
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
