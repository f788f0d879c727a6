package snap

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"
)

type leaf struct {
	a uint16
	b float64
	c [3]int8
	d bool
}

type tree struct {
	name   string
	leaves []leaf
	byName map[string][]leaf
	next   *tree
	pairs  [2][]uint32
	none   []int
	empty  []int
	nomap  map[int]int
	flat   leaf
}

func sample() *tree {
	return &tree{
		name: "root", leaves: []leaf{{1, math.NaN(), [3]int8{-1, 0, 1}, true}, {2, math.Inf(1), [3]int8{}, false}},
		byName: map[string][]leaf{"": nil, "x": {{a: 7}}}, pairs: [2][]uint32{{1, 2, 3}, nil}, empty: []int{},
		next: &tree{name: "below", flat: leaf{a: 9}},
	}
}

func written(t testing.TB, values ...any) []byte {
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Put(values...)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want, n := sample(), 42
	text := written(t, want, &n, want)
	r := NewReader(bytes.NewReader(text), int64(len(text)))
	a, b, m := &tree{name: "what was there goes", nomap: map[int]int{1: 1}, none: []int{1}, next: &tree{}}, &tree{}, 0
	if !r.Get(a, &m, b) || r.End() != nil {
		t.Fatal(r.Err())
	}
	for _, got := range []*tree{a, b} {
		if !math.IsNaN(got.leaves[0].b) {
			t.Error("NaN is lost")
		}
		got.leaves[0].b = 0
	}
	want.leaves[0].b = 0
	if !reflect.DeepEqual(a, want) || !reflect.DeepEqual(b, want) || m != n {
		t.Errorf("got %+v, %d and %+v, want %+v and %d", a, m, b, want, n)
	}
}

// Another layout is refused, also where the bytes would fit, and so is what is
// neither ended nor complete.
func TestRefusals(t *testing.T) {
	type wide struct{ a, b uint32 }
	type narrow struct{ a, c uint32 }
	text := written(t, &wide{1, 2})
	read := func(text []byte, into any) error {
		r := NewReader(bytes.NewReader(text), int64(len(text)))
		r.Get(into)
		return r.End()
	}
	if err := read(text, &narrow{}); !errors.Is(err, ErrLayout) {
		t.Errorf("another field: %v", err)
	}
	if err := read(text, new(uint64)); !errors.Is(err, ErrLayout) {
		t.Errorf("another type: %v", err)
	}
	swapped := bytes.Clone(text)
	swapped[0], swapped[7] = swapped[7], swapped[0]
	if err := read(swapped, &wide{}); !errors.Is(err, ErrLayout) {
		t.Errorf("another machine: %v", err)
	}
	if err := read(text[:len(text)-1], &wide{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
	if err := read(append(text, 0), &wide{}); err == nil {
		t.Error("too long, and nothing is said")
	}
	if err := read(nil, &wide{}); err == nil {
		t.Error("empty, and nothing is said")
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a function was written")
		}
	}()
	f := func() {}
	NewWriter(io.Discard).Put(&f)
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestErrorOfTheStreamStays(t *testing.T) {
	w := NewWriter(failing{})
	large := make([]byte, 2*bufferSize)
	w.Put(&large, &large)
	if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

// No stream makes a reader panic, or take more memory than a few times its length.
func FuzzReader(f *testing.F) {
	f.Add(written(f, sample()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		r := NewReader(bytes.NewReader(text), int64(len(text)))
		var got tree
		if r.Get(&got) && r.End() == nil {
			again := written(t, &got)
			if len(again) != len(text) {
				t.Errorf("%d bytes became %d", len(text), len(again))
			}
		}
	})
}

func BenchmarkPutFlat(b *testing.B) {
	table := make([][320]byte, 100_000)
	b.SetBytes(int64(len(table) * 320))
	for b.Loop() {
		w := NewWriter(io.Discard)
		for i := range table {
			w.Put(&table[i])
		}
		_ = w.Close()
	}
}
