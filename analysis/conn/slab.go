package conn

// chunkLen is how many elements a slab grows by: growing never copies, and a
// tracker with few connections stays small.
const chunkLen = 1024

// linked is an element that can lend a field to the list of free elements.
type linked[T any] interface {
	*T
	link() *uint32
}

// slab holds elements without pointers in chunks that never move, named by
// index. Index 0 is no element. Freed elements are reused, the last freed first.
type slab[T any, P linked[T]] struct {
	chunks []*[chunkLen]T
	free   uint32
	used   uint32 // elements ever handed out, plus the unused one at 0
}

// at is the element with index i. It stays where it is until freed.
func (s *slab[T, P]) at(i uint32) *T {
	return &s.chunks[i/chunkLen][i%chunkLen]
}

// alloc hands out a zeroed element.
func (s *slab[T, P]) alloc() (uint32, *T) {
	if i := s.free; i != 0 {
		x := s.at(i)
		s.free = *P(x).link()
		var zero T
		*x = zero
		return i, x
	}
	if s.used == 0 {
		s.used = 1
	}
	if int(s.used/chunkLen) == len(s.chunks) {
		s.chunks = append(s.chunks, new([chunkLen]T))
	}
	i := s.used
	s.used++
	return i, s.at(i)
}

// release takes element i back.
func (s *slab[T, P]) release(i uint32) {
	*P(s.at(i)).link() = s.free
	s.free = i
}
