package consumers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/scanner"
	"time"
)

// vrl runs what the mappings use of Vector's language, and refuses all else. Whole numbers
// are int64, others float64, as Vector tells them apart. As there, a call that may fail has
// a !, and one that may not has none.
type vrl struct {
	scanner.Scanner
	tok  rune
	end  int // of the token before
	off  bool
	vars map[string]any // "" is the event
}

// vrlError is a panic of the emulation that ends at runVRL.
type vrlError struct{ error }

func runVRL(program string, event map[string]any) (out map[string]any, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case vrlError:
			err = e.error
		default:
			panic(e)
		}
	}()
	v := &vrl{vars: map[string]any{"": event}}
	v.Init(strings.NewReader(stripComments(program)))
	v.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings
	v.next()
	for v.tok != scanner.EOF {
		v.statement()
	}
	return v.vars[""].(map[string]any), nil
}

// stripComments takes out comments that have a line of their own.
func stripComments(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

func (v *vrl) fail(format string, args ...any) {
	panic(vrlError{fmt.Errorf("%s: "+format, append([]any{v.Position}, args...)...)})
}

func (v *vrl) next() { v.end, v.tok = v.Pos().Offset, v.Scan() }

func (v *vrl) is(tok rune) bool { return v.tok == tok }

func (v *vrl) take(tok rune) {
	if v.tok != tok {
		v.fail("%s where %s should be", scanner.TokenString(v.tok), scanner.TokenString(tok))
	}
	v.next()
}

// near says whether the token is tok and follows the one before without a space.
func (v *vrl) near(tok rune) bool { return v.tok == tok && v.Offset == v.end }

func (v *vrl) statement() {
	if v.is(scanner.Ident) && v.TokenText() == "if" {
		v.branches()
		return
	}
	name, path := v.place()
	if v.near('(') { // only del stands for itself, and no mapping needs that
		v.fail("a call whose result goes nowhere")
	}
	v.take('=')
	value := v.or()
	if !v.off {
		v.set(name, path, value)
	}
}

// branches is if, else if and else; what is not taken is read and does nothing.
func (v *vrl) branches() {
	off := v.off
	for done := false; ; {
		word := v.TokenText()
		v.next()
		if word == "else" && v.is(scanner.Ident) && v.TokenText() == "if" {
			word = "if"
			v.next()
		}
		v.off = off || done
		take := word == "else"
		if word == "if" {
			cond := v.or()
			yes, ok := cond.(bool)
			if !ok && !v.off {
				v.fail("a condition is %T", cond)
			}
			take = yes
		}
		v.off = off || done || !take
		v.take('{')
		for !v.is('}') {
			v.statement()
		}
		v.take('}')
		done = done || take
		if !v.is(scanner.Ident) || v.TokenText() != "else" {
			break
		}
	}
	v.off = off
}

// place is a variable or the event, and the path below it.
func (v *vrl) place() (name string, path []string) {
	if v.is('.') {
		v.next()
		if v.near(scanner.Ident) {
			path = append(path, v.TokenText())
			v.next()
		}
	} else {
		name = v.TokenText()
		v.take(scanner.Ident)
	}
	for v.near('.') {
		v.next()
		field := v.TokenText()
		if v.is(scanner.String) {
			field = v.unquoted()
		}
		path = append(path, field)
		v.next()
	}
	return name, path
}

func (v *vrl) unquoted() string {
	s, err := strconv.Unquote(v.TokenText())
	if err != nil {
		v.fail("%v", err)
	}
	return s
}

func (v *vrl) set(name string, path []string, value any) {
	if len(path) == 0 {
		v.vars[name] = value
		return
	}
	at, ok := v.vars[name].(map[string]any)
	for _, field := range path[:len(path)-1] {
		if !ok {
			break
		}
		at, ok = at[field].(map[string]any)
	}
	if !ok {
		v.fail("no object to put %v into", path)
	}
	at[path[len(path)-1]] = value
}

// get is the value at a place, nil where there is none; cut takes it away.
func (v *vrl) get(name string, path []string, cut bool) any {
	at, ok := v.vars[name]
	if !ok && !v.off {
		v.fail("no variable %s", name)
	}
	for i, field := range path {
		object, _ := at.(map[string]any)
		at = object[field]
		if cut && i == len(path)-1 && !v.off {
			delete(object, field)
		}
	}
	return at
}

func (v *vrl) or() any {
	left := v.and()
	for v.is('|') {
		v.next()
		v.take('|')
		right := v.and()
		left = left == true || right == true
	}
	return left
}

func (v *vrl) and() any {
	left := v.equal()
	for v.is('&') {
		v.next()
		v.take('&')
		right := v.equal()
		left = left == true && right == true
	}
	return left
}

func (v *vrl) equal() any {
	left := v.sum()
	switch {
	case v.is('!'):
		v.next()
		v.take('=')
		return left != v.sum()
	case v.is('='): // an assignment has no value to the left of this
		v.next()
		v.take('=')
		return left == v.sum()
	}
	return left
}

func (v *vrl) sum() any {
	left := v.product()
	for v.is('+') {
		v.next()
		right := v.product()
		l, lok := left.(int64)
		r, rok := right.(int64)
		lf, lfok := left.(float64)
		rf, rfok := right.(float64)
		ls, lsok := left.(string)
		rs, rsok := right.(string)
		switch {
		case v.off:
		case lok && rok:
			left = l + r
		case lfok && rfok:
			left = lf + rf
		case lsok && rsok:
			left = ls + rs
		default:
			v.fail("%T + %T", left, right)
		}
	}
	return left
}

func (v *vrl) product() any {
	left := v.primary()
	for v.is('*') {
		v.next()
		l, lok := left.(float64)
		r, rok := v.primary().(float64)
		if !v.off && !(lok && rok) {
			v.fail("a product of other than floats")
		}
		left = l * r
	}
	return left
}

func (v *vrl) primary() any {
	text := v.TokenText()
	switch v.tok {
	case scanner.String:
		s := v.unquoted()
		v.next()
		return s
	case scanner.Int:
		v.next()
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	case scanner.Float:
		v.next()
		f, _ := strconv.ParseFloat(text, 64)
		return f
	case '{':
		object := map[string]any{}
		v.list('}', func() {
			key := v.unquoted()
			v.take(scanner.String)
			v.take(':')
			object[key] = v.or()
		})
		return object
	case '[':
		array := []any{}
		v.list(']', func() { array = append(array, v.or()) })
		return array
	}
	if constant, ok := map[string]any{"true": true, "false": false, "null": nil}[text]; ok {
		v.next()
		return constant
	}
	name, path := v.place()
	bang := v.near('!')
	if bang {
		v.next()
	}
	if bang || v.near('(') && len(path) == 0 && name != "" {
		return v.call(name, bang)
	}
	return v.get(name, path, false)
}

// list reads what stands between brackets and commas.
func (v *vrl) list(end rune, each func()) {
	v.next()
	for !v.is(end) {
		each()
		if !v.is(end) {
			v.take(',')
		}
	}
	v.next()
}

// mayFail are the functions there are; those that may fail are called with a !.
var mayFail = map[string]bool{
	"del": false, "to_int": false, "to_string": false, "compact": false,
	"object": true, "parse_json": true, "string": true, "int": true, "float": true, "from_unix_timestamp": true,
}

func (v *vrl) call(name string, bang bool) any {
	if may, ok := mayFail[name]; !ok || may != bang {
		v.fail("%s, called with a !: %t", name, bang)
	}
	var args []any
	v.list(')', func() {
		if name == "del" {
			variable, path := v.place()
			args = append(args, v.get(variable, path, true))
			return
		}
		if v.is(scanner.Ident) && v.TokenText() == "unit" {
			v.next()
			v.take(':')
		}
		args = append(args, v.or())
	})
	if v.off {
		return nil
	}
	result, ok := apply(name, args)
	if !ok {
		v.fail("%s of %T", name, args[0])
	}
	return result
}

func apply(name string, args []any) (result any, ok bool) {
	switch arg := args[0].(type) {
	case string:
		if name == "parse_json" {
			m, err := object(arg)
			return m, err == nil
		}
		return arg, name == "string" || name == "to_string" || name == "del"
	case int64:
		switch name {
		case "from_unix_timestamp":
			layout := "2006-01-02T15:04:05.000000Z"
			if arg%1000 == 0 {
				layout = "2006-01-02T15:04:05.000Z"
			}
			if arg%1000000 == 0 {
				layout = "2006-01-02T15:04:05Z"
			}
			return time.UnixMicro(arg).UTC().Format(layout), args[1] == "microseconds"
		case "to_string":
			return strconv.FormatInt(arg, 10), true
		}
		return arg, name == "int" || name == "to_int" || name == "del"
	case float64:
		if name == "to_int" {
			return int64(arg), true
		}
		return arg, name == "float" || name == "del"
	case map[string]any:
		if name == "compact" {
			return compact(arg), true
		}
		return arg, name == "object" || name == "del"
	default:
		return arg, name == "del"
	}
}

// compact leaves out what is empty, all the way down.
func compact(value any) any {
	empty := func(value any) bool {
		switch value := value.(type) {
		case map[string]any:
			return len(value) == 0
		case []any:
			return len(value) == 0
		}
		return value == nil || value == ""
	}
	switch value := value.(type) {
	case map[string]any:
		for _, k := range slices.Collect(maps.Keys(value)) {
			if value[k] = compact(value[k]); empty(value[k]) {
				delete(value, k)
			}
		}
	case []any:
		for i := range value {
			value[i] = compact(value[i])
		}
		return slices.DeleteFunc(value, empty)
	}
	return value
}

// The emulation refuses what Vector would.
func TestVRL(t *testing.T) {
	for _, bad := range []string{`. = {`, `x = to_int!(1.0)`, `x = float(1.0)`, `x = float!(1)`, `x = y`, `x = 1 + 1.0`, `.a.b = 1`, `if 1 { x = 1 }`} {
		if out, err := runVRL(bad, map[string]any{}); err == nil {
			t.Errorf("%s: %v", bad, out)
		}
	}
	out, err := runVRL("x = {\"a\": 1}\nif x.a != 1 { .b = 1 } else if x.a == 1 {\n.b = del(x.a) }\n.c = x", map[string]any{})
	if got := fmt.Sprint(out); err != nil || got != "map[b:1 c:map[]]" {
		t.Errorf("%s, %v", got, err)
	}
}
