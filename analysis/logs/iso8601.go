package logs

import (
	"bytes"
	"math"
	"strconv"
	"sync"
	"time"
)

// isoLayout is what Zeek writes with JSON::TS_ISO8601: UTC, always six digits.
const isoLayout = "2006-01-02T15:04:05.000000Z"

// AppendISO8601 appends lines of JSON with their times as text. What is no time that a
// year of four digits can say stays a number.
func (t Table) AppendISO8601(dst, lines []byte) []byte {
	for line := range bytes.Lines(lines) {
		copied, at := 0, 1 // behind the brace
		for _, c := range t.columns[:t.times] {
			if !bytes.HasPrefix(line[at:], c.key) {
				continue
			}
			begin := at + len(c.key)
			end := begin + valueLen(line[begin:])
			if c.kind == Time {
				dst = append(dst, line[copied:begin]...)
				dst, copied = appendISO(dst, line[begin:end]), end
			}
			at = min(end+1, len(line))
		}
		dst = append(dst, line[copied:]...)
	}
	return dst
}

func appendISO(dst, value []byte) []byte {
	v, err := strconv.ParseFloat(string(value), 64)
	if err != nil || !(math.Abs(v) < 1<<40) {
		return append(dst, value...)
	}
	at := time.UnixMicro(int64(math.Round(v * 1e6))).UTC()
	if year := at.Year(); year < 0 || year > 9999 {
		return append(dst, value...)
	}
	return append(at.AppendFormat(append(dst, '"'), isoLayout), '"')
}

// timeNames are the fields of all logs that are times.
var timeNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, t := range tables() {
		for _, c := range t.columns {
			if c.kind == Time {
				names[c.name] = true
			}
		}
	}
	return names
})

// NumberTimes is a line of any log in JSON with its times as numbers, whichever way it
// has them. Of what is no such line it may be anything.
func NumberTimes(line []byte) []byte {
	if !bytes.HasPrefix(line, []byte(`{"ts":"`)) {
		return line
	}
	var out []byte
	copied := 0
	for at := 1; at < len(line) && line[at] == '"'; {
		key := at + 1
		n := bytes.Index(line[key:], []byte(`":`))
		if n < 0 {
			break
		}
		begin := key + n + len(`":`)
		end := begin + valueLen(line[begin:])
		if value := line[begin:end]; timeNames()[string(line[key:key+n])] && len(value) == len(isoLayout)+2 && value[0] == '"' {
			if when, err := time.Parse(isoLayout, string(value[1:len(value)-1])); err == nil {
				out = append(out, line[copied:begin]...)
				out = appendFloat(out, float64(when.Unix())+float64(when.Nanosecond()/1000)/1e6)
				copied = end
			}
		}
		at = end + 1
	}
	return append(out, line[copied:]...)
}
