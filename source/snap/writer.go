package snap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"unsafe"
)

// order is how this machine stores a number: what lies in memory can be read on
// another one only where that does the same.
const order = 0x0102030405060708

// bufferSize is how much is written, or read, at once.
const bufferSize = 256 << 10

// none is the length of a nil slice or map.
const none = ^uint64(0)

// Writer writes values to a stream. The first error stays, and ends all writing.
type Writer struct {
	w       *bufio.Writer
	known   map[reflect.Type]bool
	flat    flats
	scratch [8]byte
	err     error
}

// NewWriter begins a stream. Close is to be called at its end.
func NewWriter(w io.Writer) *Writer {
	s := &Writer{w: bufio.NewWriterSize(w, bufferSize), known: map[reflect.Type]bool{}, flat: flats{}}
	word := uint64(order)
	s.raw(unsafe.Pointer(&word), unsafe.Sizeof(word))
	return s
}

// Put writes what each of the pointers points to, with all that it reaches. Two
// pointers to one value make two values of it, and circles never end. Functions,
// channels and interfaces cannot be written: that is a bug of the caller.
func (s *Writer) Put(pointers ...any) {
	for _, p := range pointers {
		v := reflect.ValueOf(p)
		t := v.Type().Elem()
		if !s.known[t] {
			s.known[t] = true
			s.number(layoutOf(t))
		}
		s.put(t, v.UnsafePointer())
	}
}

// Close writes what is buffered, and returns the first error of all.
func (s *Writer) Close() error {
	if s.err == nil {
		s.err = s.w.Flush()
	}
	return s.err
}

// put writes the value of type t at p.
func (s *Writer) put(t reflect.Type, p unsafe.Pointer) {
	if s.flat.has(t) {
		s.raw(p, t.Size())
		return
	}
	switch t.Kind() {
	case reflect.String:
		text := *(*string)(p)
		s.number(uint64(len(text)))
		s.raw(unsafe.Pointer(unsafe.StringData(text)), uintptr(len(text)))
	case reflect.Pointer:
		to := *(*unsafe.Pointer)(p)
		if to == nil {
			s.number(0)
			return
		}
		s.number(1)
		s.put(t.Elem(), to)
	case reflect.Array:
		s.elements(t.Elem(), p, t.Len())
	case reflect.Slice:
		v := reflect.NewAt(t, p).Elem()
		if v.IsNil() {
			s.number(none)
			return
		}
		s.number(uint64(v.Len()))
		s.elements(t.Elem(), v.UnsafePointer(), v.Len())
	case reflect.Map:
		s.putMap(t, reflect.NewAt(t, p).Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			s.put(f.Type, unsafe.Add(p, f.Offset))
		}
	default:
		panic(fmt.Sprintf("BUG: a %s cannot be in a snapshot", t))
	}
}

func (s *Writer) elements(t reflect.Type, p unsafe.Pointer, n int) {
	if s.flat.has(t) {
		s.raw(p, t.Size()*uintptr(n))
		return
	}
	for i := range n {
		s.put(t, unsafe.Add(p, uintptr(i)*t.Size()))
	}
}

func (s *Writer) putMap(t reflect.Type, m reflect.Value) {
	if m.IsNil() {
		s.number(none)
		return
	}
	s.number(uint64(m.Len()))
	key, value := reflect.New(t.Key()), reflect.New(t.Elem())
	for at := m.MapRange(); at.Next(); {
		key.Elem().Set(at.Key())
		value.Elem().Set(at.Value())
		s.put(t.Key(), key.UnsafePointer())
		s.put(t.Elem(), value.UnsafePointer())
	}
}

func (s *Writer) number(n uint64) {
	binary.LittleEndian.PutUint64(s.scratch[:], n)
	s.raw(unsafe.Pointer(&s.scratch), 8)
}

// raw writes n bytes of memory.
func (s *Writer) raw(p unsafe.Pointer, n uintptr) {
	if s.err == nil && n > 0 {
		_, s.err = s.w.Write(unsafe.Slice((*byte)(p), n))
	}
}
