package consumers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pcapdir/analysis/logs"
)

// zeekCut does what Zeek's zeek-cut does with a log: it takes separator and columns from the
// header, and never from what it knows. Options: -c and -C print the first header or all, -n
// takes all columns but those named, -u turns times into text.
func zeekCut(text string, args ...string) (string, error) {
	var c cutter
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		c.options += args[0][1:]
		args = args[1:]
	}
	c.columns, c.separator = args, "\t"
	for _, line := range split(text) {
		if err := c.line(line); err != nil {
			return "", err
		}
	}
	return c.out.String(), nil
}

type cutter struct {
	options     string
	columns     []string
	separator   string
	unset       string
	out         bytes.Buffer
	header      bool // the line before was one of a header
	headers     int
	fields      bool  // the line before was #fields
	indexes     []int // of the columns to print, -1 for one that there is not
	times       []bool
	types       int
	dataAllowed bool
}

func (c *cutter) has(option string) bool { return strings.Contains(c.options, option) }

func (c *cutter) line(line string) error {
	name, rest, _ := strings.Cut(line, c.separator)
	if c.fields && name != "#types" {
		return errors.New("bad log header (missing #types line)")
	}
	if !strings.HasPrefix(line, "#") {
		c.header = false
		return c.row(strings.Split(line, c.separator))
	}
	if !c.header {
		c.header = true
		c.headers++
	}
	if after, ok := strings.CutPrefix(line, `#separator \x`); ok {
		sep, err := strconv.ParseUint(after, 16, 8)
		if err != nil {
			return err
		}
		c.separator = string(rune(sep))
	}
	values := strings.Split(rest, c.separator)
	switch name {
	case "#unset_field":
		c.unset = rest
	case "#fields":
		c.fields, c.dataAllowed = true, false
		c.choose(values)
	case "#types":
		if !c.fields {
			return errors.New("bad log header (missing #fields line)")
		}
		c.fields, c.dataAllowed, c.types = false, true, len(values)
		c.times = make([]bool, len(values))
		for i, kind := range values {
			c.times[i] = kind == "time"
		}
	}
	if c.has("C") || c.has("c") && c.headers == 1 {
		if name == "#fields" || name == "#types" {
			for i, v := range values {
				if c.has("u") && name == "#types" && v == "time" {
					values[i] = "string"
				}
			}
			line = strings.Join(append([]string{name}, c.pick(values)...), c.separator)
		}
		c.out.WriteString(line + "\n")
	}
	return nil
}

func (c *cutter) choose(fields []string) {
	c.indexes = nil
	for i, f := range fields {
		if len(c.columns) == 0 || c.has("n") && !slices.Contains(c.columns, f) {
			c.indexes = append(c.indexes, i)
		}
	}
	if !c.has("n") {
		for _, f := range c.columns {
			c.indexes = append(c.indexes, slices.Index(fields, f))
		}
	}
}

func (c *cutter) pick(values []string) (picked []string) {
	for _, i := range c.indexes {
		if i < 0 {
			picked = append(picked, "")
		} else {
			picked = append(picked, values[i])
		}
	}
	return picked
}

// row is stricter than zeek-cut, which takes a row with too many values for whole.
func (c *cutter) row(values []string) error {
	if !c.dataAllowed || len(values) != c.types {
		return fmt.Errorf("a row of %d values where %d are", len(values), c.types)
	}
	for i := range values {
		if seconds, _, ok := strings.Cut(values[i], "."); ok && c.has("u") && c.times[i] && values[i] != c.unset {
			s, err := strconv.ParseInt(seconds, 10, 64)
			if err != nil {
				return err
			}
			values[i] = time.Unix(s, 0).UTC().Format("2006-01-02T15:04:05-0700")
		}
	}
	c.out.WriteString(strings.Join(c.pick(values), c.separator) + "\n")
	return nil
}

// cutters are the emulation, and zeek-cut itself where it is installed.
func cutters(t *testing.T) map[string]func(text string, args ...string) (string, error) {
	all := map[string]func(string, ...string) (string, error){"emulated": zeekCut}
	path, err := exec.LookPath("zeek-cut")
	if err != nil {
		t.Log("zeek-cut is not installed: it is emulated")
		return all
	}
	all["zeek-cut"] = func(text string, args ...string) (string, error) {
		c := exec.Command(path, args...)
		var said bytes.Buffer
		c.Stdin, c.Stderr = strings.NewReader(text), &said
		out, err := c.Output()
		if said.Len() > 0 {
			err = errors.Join(err, errors.New(said.String()))
		}
		return string(out), err
	}
	return all
}

