package config

import (
	"bytes"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// place is where a key's value came from.
type place struct {
	file      string
	line, col int  // from 1, columns in characters; 0 for --set
	refused   bool // the value there was refused, so the Config holds another
}

// lineCol turns an offset into a line and a column.
func lineCol(src []byte, offset int) (line, col int) {
	before := src[:min(max(offset, 0), len(src))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// places finds the keys and values of a TOML text, which the library does not
// tell. It reads only text that the library has accepted; of any other it may
// find less, but it ends.
type places struct {
	src    []byte
	pos    int
	keys   map[string]int // offset of the key, by the path that toml.Key prints
	values map[string]int // offset of the value; list elements are path[0], path[1]
}

// maxNesting bounds the recursion; no key of ours is nested deeper than three.
const maxNesting = 8

func findPlaces(src []byte) *places {
	p := &places{src: src, keys: map[string]int{}, values: map[string]int{}}
	var table toml.Key
	for p.skipBlank(); p.pos < len(p.src); p.skipBlank() {
		if p.src[p.pos] != '[' {
			p.assignment(table, 0)
			continue
		}
		for p.pos < len(p.src) && p.src[p.pos] == '[' {
			p.pos++
		}
		table = p.key(nil)
		for p.pos < len(p.src) && p.src[p.pos] == ']' {
			p.pos++
		}
	}
	return p
}

// assignment reads key = value; it always moves on.
func (p *places) assignment(table toml.Key, depth int) {
	start := p.pos
	path := p.key(table)
	if p.pos < len(p.src) && p.src[p.pos] == '=' {
		p.pos++
		p.value(path.String(), path, depth)
	}
	if p.pos == start {
		p.pos++
	}
}

// key reads a dotted key below table and notes each of its prefixes once.
func (p *places) key(table toml.Key) toml.Key {
	path := append(toml.Key(nil), table...)
	for {
		p.skipSpace()
		start := p.pos
		part := p.keyPart()
		if p.pos == start {
			return path
		}
		path = append(path, part)
		if s := path.String(); p.keys[s] == 0 {
			p.keys[s] = start + 1 // so that 0 is none
		}
		p.skipSpace()
		if p.pos >= len(p.src) || p.src[p.pos] != '.' {
			return path
		}
		p.pos++
	}
}

func (p *places) keyPart() string {
	start := p.pos
	if p.pos < len(p.src) && (p.src[p.pos] == '"' || p.src[p.pos] == '\'') {
		quote := p.src[p.pos]
		p.quoted()
		part := string(bytes.Trim(p.src[start:p.pos], string(quote)))
		if quote == '"' {
			// Escapes: ask the library, since only it says what the key will be called.
			var v struct{ V string }
			if toml.Unmarshal([]byte("v = "+string(p.src[start:p.pos])), &v) == nil {
				return v.V
			}
		}
		return part
	}
	for p.pos < len(p.src) && bytes.IndexByte([]byte(" \t\r\n.=[]{},#\"'"), p.src[p.pos]) < 0 {
		p.pos++
	}
	return string(p.src[start:p.pos])
}

// value notes where a value starts and steps over it.
func (p *places) value(path string, key toml.Key, depth int) {
	p.skipSpace()
	if _, ok := p.values[path]; !ok {
		p.values[path] = p.pos
	}
	if p.pos >= len(p.src) || depth > maxNesting {
		return
	}
	switch p.src[p.pos] {
	case '"', '\'':
		p.quoted()
	case '[':
		p.list(path, key, depth)
	case '{':
		p.pos++
		for p.skipSeparators(); p.pos < len(p.src) && p.src[p.pos] != '}'; p.skipSeparators() {
			p.assignment(key, depth+1)
		}
		p.pos++
	default:
		for p.pos < len(p.src) && bytes.IndexByte([]byte(",]}#\n"), p.src[p.pos]) < 0 {
			p.pos++
		}
	}
}

func (p *places) list(path string, key toml.Key, depth int) {
	p.pos++
	for i := 0; ; i++ {
		p.skipSeparators()
		if p.pos >= len(p.src) || p.src[p.pos] == ']' {
			p.pos++
			return
		}
		start := p.pos
		p.value(element(path, i), key, depth+1)
		if p.pos == start {
			p.pos++
		}
	}
}

// quoted steps over a string of any of the four kinds.
func (p *places) quoted() {
	quote := p.src[p.pos]
	end := []byte{quote}
	if bytes.HasPrefix(p.src[p.pos:], bytes.Repeat(end, 3)) {
		end = bytes.Repeat(end, 3)
	}
	for p.pos += len(end); p.pos < len(p.src); p.pos++ {
		switch {
		case quote == '"' && p.src[p.pos] == '\\':
			p.pos++
		case bytes.HasPrefix(p.src[p.pos:], end):
			p.pos += len(end)
			// """a"""" ends in a quote of its own.
			for len(end) == 3 && p.pos < len(p.src) && p.src[p.pos] == quote {
				p.pos++
			}
			return
		}
	}
	p.pos = min(p.pos, len(p.src)) // an unclosed one may end in a backslash
}

func (p *places) skipSpace() { p.skip(" \t") }

// skipBlank steps over white space, line ends and comments.
func (p *places) skipBlank() { p.skip(" \t\r\n#") }

// skipSeparators steps over what may stand between elements too.
func (p *places) skipSeparators() { p.skip(" \t\r\n#,") }

func (p *places) skip(set string) {
	for p.pos < len(p.src) && bytes.IndexByte([]byte(set), p.src[p.pos]) >= 0 {
		if p.src[p.pos] == '#' {
			end := bytes.IndexByte(p.src[p.pos:], '\n')
			if end < 0 {
				p.pos = len(p.src)
				return
			}
			p.pos += end
		}
		p.pos++
	}
	p.pos = min(p.pos, len(p.src))
}
