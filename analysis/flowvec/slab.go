package flowvec

import (
	"sync"

	"pcapdir/analysis/pages"
)

// slab holds entries without pointers in chunks: it grows without moving any,
// and its chunks go round between the open pane and closed ones, because
// memory that was never touched costs more than all that is done with it.
type slab[T any] struct {
	chunks []*pages.Chunk[T]
	n      uint32
	spare  *sync.Pool // of chunks, each an allocation of its own: one that lives on must not keep others
}

// at is the entry at place, which counts from 1.
func (s *slab[T]) at(place uint32) *T {
	i := place - 1
	return s.chunks[i/pages.ChunkLen].At(i)
}

// add makes a zero entry at the next place.
func (s *slab[T]) add() (place uint32, entry *T) {
	if int(s.n) == len(s.chunks)*pages.ChunkLen {
		chunk, ok := s.spare.Get().(*pages.Chunk[T])
		if !ok {
			chunk = new(pages.Chunk[T])
		}
		s.chunks = append(s.chunks, chunk)
	}
	s.n++
	entry = s.at(s.n)
	*entry = *new(T)
	return s.n, entry
}

// take leaves s empty and hands its entries over.
func (s *slab[T]) take() slab[T] {
	taken := *s
	s.chunks, s.n = nil, 0
	return taken
}

// release gives the chunks back. Nobody may look at them any more.
func (s *slab[T]) release() {
	for _, c := range s.chunks {
		poison(c)
		s.spare.Put(c)
	}
	s.chunks, s.n = nil, 0
}

// slabs are all that a pane consists of.
type slabs struct {
	pairs slab[pair]
	busy  slab[busy]
	lists slab[uidList]
	sums  slab[[2]flowSums]
}

func newSlabs() slabs {
	return slabs{
		pairs: slab[pair]{spare: new(sync.Pool)}, busy: slab[busy]{spare: new(sync.Pool)},
		lists: slab[uidList]{spare: new(sync.Pool)}, sums: slab[[2]flowSums]{spare: new(sync.Pool)},
	}
}

func (s *slabs) take() slabs {
	return slabs{s.pairs.take(), s.busy.take(), s.lists.take(), s.sums.take()}
}

func (s *slabs) release() {
	s.pairs.release()
	s.busy.release()
	s.lists.release()
	s.sums.release()
}
