package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBadLines(t *testing.T) {
	good := fmt.Sprintf(connText, 1000, "C1", "", 1)
	with := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, c := range map[string]struct {
		text   string
		good   int
		bad    int
		first  int
		reason string
	}{
		"good":                      {good + "\n" + good + "\n", 2, 0, 0, ""},
		"empty lines":               {"\n\n" + good + "\n\n", 1, 0, 0, ""},
		"no newline at the end":     {good + "\n" + good, 2, 0, 0, ""},
		"cut line at the end":       {good + "\n" + good[:40], 1, 1, 2, "unexpected end"},
		"no JSON":                   {"hello\n" + good + "\nhello\n", 1, 2, 1, "invalid character"},
		"zeros":                     {good + "\n" + strings.Repeat("\x00", 100), 1, 1, 2, "invalid character"},
		"another type":              {with(`"uid":"C1"`, `"uid":[1]`), 0, 1, 1, "cannot unmarshal"},
		"another value":             {"[]\n3\nnull", 0, 3, 1, "cannot unmarshal"},
		"no uid":                    {with(`"uid":"C1"`, `"u":1`), 0, 1, 1, "no uid"},
		"a number beyond doubles":   {with("1000", "1e999"), 0, 1, 1, "cannot unmarshal"},
		"a time beyond all":         {with("1000", "1e300"), 0, 1, 1, badTime},
		"a time before 1970":        {with("1000", "-1"), 0, 1, 1, badTime},
		"a duration without end":    {with(`"duration":1`, `"duration":1e12`), 0, 1, 1, badTime},
		"more bytes than there are": {with(`"orig_ip_bytes":100`, `"orig_ip_bytes":1e200`), 0, 1, 1, badNumber},
		"fewer packets than none":   {with(`"orig_pkts":3`, `"orig_pkts":-3`), 0, 1, 1, badNumber},
		"the longest line":          {good + strings.Repeat(" ", maxLine-len(good)) + "\n" + good, 2, 0, 0, ""},
		"a longer line":             {good + strings.Repeat(" ", maxLine-len(good)+1) + "\n" + good, 1, 1, 1, "longer than 4 MiB"},
		"a line without end":        {good + "\n" + strings.Repeat("x", 3*maxLine), 1, 1, 2, "longer than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			var bad Bad
			n := 0
			err := eachLine(strings.NewReader(c.text), decoder(&bad, func(*connLine) { n++ }))
			if err != nil || n != c.good || bad.Lines != c.bad || bad.First != c.first || !strings.Contains(bad.Reason, c.reason) {
				t.Errorf("%d good lines, %+v, %v", n, bad, err)
			}
		})
	}
}

// Any bytes are lines, the same however they come, and what is kept of them is
// bounded and can be put into a page.
func FuzzLines(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(connText, 1000.5, "C1", "http", 30.0)))
	f.Add([]byte(fmt.Sprintf(spoolText, "a", "b", 1, 2, "failed", "cut")))
	f.Add([]byte(fmt.Sprintf(kmeansText, 60.0, true)))
	f.Add([]byte(fmt.Sprintf(vectorText, 60.0, true)))
	f.Add([]byte(fmt.Sprintf(anomalyText, 60.0, "anomalous", 1.0) + "\n" + ended(60) + "\n\n{"))
	f.Add([]byte("#separator \\x09\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var lines []string
		keep := func(_ int, line []byte, _ bool) error { lines = append(lines, string(line)); return nil }
		if err := eachLine(strings.NewReader(string(text)), keep); err != nil {
			t.Fatal(err)
		}
		whole := lines
		lines = nil
		if err := eachLine(iotest.OneByteReader(strings.NewReader(string(text))), keep); err != nil || !slices.Equal(lines, whole) {
			t.Fatalf("byte by byte: %q, at once: %q, %v", lines, whole, err)
		}
		var bad Bad
		var kept incidents
		windows, traffic := newWindows(nil), newTraffic()
		for _, each := range []func(int, []byte, bool) error{
			decoder(&bad, kept.add), decoder(&bad, windows.addReport), decoder(&bad, windows.addVector), decoder(&bad, traffic.add),
			decoder(&bad, func(*spoolLine) {}),
		} {
			if err := eachLine(strings.NewReader(string(text)), each); err != nil && err != errTSV {
				t.Fatal(err)
			}
		}
		reports, names := windows.kept()
		shown, _ := kept.kept()
		r := Report{Incidents: shown, Windows: reports, Names: names, Traffic: traffic.picture()}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if p := r.Traffic; p != nil && len(p.Series[0].Bytes) > 2*trafficColumns {
			t.Fatalf("%d stretches", len(p.Series[0].Bytes))
		}
	})
}
