package snap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unsafe"
)

// ErrLayout says that a stream was written by a program whose values lie
// differently in memory: another version of it, or on another kind of machine.
var ErrLayout = errors.New("the state was written by another version of pcapdird")

// Reader reads values from a stream, in the order in which they were put. The
// first error stays, and ends all reading: what Get fills is then undefined.
type Reader struct {
	r       *bufio.Reader
	left    uint64 // bytes of the stream
	known   map[reflect.Type]bool
	flat    flats
	scratch [8]byte
	err     error
}

// NewReader begins to read a stream of size bytes.
func NewReader(r io.Reader, size int64) *Reader {
	s := &Reader{r: bufio.NewReaderSize(r, bufferSize), left: uint64(size), known: map[reflect.Type]bool{}, flat: flats{}}
	var word uint64
	if s.raw(unsafe.Pointer(&word), unsafe.Sizeof(word)); s.err == nil && word != order {
		s.err = ErrLayout
	}
	return s
}

// Get fills what each of the pointers points to. False says that it could not;
// Err says why.
func (s *Reader) Get(pointers ...any) bool {
	for _, p := range pointers {
		v := reflect.ValueOf(p)
		t := v.Type().Elem()
		if !s.known[t] {
			s.known[t] = true
			if layout := s.number(); s.err == nil && layout != layoutOf(t) {
				s.err = fmt.Errorf("%w (%s)", ErrLayout, t)
			}
		}
		s.get(t, v.UnsafePointer())
	}
	return s.err == nil
}

// Err is the first error of all.
func (s *Reader) Err() error { return s.err }

// End is an error unless everything was read, without one.
func (s *Reader) End() error {
	if s.err == nil && s.left > 0 {
		s.err = fmt.Errorf("%d bytes too many", s.left)
	}
	return s.err
}

// get fills the value of type t at p.
func (s *Reader) get(t reflect.Type, p unsafe.Pointer) {
	switch {
	case s.err != nil:
		return
	case s.flat.has(t):
		s.raw(p, t.Size())
		return
	}
	v := reflect.NewAt(t, p).Elem()
	switch t.Kind() {
	case reflect.String:
		*(*string)(p) = ""
		if n := s.length(1); n > 0 {
			text := make([]byte, n)
			s.raw(unsafe.Pointer(unsafe.SliceData(text)), uintptr(n))
			*(*string)(p) = string(text)
		}
	case reflect.Pointer:
		v.SetZero()
		if s.number() != 0 && s.err == nil {
			to := reflect.New(t.Elem())
			s.get(t.Elem(), to.UnsafePointer())
			v.Set(to)
		}
	case reflect.Array:
		s.elements(t.Elem(), p, t.Len())
	case reflect.Slice:
		v.SetZero()
		if n := s.length(t.Elem().Size()); n >= 0 {
			v.Set(reflect.MakeSlice(t, n, n))
			s.elements(t.Elem(), v.UnsafePointer(), n)
		}
	case reflect.Map:
		s.getMap(t, v)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			s.get(f.Type, unsafe.Add(p, f.Offset))
		}
	default:
		panic(fmt.Sprintf("BUG: a %s cannot be in a snapshot", t))
	}
}

func (s *Reader) elements(t reflect.Type, p unsafe.Pointer, n int) {
	if s.flat.has(t) {
		s.raw(p, t.Size()*uintptr(n))
		return
	}
	for i := range n {
		s.get(t, unsafe.Add(p, uintptr(i)*t.Size()))
	}
}

func (s *Reader) getMap(t reflect.Type, m reflect.Value) {
	m.SetZero()
	n := s.length(t.Key().Size() + t.Elem().Size())
	if n < 0 {
		return
	}
	m.Set(reflect.MakeMapWithSize(t, n))
	for range n {
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		s.get(t.Key(), key.Addr().UnsafePointer())
		s.get(t.Elem(), value.Addr().UnsafePointer())
		if s.err != nil {
			return
		}
		m.SetMapIndex(key, value)
	}
}

// length reads how many elements follow, -1 for a nil. size is what each of them
// takes in memory: in the stream it takes at least a quarter of that, and a byte.
func (s *Reader) length(size uintptr) int {
	n := s.number()
	if n == none || s.err != nil {
		return -1
	}
	if least := max(1, uint64(size)/4); n > s.left/least {
		s.err = fmt.Errorf("%d elements in %d bytes", n, s.left)
		return -1
	}
	return int(n)
}

func (s *Reader) number() uint64 {
	s.raw(unsafe.Pointer(&s.scratch), 8)
	return binary.LittleEndian.Uint64(s.scratch[:])
}

// raw reads n bytes to p.
func (s *Reader) raw(p unsafe.Pointer, n uintptr) {
	if s.err != nil || n == 0 {
		return
	}
	if uint64(n) > s.left {
		s.err = io.ErrUnexpectedEOF
		return
	}
	s.left -= uint64(n)
	_, s.err = io.ReadFull(s.r, unsafe.Slice((*byte)(p), n))
}
