package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"
)

// maxFile bounds what is read as a configuration, in bytes: somebody will name
// a capture file.
const maxFile = 1 << 20

// Load reads and checks a file. An error that is Problems is about its text;
// any other is about reading it and names the path. As with Parse, the Config
// is there beside Problems.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("configuration: %s: over %d bytes, so it is hardly one", path, maxFile)
	}
	return Parse(path, text)
}

// Parse reads a TOML text over the defaults; name is what problems call it.
// The error is nil or Problems. The Config is never nil: beside Problems it
// has the default wherever a value was refused, so that the caller can go on
// to Set and say everything at once.
func Parse(name string, text []byte) (*Config, error) {
	c := Default()
	c.origin = map[string]place{}
	r := reading{c: c, name: name, src: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))}
	doc := r.decode()
	r.places = findPlaces(r.src)
	r.tree(doc)
	r.problems = append(r.problems, c.relations()...)
	return c, r.problems.err()
}

// reading is one text on its way into a Config.
type reading struct {
	c        *Config
	name     string
	src      []byte // blanked where the syntax was wrong
	places   *places
	problems Problems
}

// decode parses the text. The library stops at its first error; so that an
// operator sees all of them, the statement at fault is blanked out and the
// rest parsed again, a bounded number of times.
func (r *reading) decode() map[string]any {
	for range 32 {
		doc := map[string]any{}
		err := toml.Unmarshal(r.src, &doc)
		if err == nil {
			return doc
		}
		var pe toml.ParseError
		if !errors.As(err, &pe) {
			r.problems = append(r.problems, Problem{File: r.name, Line: 1, Col: 1, Msg: err.Error()})
			return nil
		}
		line, col := lineCol(r.src, pe.Position.Start)
		p := Problem{File: r.name, Line: line, Col: col, Msg: plain(pe.Message)}
		if f, ok := fieldOf(pe.LastKey); ok {
			if _, secret := f.in(r.c).(text); secret { // which the message may repeat
				p.Key, p.Msg = f.key, wantsText
			}
		}
		r.problems = append(r.problems, p)
		if !r.blank(pe) {
			return nil
		}
	}
	return nil
}

// plain is the library's message as one of ours.
func plain(msg string) string {
	msg = strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(msg, "\n", " ")), ".")
	if strings.HasPrefix(msg, "TOML") {
		return msg
	}
	return string(unicode.ToLower(rune(msg[0]))) + msg[1:]
}

// blank overwrites the statement that pe is about with spaces, which leaves
// every other line and column where it was. It says whether there was
// anything left to overwrite.
func (r *reading) blank(pe toml.ParseError) bool {
	at := max(0, min(pe.Position.Start, len(r.src)-1))
	begin := bytes.LastIndexByte(r.src[:at], '\n') + 1
	end := lineEnd(r.src, at)
	if bytes.HasPrefix(bytes.TrimLeft(r.src[begin:end], " \t"), []byte("[")) {
		end = nextHeader(r.src, end) // its keys must not fall to the section before
	} else {
		begin = statement(r.src, begin, pe.LastKey)
	}
	out := bytes.Clone(r.src)
	blanked := false
	for i := begin; i < end; i++ {
		if out[i] != '\n' && out[i] != ' ' {
			out[i], blanked = ' ', true
		}
	}
	r.src = out
	return blanked
}

func lineEnd(src []byte, at int) int {
	if n := bytes.IndexByte(src[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(src)
}

// nextHeader is the start of the first line from at on that opens a table.
func nextHeader(src []byte, at int) int {
	for at < len(src) {
		at = min(lineEnd(src, at)+1, len(src))
		if bytes.HasPrefix(bytes.TrimLeft(src[at:], " \t"), []byte("[")) {
			break
		}
	}
	return at
}

// statement is the start of the line at or before begin that assigns key: an
// unclosed list or string is noticed lines after it was opened.
func statement(src []byte, begin int, key string) int {
	key = key[strings.LastIndexByte(key, '.')+1:]
	if key == "" {
		return begin
	}
	for at := begin; ; at = bytes.LastIndexByte(src[:at-1], '\n') + 1 {
		rest, ok := bytes.CutPrefix(bytes.TrimLeft(src[at:], " \t"), []byte(key))
		if ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte("=")) {
			return at
		}
		if at == 0 {
			return begin
		}
	}
}

// tree puts a decoded text into the Config.
func (r *reading) tree(doc map[string]any) {
	for _, section := range slices.Sorted(maps.Keys(doc)) {
		path := toml.Key{section}.String()
		table, isTable := doc[section].(map[string]any)
		switch {
		case !isSection(section):
			msg, hint := unknownSection(section)
			if !isTable {
				msg = "unknown key, and outside any section"
			}
			r.atKey(path, msg, hint)
		case !isTable:
			r.atKey(path, "wants one table, got "+typed(doc[section]), "write ["+section+"] once, its keys below")
		default:
			for _, name := range slices.Sorted(maps.Keys(table)) {
				r.leaf(section, name, table[name])
			}
		}
	}
}

// leaf puts one value into the Config.
func (r *reading) leaf(section, name string, v any) {
	path := toml.Key{section, name}.String()
	f, ok := fieldOf(section + "." + name)
	if !ok || path != f.key { // "a.b" quoted is another key than a.b
		msg, hint := unknownKey(section, name)
		r.atKey(path, msg, hint)
		return
	}
	faults := f.in(r.c).set(v)
	for _, ft := range faults {
		p := r.valueAt(path, ft.index)
		r.problems = append(r.problems, Problem{File: p.file, Line: p.line, Col: p.col, Key: path, Msg: ft.msg, Hint: ft.hint})
	}
	p := r.valueAt(path, -1)
	p.refused = len(faults) > 0
	r.c.origin[path] = p
	if elems, ok := v.([]any); ok && !p.refused {
		for i := range elems {
			r.c.origin[element(path, i)] = r.valueAt(path, i)
		}
	}
}

// atKey adds a problem that points at the key itself.
func (r *reading) atKey(path, msg, hint string) {
	line, col := lineCol(r.src, r.places.keys[path]-1)
	r.problems = append(r.problems, Problem{File: r.name, Line: line, Col: col, Key: path, Msg: msg, Hint: hint})
}

// valueAt is the place of a value, or of one element of it when index >= 0. A
// [table] where a value should be has only a key.
func (r *reading) valueAt(path string, index int) place {
	offset, ok := r.places.values[element(path, index)]
	if !ok {
		offset, ok = r.places.values[path]
	}
	if !ok {
		offset = r.places.keys[path] - 1
	}
	line, col := lineCol(r.src, offset)
	return place{file: r.name, line: line, col: col}
}

// element names an element of the list at path; path itself when index < 0.
func element(path string, index int) string {
	if index < 0 {
		return path
	}
	return fmt.Sprintf("%s[%d]", path, index)
}