// cell is what Zeek's writer makes of a JSON value.
func cell(field logs.Field, value any) string {
	switch value := value.(type) {
	case nil:
		return "-"
	case bool:
		return map[bool]string{true: "T", false: "F"}[value]
	case int64:
		return strconv.FormatInt(value, 10)
	case string:
		return value
	case float64:
		if field.Type == logs.Time || field.Type == logs.Interval {
			return strconv.FormatFloat(value, 'f', 6, 64)
		}
	case []any:
		if field.Type == logs.Strings || field.Type == logs.Numbers {
			var list []string
			for _, element := range value {
				list = append(list, fmt.Sprint(element))
			}
			return strings.Join(list, ",")
		}
	}
	return "" // as JSON has it: not compared
}

// Every column of every log comes out of our TSV as JSON has it.
func TestZeekCut(t *testing.T) {
	encoder, cutters := logs.NewEncoder(logs.TSV), cutters(t)
	for log, lines := range logLines(t) {
		if lines == "" {
			continue
		}
		table := string(encoder.Encode(log, []byte(lines), true, time.Unix(1795238616, 0)))
		fields := logs.Fields(log)
		for name, cut := range cutters {
			out, err := cut(table)
			if err != nil {
				t.Fatalf("%s of %s.log: %v", name, log, err)
			}
			rows := split(out)
			if len(rows) != len(split(lines)) {
				t.Fatalf("%s: %d rows of %s.log", name, len(rows), log)
			}
			for i, line := range split(lines) {
				value, err := object(line)
				if err != nil {
					t.Fatal(err)
				}
				cells := strings.Split(rows[i], "\t")
				if len(cells) != len(fields) {
					t.Fatalf("%s: %d cells in %s", name, len(cells), rows[i])
				}
				for k, f := range fields {
					want := cell(f, value[f.Name])
					if want == "" {
						text := strings.SplitN(line, `"`+f.Name+`":`, 2)[1]
						var raw json.RawMessage
						if err := json.NewDecoder(strings.NewReader(text)).Decode(&raw); err != nil {
							t.Fatal(err)
						}
						want = string(raw)
					}
					if cells[k] != want {
						t.Fatalf("%s: %s of %s.log is %s, want %s", name, f.Name, log, cells[k], want)
					}
				}
			}
		}
	}
}

// The options, over a file and the next, as rotation leaves them.
func TestZeekCutOptions(t *testing.T) {
	encoder, cutters := logs.NewEncoder(logs.TSV), cutters(t)
	first := `{"ts":1795238616.006069,"uid":"Ca","id.orig_h":"10.77.2.9","name":"one","count":13}` + "\n"
	second := `{"ts":1795238617.5,"name":"#two\tthree","count":1}` + "\n"
	table := encoder.Encode("weird", []byte(first), true, time.Unix(1795238616, 0))
	table = append(table, encoder.Encode("weird", []byte(second), true, time.Unix(1795238620, 0))...)
	const begin, end = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tweird\n#open\t", "\n#fields\tname\tts\n#types\tstring\t"
	for args, want := range map[string]string{
		"uid nosuch count":       "Ca\t\t13\n-\t\t1\n",
		"name id.orig_h":         "one\t10.77.2.9\n#two\\x09three\t-\n",
		"-n ts id.orig_h uid":    "-\t-\t-\tone\t13\n-\t-\t-\t#two\\x09three\t1\n",
		"-u ts id.resp_h uid ts": "2026-11-21T05:23:36+0000\t-\tCa\t2026-11-21T05:23:36+0000\n2026-11-21T05:23:37+0000\t-\t-\t2026-11-21T05:23:37+0000\n",
		"-c name ts":             begin + "2026-11-21-05-23-36" + end + "time\none\t1795238616.006069\n#two\\x09three\t1795238617.500000\n",
		"-C -u name ts": begin + "2026-11-21-05-23-36" + end + "string\none\t2026-11-21T05:23:36+0000\n" +
			begin + "2026-11-21-05-23-40" + end + "string\n#two\\x09three\t2026-11-21T05:23:37+0000\n",
	} {
		for name, cut := range cutters {
			if got, err := cut(string(table), strings.Fields(args)...); err != nil || got != want {
				t.Errorf("%s %s: %v\n%s\nwant\n%s", name, args, err, got, want)
			}
		}
	}
	headless := regexp.MustCompile("(?m)^#types.*\n").ReplaceAllString(string(table), "")
	for name, cut := range cutters {
		if got, err := cut(headless, "uid"); err == nil {
			t.Errorf("%s does not miss #types: %s", name, got)
		}
	}
}
