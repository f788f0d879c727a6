package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// samples are lines of every stream, as full and as empty as they get.
func samples() map[string][]byte {
	conn, none := fullConn(), emptyConn()
	anomaly, kmeans, spool, weird, stats, coverage := fullAnomaly(), fullKMeans(), fullSpool(), fullWeird(), fullStats(), fullCoverage()
	return map[string][]byte{
		"conn":     ConnStream().Append(ConnStream().Append(nil, &conn), &none),
		"anomaly":  AnomalyStream().Append(AnomalyStream().Append(nil, &anomaly), &Anomaly{}),
		"kmeans":   KMeansStream().Append(KMeansStream().Append(nil, &kmeans), &KMeans{}),
		"spool":    SpoolStream().Append(SpoolStream().Append(nil, &spool), &Spool{}),
		"weird":    WeirdStream().Append(WeirdStream().Append(nil, &weird), &Weird{}),
		"stats":    StatsStream().Append(StatsStream().Append(nil, &stats), &Stats{}),
		"coverage": CoverageStream().Append(CoverageStream().Append(nil, &coverage), &Coverage{}),
	}
}

// zeekTSV reads a file as zeek-cut does: fields by the names in its header.
func zeekTSV(t *testing.T, text []byte) (rows []map[string]string, types map[string]string) {
	t.Helper()
	var fields []string
	types = map[string]string{}
	for l := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(l, "\n"), "\t")
		switch {
		case cells[0] == "#fields":
			fields = cells[1:]
		case cells[0] == "#types":
			for i, typ := range cells[1:] {
				types[fields[i]] = typ
			}
		case strings.HasPrefix(l, "#"):
		default:
			if len(cells) != len(fields) {
				t.Fatalf("%d cells for %d fields: %q", len(cells), len(fields), l)
			}
			row := map[string]string{}
			for i, c := range cells {
				row[fields[i]] = c
			}
			rows = append(rows, row)
		}
	}
	return rows, types
}

// wantCell is the cell of a JSON value, by another hand.
func wantCell(t *testing.T, raw json.RawMessage, typ string) string {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	escape := func(s, separators string) string {
		switch s {
		case "":
			return "(empty)"
		case "-", "(empty)":
			return fmt.Sprintf(`\x%02x`, s[0]) + s[1:]
		}
		var b strings.Builder
		for i := range len(s) {
			if s[i] < ' ' || strings.IndexByte(separators, s[i]) >= 0 {
				fmt.Fprintf(&b, `\x%02x`, s[i])
			} else {
				b.WriteByte(s[i])
			}
		}
		return b.String()
	}
	switch v := v.(type) {
	case nil:
		return "-"
	case bool:
		return map[bool]string{true: "T", false: "F"}[v]
	case string:
		return escape(v, "")
	case json.Number:
		if typ == "time" || typ == "interval" {
			f, _ := v.Float64()
			return strconv.FormatFloat(f, 'f', 6, 64)
		}
		return v.String()
	case []any:
		if typ == "string" {
			return string(raw)
		}
		var parts []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				parts = append(parts, escape(s, ","))
			} else {
				parts = append(parts, fmt.Sprint(e))
			}
		}
		return strings.Join(parts, ",")
	default:
		return string(raw)
	}
}

// What the rows say is what the lines of JSON say, field by field, for every log.
func TestTSVSaysWhatJSONSays(t *testing.T) {
	opened := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for log, lines := range samples() {
		text := NewEncoder(TSV).Encode(log, lines, true, opened)
		head := "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" + log + "\n#open\t2026-01-02-03-04-05\n#fields\tts\t"
		if !bytes.HasPrefix(text, []byte(head)) {
			t.Errorf("%s begins with\n%s", log, text[:min(len(text), 300)])
		}
		rows, types := zeekTSV(t, text)
		n := 0
		for l := range bytes.Lines(lines) {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(l, &fields); err != nil {
				t.Fatal(err)
			}
			for name, typ := range types {
				want := "-"
				if raw, ok := fields[name]; ok {
					want = wantCell(t, raw, typ)
				}
				if got := rows[n][name]; got != want {
					t.Errorf("%s.%s is %q, want %q", log, name, got, want)
				}
				delete(fields, name)
			}
			if len(fields) > 0 {
				t.Errorf("%s: not in the header: %v", log, fields)
			}
			n++
		}
		if n != len(rows) {
			t.Errorf("%s: %d rows for %d lines", log, len(rows), n)
		}
		if again := NewEncoder(TSV).Encode(log, lines, false, opened); !bytes.HasSuffix(text, again) || bytes.HasPrefix(again, []byte("#")) {
			t.Errorf("%s: in the middle of a file:\n%s", log, again)
		}
		if plain := NewEncoder(JSON).Encode(log, lines, true, opened); !bytes.Equal(plain, lines) {
			t.Errorf("%s: JSON is changed", log)
		}
	}
}

// Whatever is in a text: as many cells as fields, on one line, none of which looks
// like a line of the header, and the same text as JSON has.
func FuzzTSV(f *testing.F) {
	for _, s := range []string{"", "-", "(empty)", "#path", "a\tb\nc", "\xff\\\"", "a,b", "ü"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		lines := SpoolStream().Append(nil, &Spool{File: a, Reason: b, LinkTypes: []string{b, a}})
		text := NewEncoder(TSV).Encode("spool", lines, true, time.Time{})
		rows, types := zeekTSV(t, text)
		if len(rows) != 1 {
			t.Fatalf("%d rows: %q", len(rows), text)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(lines, &fields); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"file", "reason", "link_types"} {
			want := "-"
			if raw, ok := fields[name]; ok {
				want = wantCell(t, raw, types[name])
			}
			if got := rows[0][name]; got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

// A row that begins like the header has its first byte escaped.
func TestTSVRowThatBeginsLikeTheHeader(t *testing.T) {
	s := newStream("x", "", []Column[string]{{Name: "a", Type: String, Append: func(b []byte, r *string) []byte { return appendText(b, *r) }}})
	v := "#close"
	if got := s.Table().AppendRows(nil, s.Append(nil, &v)); string(got) != "\\x23close\n" {
		t.Errorf("%q", got)
	}
}
