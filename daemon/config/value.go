package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is a typed place in a Config.
type value interface {
	// set stores v, as the TOML library decodes it into an any. It stores
	// nothing when there are faults.
	set(v any) []fault
	// append writes the current value as TOML.
	append(dst []byte) []byte
}

// fault is what is wrong with a value, or with one element of a list.
type fault struct {
	index     int // of the element; -1: the value as a whole
	msg, hint string
}

func whole(msg, hint string) []fault { return []fault{{-1, msg, hint}} }

// typed says what v is, for a message about what was wanted instead.
func typed(v any) string {
	switch v := v.(type) {
	case string:
		return "the string " + strconv.Quote(v)
	case int64:
		return fmt.Sprintf("the integer %d", v)
	case float64:
		return "the number " + strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return fmt.Sprintf("the boolean %t", v)
	case []any:
		return "a list"
	case map[string]any, []map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}

func wants(what string, v any, hint string) []fault {
	return whole("wants "+what+", got "+typed(v), hint)
}

// text is any string. It may be a secret: what is wrong with it is told without it.
type text struct{ p *string }

func (t text) set(v any) []fault {
	s, ok := v.(string)
	if !ok {
		return whole(wantsText, "")
	}
	*t.p = s
	return nil
}

func (t text) append(dst []byte) []byte { return appendString(dst, *t.p) }

const wantsText = "wants a string in quotes, as TOML writes it"

// path is a string that names a file or directory.
type path struct{ p *string }

func (p path) set(v any) []fault {
	s, ok := v.(string)
	if !ok {
		return wants("a path", v, quoted(v))
	}
	if msg := badPath(s); msg != "" {
		return whole(msg, "")
	}
	*p.p = s
	return nil
}

func (p path) append(dst []byte) []byte { return appendString(dst, *p.p) }

// optionalPath is a path, or an empty string where there is a default.
type optionalPath struct{ path }

func (p optionalPath) set(v any) []fault {
	if v == "" {
		*p.p = ""
		return nil
	}
	return p.path.set(v)
}

// listen is an address of this machine alone with a port, the path of a socket, or
// nothing.
type listen struct{ p *string }

func (l listen) set(v any) []fault {
	s, ok := v.(string)
	if !ok {
		return wants("an address", v, quoted(v))
	}
	if at, err := netip.ParseAddrPort(s); s != "" && !strings.HasPrefix(s, "/") && (err != nil || !at.Addr().IsLoopback()) {
		return whole(fmt.Sprintf("%q is neither a loopback address with a port nor the path of a socket", s),
			`write "127.0.0.1:9477" or "/run/pcapdir/status.sock"; for other machines, put a proxy in front that asks who they are`)
	}
	if msg := badPath(s); msg != "" && s != "" {
		return whole(msg, "")
	}
	*l.p = s
	return nil
}

func (l listen) append(dst []byte) []byte { return appendString(dst, *l.p) }

func badPath(s string) string {
	switch {
	case s == "":
		return "is empty, wants a path"
	case strings.ContainsRune(s, 0):
		return "a path cannot hold a zero byte"
	}
	return ""
}

// choice is one of a few words.
type choice[T ~string] struct {
	p  *T
	of []T
}

func (c choice[T]) set(v any) []fault {
	s, ok := v.(string)
	switch {
	case !ok:
		return wants("one of "+c.list(), v, quoted(v))
	case !slices.Contains(c.of, T(s)):
		return whole("wants "+c.list()+", got "+strconv.Quote(s), DidYouMean(Nearest(s, c.words())))
	}
	*c.p = T(s)
	return nil
}

func (c choice[T]) append(dst []byte) []byte { return appendString(dst, string(*c.p)) }

func (c choice[T]) words() []string {
	words := make([]string, len(c.of))
	for i, w := range c.of {
		words[i] = string(w)
	}
	return words
}

func (c choice[T]) list() string {
	quoted := make([]string, len(c.of))
	for i, w := range c.of {
		quoted[i] = strconv.Quote(string(w))
	}
	return strings.Join(quoted, ", ")
}

// boolean is true or false.
type boolean struct{ p *bool }

func (b boolean) set(v any) []fault {
	t, ok := v.(bool)
	if !ok {
		return wants("true or false", v, unquoted(v))
	}
	*b.p = t
	return nil
}

func (b boolean) append(dst []byte) []byte { return strconv.AppendBool(dst, *b.p) }

// integer is a whole number within bounds.
type integer[T int | uint64] struct {
	p        *T
	min, max int64
}

func (i integer[T]) set(v any) []fault {
	n, ok := v.(int64)
	switch {
	case !ok:
		return wants("an integer", v, unquoted(v))
	case n < i.min || n > i.max:
		return whole(fmt.Sprintf("%d is out of range, wants %d to %d", n, i.min, i.max), "")
	}
	*i.p = T(n)
	return nil
}

func (i integer[T]) append(dst []byte) []byte { return strconv.AppendInt(dst, int64(*i.p), 10) }

// namedInteger is a whole number from 1, or one of words: the first is kept as 0,
// the next as -1.
type namedInteger struct {
	p     *int
	max   int64
	words []string
}

func (a namedInteger) set(v any) []fault {
	if word, ok := v.(string); ok {
		if i := slices.Index(a.words, word); i >= 0 {
			*a.p = -i
			return nil
		}
	}
	if _, ok := v.(int64); !ok {
		return wants(`"`+strings.Join(a.words, `", "`)+`" or an integer`, v, "")
	}
	return integer[int]{a.p, 1, a.max}.set(v)
}

func (a namedInteger) append(dst []byte) []byte {
	if *a.p <= 0 {
		return strconv.AppendQuote(dst, a.words[-*a.p])
	}
	return strconv.AppendInt(dst, int64(*a.p), 10)
}

// number is a real number within bounds; an integer will do.
type number struct {
	p        *float64
	min, max float64
}

func (n number) set(v any) []fault {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	default:
		return wants("a number", v, unquoted(v))
	}
	if math.IsNaN(f) || f < n.min || f > n.max {
		return whole(fmt.Sprintf("%g is out of range, wants %g to %g", f, n.min, n.max), "")
	}
	*n.p = f
	return nil
}

