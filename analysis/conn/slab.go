package conn

import "pcapdir/analysis/pages"

// slab holds elements without pointers in chunks that never move, named by
// index: growing never copies. Index 0 is no element. Freed elements are reused,
// the last freed first.
type slab[T any] struct {
	chunks []*pages.Chunk[T]
	fresh  pages.Chunks[T]
	free   []uint32 // apart from the elements: to reuse one reads no other
	used   uint32   // elements ever handed out, plus the unused one at 0
}

// at is the element with index i. It stays where it is until freed.
func (s *slab[T]) at(i uint32) *T {
	return s.chunks[i/pages.ChunkLen].At(i)
}

// alloc hands out a zeroed element.
func (s *slab[T]) alloc() (uint32, *T) {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		x := s.at(i)
		var zero T
		*x = zero
		return i, x
	}
	if s.used == 0 {
		s.used = 1
	}
	if int(s.used/pages.ChunkLen) == len(s.chunks) {
		s.chunks = append(s.chunks, s.fresh.Next())
	}
	i := s.used
	s.used++
	return i, s.at(i)
}

// release takes element i back.
func (s *slab[T]) release(i uint32) { s.free = append(s.free, i) }

// live is how many elements are in use.
func (s *slab[T]) live() int { return max(0, int(s.used)-1-len(s.free)) }

// coming are up to n of the freed elements that alloc hands out next.
func (s *slab[T]) coming(n int) []uint32 { return s.free[max(0, len(s.free)-n):] }
