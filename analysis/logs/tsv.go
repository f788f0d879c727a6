package logs

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Table is a stream as Zeek's ASCII writer has it: a tab between values, and a
// header of lines that begin with #, which zeek-cut and others read.
//
// It works on the lines that Stream.Append makes, so that what a field says is
// said in one place. Lists of records, and numbers by name, which Zeek's format
// does not have, are strings of JSON.
type Table struct {
	name    string
	columns []tableColumn
	times   int // how many columns there are up to the last that is a time
}

type tableColumn struct {
	name string
	key  []byte // what stands before the value in a JSON line: "name":
	kind Type
}

// Table is the stream as a table.
func (s Stream[T]) Table() Table {
	t := Table{name: s.Name}
	for _, c := range s.Columns {
		t.columns = append(t.columns, tableColumn{c.Name, []byte(c.key[1:]), c.Type})
		if c.Type == Time {
			t.times = len(t.columns)
		}
	}
	return t
}

// tables are all logs, made when one is needed.
var tables = sync.OnceValue(func() map[string]Table {
	all := map[string]Table{}
	for _, t := range []Table{
		connStream.Table(), openConnStream.Table(), anomalyStream.Table(), kmeansStream.Table(), vectorStream.Table(), weirdStream.Table(), spoolStream.Table(), statsStream.Table(), coverageStream.Table(),
	} {
		all[t.name] = t
	}
	return all
})

// Field is a field of a log, for those who describe logs to others.
type Field struct {
	Name string
	Type Type
}

// Fields are those of a log, in order; none of one that there is not.
func Fields(log string) (all []Field) {
	for _, c := range tables()[log].columns {
		all = append(all, Field{c.name, c.kind})
	}
	return all
}

// Form is how lines are written.
type Form uint8

// The forms.
const (
	JSON     Form = iota // times are numbers, seconds since 1970
	JSONDate             // times are text, ISO 8601
	TSV                  // Zeek's
)

// tsvLead is how a file of TSV begins.
const tsvLead = '#'

// Encoder gives log text its final form. It is not changed once made.
type Encoder struct{ form Form }

// NewEncoder makes the encoder of a form.
func NewEncoder(form Form) Encoder { return Encoder{form} }

// Before is what has to stand between a position in a log, as Sink.Position says it, and
// the lines that go there: where a file begins the header of its form, behind half a line
// its end.
func (e Encoder) Before(log string, at Position, now time.Time) []byte {
	switch {
	case at.Length == 0:
		return e.Encode(log, nil, true, now)
	case at.Torn:
		return []byte{'\n'}
	}
	return nil
}

// Encode is the text of a log, made of lines of JSON. first says that it begins a
// file, at the wall-clock time now.
func (e Encoder) Encode(log string, lines []byte, first bool, now time.Time) []byte {
	if e.form == JSON {
		return lines
	}
	t := tables()[log]
	if e.form == JSONDate {
		return t.AppendISO8601(make([]byte, 0, len(lines)+len(lines)/16), lines)
	}
	out := make([]byte, 0, len(lines))
	if first {
		out = t.AppendHeader(out, now)
	}
	return t.AppendRows(out, lines)
}

// AppendHeader appends the lines that a file begins with.
func (t Table) AppendHeader(dst []byte, opened time.Time) []byte {
	dst = append(dst, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t"...)
	dst = append(append(dst, t.name...), "\n#open\t"...)
	dst = append(opened.UTC().AppendFormat(dst, "2006-01-02-15-04-05"), "\n#fields"...)
	for _, c := range t.columns {
		dst = append(append(dst, '\t'), c.name...)
	}
	dst = append(dst, "\n#types"...)
	for _, c := range t.columns {
		dst = append(append(dst, '\t'), c.kind.zeek()...)
	}
	return append(dst, '\n')
}

// zeek is the type in Zeek's words.
func (t Type) zeek() string {
	switch t {
	case Records, Counts, Values:
		return string(String)
	default:
		return string(t)
	}
}

// AppendRows appends a row for each line of JSON.
func (t Table) AppendRows(dst, lines []byte) []byte {
	for line := range bytes.Lines(lines) {
		start := len(dst)
		rest := line[1:] // behind the brace
		for i, c := range t.columns {
			if i > 0 {
				dst = append(dst, '\t')
			}
			after, ok := bytes.CutPrefix(rest, c.key)
			if !ok {
				dst = append(dst, '-')
				continue
			}
			n := valueLen(after)
			dst = appendCell(dst, after[:n], c.kind)
			rest = after[min(n+1, len(after)):] // and the comma
		}
		if dst[start] == '#' { // it would look like a line of the header
			dst = slices.Replace(dst, start, start+1, []byte(`\x23`)...)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// valueLen is the length of the JSON value that b begins with.
func valueLen(b []byte) int {
	depth, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '[' || c == '{':
			depth++
		case depth > 0 && (c == ']' || c == '}'):
			depth--
		case depth == 0 && (c == ',' || c == '}' || c == '\n'):
			return i
		}
	}
	return len(b)
}

func appendCell(dst, value []byte, kind Type) []byte {
	switch {
	case kind == Records || kind == Counts || kind == Values:
		return append(dst, value...) // JSON has no tab or line end in it
	case kind == Time || kind == Interval:
		f, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			return append(dst, '-') // null: it was no number
		}
		return strconv.AppendFloat(dst, f, 'f', 6, 64)
	case len(value) == 0 || string(value) == "null":
		return append(dst, '-')
	case string(value) == "true":
		return append(dst, 'T')
	case string(value) == "false":
		return append(dst, 'F')
	case value[0] == '"':
		return appendField(dst, value[1:len(value)-1], 0)
	case value[0] == '[':
		return appendSet(dst, value[1:len(value)-1])
	default:
		return append(dst, value...)
	}
}

// appendSet appends the elements of a list of strings or numbers.
func appendSet(dst, list []byte) []byte {
	for first := true; len(list) > 0; first = false {
		if !first {
			dst = append(dst, ',')
		}
		n := valueLen(list)
		if element := list[:n]; element[0] == '"' {
			dst = appendField(dst, element[1:n-1], ',')
		} else {
			dst = append(dst, element...)
		}
		list = list[min(n+1, len(list)):]
	}
	return dst
}

// appendField appends a text that JSON has between quotes, without what only JSON
// needs. Text that would read as no text is told apart by its first byte. separator
// is what stands between texts of a list; 0: this is none.
func appendField(dst, text []byte, separator byte) []byte {
	switch string(text) {
	case "":
		return append(dst, "(empty)"...)
	case "(empty)", "-":
		dst = appendHexByte(dst, text[0])
		text = text[1:]
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			i++
			c = unescaped(text[i])
		}
		if c < ' ' || c == separator {
			dst = appendHexByte(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// unescaped is the character that JSON writes as a backslash and c.
func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // a quote or a backslash
		return c
	}
}

// appendHexByte appends the four characters \xHH.
func appendHexByte(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'x', hex[c>>4], hex[c&15])
}
