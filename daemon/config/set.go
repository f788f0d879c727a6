package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// fromSet is what problems of Set name as their file.
const fromSet = "--set"

// Set overlays assignments, each section.key=value, the last one for a key
// winning. A value is TOML where it reads as such and else a string, so that
// order.window=50ms and spool.dirs=/data need no quotes; one value stands for
// a list of one. The error is nil or Problems, with whatever has become wrong
// between this Config's values through it.
func (c *Config) Set(assignments []string) error {
	before := c.relations()
	if c.origin == nil {
		c.origin = map[string]place{}
	}
	var ps Problems
	for _, a := range assignments {
		ps = append(ps, c.assign(a)...)
	}
	for _, p := range c.relations() {
		if !slices.Contains(before, p) {
			ps = append(ps, p)
		}
	}
	return ps.err()
}

func (c *Config) assign(assignment string) Problems {
	key, word, ok := strings.Cut(assignment, "=")
	key = strings.TrimSpace(key)
	section, name, dotted := strings.Cut(key, ".")
	if !ok || !dotted {
		return Problems{{File: fromSet, Key: key, Msg: "wants section.key=value"}} // the value may be a secret
	}
	f, known := fieldOf(key)
	if !known {
		msg, hint := unknownKey(section, name)
		if !isSection(section) {
			msg, hint = unknownSection(section)
		}
		return Problems{{File: fromSet, Key: key, Msg: msg, Hint: hint}}
	}
	into := f.in(c)
	v := literal(strings.TrimSpace(word))
	switch into.(type) {
	case list:
		if _, ok := v.([]any); !ok {
			v = []any{v}
		}
	case text, path, optionalPath, listen: // 2026 is a fine name for a directory
		if _, ok := v.(string); !ok {
			v = word
		}
	}
	var ps Problems
	for _, ft := range into.set(v) {
		ps = append(ps, Problem{File: fromSet, Key: key, Msg: ft.msg, Hint: ft.hint})
	}
	maps.DeleteFunc(c.origin, func(k string, _ place) bool { return strings.HasPrefix(k, key+"[") })
	c.origin[key] = place{file: fromSet, refused: len(ps) > 0}
	return ps
}

// literal reads a word of the command line: TOML if it is a value of it.
func literal(word string) any {
	var doc struct{ V any }
	if strings.ContainsAny(word, "\r\n") || toml.Unmarshal([]byte("V = "+word), &doc) != nil {
		return word
	}
	return doc.V
}
