package logs

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Every time of every log becomes text, in its place, and all else stays as it is; read
// back, it is the number to the microsecond.
func TestISO8601(t *testing.T) {
	all := tables()
	for log, lines := range samples() {
		text := NewEncoder(JSONDate).Encode(log, lines, true, time.Time{})
		if bytes.Count(text, []byte("\n")) != bytes.Count(lines, []byte("\n")) {
			t.Errorf("%s: other lines than\n%s", log, lines)
		}
		for line := range bytes.Lines(text) {
			var was, is, back map[string]any
			before, rest, _ := bytes.Cut(lines, []byte("\n"))
			lines = rest
			for b, v := range map[*[]byte]*map[string]any{&before: &was, &line: &is} {
				if err := json.Unmarshal(*b, v); err != nil {
					t.Fatalf("%s: %v: %s", log, err, *b)
				}
			}
			if err := json.Unmarshal(NumberTimes(line), &back); err != nil {
				t.Fatalf("%s: %v", log, err)
			}
			for _, c := range all[log].columns {
				v, ok := was[c.name]
				if c.kind != Time || !ok || v == nil {
					continue
				}
				s, _ := is[c.name].(string)
				at, err := time.Parse(isoLayout, s)
				if diff := at.Sub(time.UnixMicro(int64(v.(float64)*1e6 + 0.5))).Abs(); err != nil || diff > time.Microsecond {
					t.Errorf("%s.%s: %v has become %q (%v)", log, c.name, v, s, err)
				}
				if n, _ := back[c.name].(float64); n-v.(float64) > 1e-6 || v.(float64)-n > 1e-6 {
					t.Errorf("%s.%s: %v came back as %v", log, c.name, v, n)
				}
				for _, m := range []map[string]any{was, is, back} {
					maps.DeleteFunc(m, func(k string, _ any) bool { return k == c.name })
				}
			}
			if !reflect.DeepEqual(was, is) || !reflect.DeepEqual(was, back) {
				t.Errorf("%s: more than times has changed:\n%s\n%s", log, before, line)
			}
		}
	}
}

func TestISO8601OfOddTimes(t *testing.T) {
	for ts, want := range map[float64]string{
		1795238702.187611: `"2026-11-21T05:25:02.187611Z"`,
		0:                 `"1970-01-01T00:00:00.000000Z"`,
		1e9 - 1e-7:        `"2001-09-09T01:46:40.000000Z"`,
		-1.5:              `"1969-12-31T23:59:58.500000Z"`,
		1e13:              `10000000000000.0`,
	} {
		r := emptyConn()
		r.TS = ts
		line := connStream.Append(nil, &r)
		got := NewEncoder(JSONDate).Encode("conn", line, false, time.Time{})
		if !strings.HasPrefix(string(got), `{"ts":`+want+`,"uid"`) {
			t.Errorf("%v: %s", ts, got)
		}
	}
	for _, line := range []string{"", "{", `{"ts":"`, `{"ts":"2026-11-21T05:25:02.187611Z`, `{"ts":"x"}`, `{"ts":"2026-13-21T05:25:02.187611Z"}`} {
		if got := NumberTimes([]byte(line)); string(got) != line {
			t.Errorf("%q has become %q", line, got)
		}
	}
	const file = `{"ts":"1970-01-01T00:00:01.000000Z","file":"1970-01-01T00:00:01.000000Z","last_ts":"1970-01-01T00:00:02.500000Z"}`
	if got := NumberTimes([]byte(file)); string(got) != `{"ts":1.0,"file":"1970-01-01T00:00:01.000000Z","last_ts":2.5}` {
		t.Errorf("%s", got)
	}
}

// Lines may be anybody's: what is JSON stays JSON.
func FuzzNumberTimes(f *testing.F) {
	for _, lines := range samples() {
		f.Add(NewEncoder(JSONDate).Encode("conn", lines, false, time.Time{}))
	}
	f.Add([]byte(`{"ts":"1970-01-01T00:00:01.000000Z","last":"\"","first":"2000-01-01T00:00:01.000000Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got := NumberTimes(line)
		if json.Valid(line) && !json.Valid(got) {
			t.Errorf("%q has become %q", line, got)
		}
	})
}
