package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// list is a value of several elements. Faults name the element, so that the
// third of five windows is pointed at and not the key.
type list interface {
	value
	isList()
}

// eachOf hands the elements of v to one, which stores or finds fault.
func eachOf(what string, v any, one func(any) []fault) []fault {
	elems, ok := v.([]any)
	if !ok {
		hint := ""
		switch v := v.(type) {
		case string:
			hint = "write [" + strconv.Quote(v) + "]"
		case int64:
			hint = fmt.Sprintf("write [%d]", v)
		}
		return wants(what, v, hint)
	}
	var faults []fault
	for i, e := range elems {
		for _, f := range one(e) {
			f.index = i
			faults = append(faults, f)
		}
	}
	return faults
}

// store puts got into p unless something is wrong with it, with no element
// twice: a second one is a typing error or a misunderstanding.
func store[T comparable](p *[]T, got []T, faults []fault) []fault {
	if len(faults) > 0 {
		return faults
	}
	for i, e := range got {
		if slices.Contains(got[:i], e) {
			faults = append(faults, fault{i, fmt.Sprintf("%v is in the list already", show(e)), "leave it out"})
		}
	}
	if len(faults) == 0 {
		*p = got
	}
	return faults
}

func show(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return spell(v)
	case string:
		return strconv.Quote(v)
	default:
		return fmt.Sprint(v)
	}
}

func appendList[T any](dst []byte, elems []T, one func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, e := range elems {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = one(dst, e)
	}
	return append(dst, ']')
}

// paths is one path or more.
type paths struct{ p *[]string }

func (paths) isList() {}

func (p paths) set(v any) []fault {
	var got []string
	faults := eachOf("a list of paths", v, func(e any) []fault {
		var s string
		f := path{&s}.set(e)
		got = append(got, s)
		return f
	})
	if len(faults) == 0 && len(got) == 0 {
		return whole("is empty, wants at least one path", "")
	}
	return store(p.p, got, faults)
}

func (p paths) append(dst []byte) []byte { return appendList(dst, *p.p, appendString) }

// prefixes is a list of networks, maybe empty.
type prefixes struct{ p *[]netip.Prefix }

func (prefixes) isList() {}

func (p prefixes) set(v any) []fault {
	var got []netip.Prefix
	faults := eachOf("a list of networks", v, func(e any) []fault {
		s, ok := e.(string)
		if !ok {
			return wants(`a network such as "10.0.0.0/8"`, e, "")
		}
		net, msg, hint := prefixOf(s)
		got = append(got, net)
		if msg != "" {
			return whole(msg, hint)
		}
		return nil
	})
	return store(p.p, got, faults)
}

func (p prefixes) append(dst []byte) []byte {
	return appendList(dst, *p.p, func(dst []byte, n netip.Prefix) []byte { return appendString(dst, n.String()) })
}

// durations is one duration or more, in the order they were written.
type durations struct {
	p          *[]time.Duration
	least, max time.Duration
	most       int
}

func (durations) isList() {}

func (d durations) set(v any) []fault {
	var got []time.Duration
	faults := eachOf("a list of durations", v, func(e any) []fault {
		t, f := parseDuration(e, d.least, d.max)
		got = append(got, t)
		return f
	})
	if len(faults) == 0 && len(got) > d.most {
		return whole(fmt.Sprintf("has %d elements, wants %d at most", len(got), d.most), "")
	}
	return store(d.p, got, faults)
}

func (d durations) append(dst []byte) []byte {
	return appendList(dst, *d.p, func(dst []byte, t time.Duration) []byte { return appendString(dst, spell(t)) })
}
