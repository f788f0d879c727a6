package snap

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// flat says whether values of t are whole as they lie in memory.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return true
	case reflect.Array:
		return t.Len() == 0 || flat(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !flat(t.Field(i).Type) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// flats remembers of which types values are flat: they are asked about again and again.
type flats map[reflect.Type]bool

func (f flats) has(t reflect.Type) bool {
	is, ok := f[t]
	if !ok {
		is = flat(t)
		f[t] = is
	}
	return is
}

// layoutOf sums up how values of t lie in memory, and those that they reach.
func layoutOf(t reflect.Type) uint64 {
	var b strings.Builder
	describe(&b, t, map[reflect.Type]bool{})
	return xxhash.Sum64String(b.String())
}

func describe(b *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprintf(b, "%s %s %d;", t, t.Kind(), t.Size())
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Array, reflect.Slice, reflect.Pointer:
		describe(b, t.Elem(), seen)
	case reflect.Map:
		describe(b, t.Key(), seen)
		describe(b, t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(b, "%s@%d:", f.Name, f.Offset)
			describe(b, f.Type, seen)
		}
	}
}