func (n number) append(dst []byte) []byte { return strconv.AppendFloat(dst, *n.p, 'f', -1, 64) }

// size is a number of bytes as people write it, "512MiB", or a word, kept as 0.
type size struct {
	p    *int64
	min  int64
	word string
}

// sizeUnits are what a size may end in, the largest first.
var sizeUnits = [...]struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

func (z size) set(v any) []fault {
	s, ok := v.(string)
	if !ok {
		return wants(fmt.Sprintf(`a size such as "512MiB", or %q`, z.word), v, "")
	}
	if s == z.word {
		*z.p = 0
		return nil
	}
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange) || n > math.MaxInt64/u.bytes:
			return whole(s+" is more than there can be", "")
		case err != nil || n < 0:
			return whole("bad size "+strconv.Quote(s), fmt.Sprintf(`wants a whole number and a unit, such as "512MiB", or %q`, z.word))
		case n*u.bytes < z.min:
			return whole(fmt.Sprintf("%s is too little, wants at least %s, or %q", s, sizeText(z.min), z.word), "")
		}
		*z.p = n * u.bytes
		return nil
	}
	return whole("bad size "+strconv.Quote(s), fmt.Sprintf(`the units are KiB, MiB, GiB and TiB, as in "512MiB"; %q is a word for it, too`, z.word))
}

func (z size) append(dst []byte) []byte {
	if *z.p == 0 {
		return appendString(dst, z.word)
	}
	return appendString(dst, sizeText(*z.p))
}

// sizeText is a size in the largest unit of which it is a whole number.
func sizeText(n int64) string {
	for _, u := range sizeUnits {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) // no size that was set
}

// duration is a stretch of time within bounds.
type duration struct {
	p        *time.Duration
	min, max time.Duration
}

func (d duration) set(v any) []fault {
	t, f := parseDuration(v, d.min, d.max)
	if f == nil {
		*d.p = t
	}
	return f
}

// seldom is a duration that may be 0 for never.
type seldom struct{ duration }

func (d seldom) set(v any) []fault {
	if t, f := parseDuration(v, 0, d.max); f == nil && t == 0 {
		*d.p = 0
		return nil
	}
	faults := d.duration.set(v)
	for i := range faults {
		if faults[i].hint == "" {
			faults[i].hint = `"0s" is never`
		}
	}
	return faults
}

func (d duration) append(dst []byte) []byte { return appendString(dst, spell(*d.p)) }

func parseDuration(v any, least, most time.Duration) (time.Duration, []fault) {
	s, ok := v.(string)
	if !ok {
		hint := ""
		if n, isInt := v.(int64); isInt {
			hint = fmt.Sprintf(`write "%ds" for seconds`, n)
		}
		return 0, wants(`a duration such as "5s"`, v, hint)
	}
	t, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, whole("bad duration "+strconv.Quote(s), durationHint(s))
	case t < least || t > most:
		return 0, whole(fmt.Sprintf("%s is out of range, wants %s to %s", s, spell(least), spell(most)), "")
	}
	return t, nil
}

func durationHint(s string) string {
	if n, err := strconv.ParseFloat(strings.TrimSuffix(s, "d"), 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
		if strings.HasSuffix(s, "d") {
			return fmt.Sprintf("there are no days: write %q", strconv.FormatFloat(24*n, 'f', -1, 64)+"h")
		}
		return fmt.Sprintf("a number needs a unit: %q", s+"s")
	}
	return `units are ms, s, m and h, as in "1m30s"`
}

// spell is d as people write it: Go's 1h0m0s is 1h.
func spell(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// unquoted is the hint for a number or boolean that was written as a string.
func unquoted(v any) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil || s == "true" || s == "false" {
		return "write " + s + ", without quotes"
	}
	return ""
}

// quoted is the hint for a string that was written without its quotes.
func quoted(v any) string {
	switch v := v.(type) {
	case int64:
		return fmt.Sprintf(`write "%d"`, v)
	case bool:
		return fmt.Sprintf(`write "%t"`, v)
	}
	return ""
}

// appendString writes s as a TOML basic string. JSON's escapes are TOML's, but
// strconv.Quote's \x is not.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}

// prefixOf reads one network.
func prefixOf(s string) (netip.Prefix, string, string) {
	p, err := netip.ParsePrefix(s)
	if err == nil {
		if p != p.Masked() {
			return p, strconv.Quote(s) + " has bits set behind its length", "write " + strconv.Quote(p.Masked().String())
		}
		return p, "", ""
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return p, strconv.Quote(s) + " is an address, wants a network", fmt.Sprintf("write %q", fmt.Sprintf("%s/%d", a, a.BitLen()))
	}
	return p, strconv.Quote(s) + " is no network", `write it as "10.0.0.0/8" or "2001:db8::/32"`
}
