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
	stock  *stock[T]
}

// at is the entry at place, which counts from 1.
func (s *slab[T]) at(place uint32) *T {
	i := place - 1
	return &s.chunks[i/pages.ChunkLen][i%pages.ChunkLen]
}

// add makes a zero entry at the next place.
func (s *slab[T]) add() (place uint32, entry *T) {
	if int(s.n) == len(s.chunks)*pages.ChunkLen {
		s.chunks = append(s.chunks, s.stock.chunk())
	}
	s.n++
	entry = s.at(s.n)
	*entry = *new(T)
	return s.n, entry
}

// stock is where the slabs of a table, and of the panes it closed, get their
// chunks from. Whoever closes panes gives chunks back, the table's owner takes them.
type stock[T any] struct {
	spare sync.Pool
	fresh pages.Chunks[T] // the table's owner alone
}

// chunk holds anything.
func (s *stock[T]) chunk() *pages.Chunk[T] {
	if c, ok := s.spare.Get().(*pages.Chunk[T]); ok {
		return c
	}
	return s.fresh.Next()
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
		s.stock.spare.Put(c)
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
		pairs: slab[pair]{stock: new(stock[pair])}, busy: slab[busy]{stock: new(stock[busy])},
		lists: slab[uidList]{stock: new(stock[uidList])}, sums: slab[[2]flowSums]{stock: new(stock[[2]flowSums])},
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
