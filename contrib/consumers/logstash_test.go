package consumers

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is one entry of a Logstash configuration: a plugin or block with what it holds, or a
// condition, which holds if the field has the value.
type step struct {
	name         string
	field, value string // of a condition
	settings     map[string]any
	steps        []step
	otherwise    []step
}

// logstash is the text of a configuration that is not yet read.
type logstash struct{ words []string }

// word is a quoted text, a field in brackets (of which may be several), or a sign.
var word = regexp.MustCompile(`"[^"]*"|(\[[@a-z_.]+\])+|=>|==|[{}\[\],]|[a-z_0-9]+`)

func parseLogstash(text string) (steps []step, err error) {
	text = stripComments(text)
	if rest := strings.TrimSpace(word.ReplaceAllString(text, "")); rest != "" {
		return nil, fmt.Errorf("what is %q?", rest)
	}
	l := &logstash{word.FindAllString(text, -1)}
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%v", e)
		}
	}()
	for len(l.words) > 0 {
		steps = append(steps, l.block())
	}
	return steps, nil
}

func (l *logstash) next() string {
	if len(l.words) == 0 {
		panic(errors.New("the configuration ends early"))
	}
	w := l.words[0]
	l.words = l.words[1:]
	return strings.Trim(w, `"`)
}

func (l *logstash) take(want string) {
	if got := l.next(); got != want {
		panic(fmt.Errorf("%s where %s should be", got, want))
	}
}

func (l *logstash) peek(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

// block is name { ... } or if [field] == "value" { ... } else { ... }.
func (l *logstash) block() step {
	s := step{name: l.next(), settings: map[string]any{}}
	if s.name == "if" {
		s.field = l.next()
		l.take("==")
		s.value = l.next()
	}
	l.take("{")
	for l.peek(0) != "}" {
		if l.peek(1) == "=>" {
			key := l.next()
			l.take("=>")
			s.settings[key] = l.setting()
		} else {
			s.steps = append(s.steps, l.block())
		}
	}
	l.take("}")
	if s.name == "if" && l.peek(0) == "else" {
		s.otherwise = l.block().steps
	}
	return s
}

// setting is a text, a list of texts, or texts by name.
func (l *logstash) setting() any {
	switch l.peek(0) {
	case "[":
		var list []string
		for l.next(); l.peek(0) != "]"; {
			if w := l.next(); w != "," {
				list = append(list, w)
			}
		}
		l.next()
		return list
	case "{":
		hash := map[string]string{}
		for l.next(); l.peek(0) != "}"; {
			key := l.next()
			l.take("=>")
			hash[key] = l.next()
		}
		l.next()
		return hash
	}
	return l.next()
}

// fieldPath is [a][b] as a and b.
func fieldPath(field string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(field, "["), "]"), "][")
}

func at(event map[string]any, field string, cut bool) (value any, ok bool) {
	path := fieldPath(field)
	for _, name := range path[:len(path)-1] {
		if event, ok = event[name].(map[string]any); !ok {
			return nil, false
		}
	}
	last := path[len(path)-1]
	if value, ok = event[last]; ok && cut {
		delete(event, last)
	}
	return value, ok
}

func put(event map[string]any, field string, value any) {
	path := fieldPath(field)
	for _, name := range path[:len(path)-1] {
		below, ok := event[name].(map[string]any)
		if !ok {
			below = map[string]any{}
			event[name] = below
		}
		event = below
	}
	event[path[len(path)-1]] = value
}

// filter runs the filters on an event, and refuses what it does not know.
func filter(steps []step, event map[string]any) error {
	for _, s := range steps {
		var err error
		switch s.name {
		case "if":
			if value, _ := at(event, s.field, false); value == s.value {
				err = filter(s.steps, event)
			} else {
				err = filter(s.otherwise, event)
			}
		case "json", "date", "mutate":
			if len(s.steps) > 0 {
				err = fmt.Errorf("a block in %s", s.name)
			} else {
				err = plugin(s, event)
			}
		default:
			err = fmt.Errorf("what is %s?", s.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plugin runs the settings of a filter in Logstash's order.
func plugin(s step, event map[string]any) error {
	known := map[string][]string{"json": {"source", "target"}, "date": {"match"}, "mutate": {"rename", "copy"}}[s.name]
	known = append(known, "add_field", "remove_field")
	for key := range s.settings {
		if !slices.Contains(known, key) {
			return fmt.Errorf("what is %s of %s?", key, s.name)
		}
	}
	for _, key := range known {
		switch setting := s.settings[key].(type) {
		case map[string]string: // rename, copy and add_field
			for _, from := range slices.Sorted(maps.Keys(setting)) {
				if key == "add_field" {
					put(event, from, setting[from])
				} else if value, ok := at(event, from, key == "rename"); ok {
					put(event, setting[from], value)
				}
			}
		case []string:
			if key == "remove_field" {
				for _, field := range setting {
					at(event, field, true)
				}
				continue
			}
			value, _ := at(event, setting[0], false)
			seconds, ok := value.(float64)
			if !ok || setting[1] != "UNIX" {
				return fmt.Errorf("a date of %T", value)
			}
			put(event, "@timestamp", int64(seconds*1000))
		case string:
			if key == "source" {
				text, _ := at(event, setting, false)
				m, err := object(fmt.Sprint(text))
				if err != nil {
					return err
				}
				put(event, s.settings["target"].(string), m)
			}
		}
	}
	return nil
}

// logstashMapper is what Logstash would make of a line of a log.
func logstashMapper(t *testing.T, log string) mapper {
	t.Helper()
	steps, err := parseLogstash(read(t, "logstash.conf"))
	if err != nil {
		t.Fatal(err)
	}
	return func(line string) (map[string]any, error) {
		event := map[string]any{"message": line, "@metadata": map[string]any{"log": log}}
		for _, s := range steps {
			if s.name == "filter" {
				if err := filter(s.steps, event); err != nil {
					return nil, err
				}
			}
		}
		delete(event, "@metadata")
		return event, nil
	}
}

// The emulation refuses what it does not know, and follows both ways of a condition.
func TestLogstash(t *testing.T) {
	for _, bad := range []string{`filter {`, `filter { x = 1 }`, `filter { mutate { rename => { "a" } } }`} {
		if steps, err := parseLogstash(bad); err == nil {
			t.Errorf("%s: %v", bad, steps)
		}
	}
	for config, want := range map[string]string{
		`if [a] == "1" { mutate { rename => { "[a]" => "[b][c]" } } } else { ruby { } }`: `map[b:map[c:1]]`,
		`if [a] == "2" { ruby { } } else { mutate { copy => { "[a]" => "[b]" } } }`:      `map[a:1 b:1]`,
		`mutate { gsub => ["a", "b"] }`:                                                  `what is gsub of mutate?`,
		`ruby { code => "x" }`:                                                           `what is ruby?`,
	} {
		steps, err := parseLogstash(config)
		if err != nil {
			t.Fatal(err)
		}
		event := map[string]any{"a": "1"}
		err = filter(steps, event)
		if got := fmt.Sprint(event); got != want && (err == nil || err.Error() != want) {
			t.Errorf("%s: %s, %v", config, got, err)
		}
	}
}
