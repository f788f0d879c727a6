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
	n      uint32     // places that were given out, those that were freed included
	freed  []uint32   // places to give out again
	spare  *sync.Pool // of chunks, each an allocation of its own: one that lives on must not keep others
}

// at is the entry at place, which counts from 1.
func (s *slab[T]) at(place uint32) *T {
	i := place - 1
	return s.chunks[i/pages.ChunkLen].At(i)
}

// add makes a zero entry: at a place that was freed, or the next one.
func (s *slab[T]) add() (place uint32, entry *T) {
	if n := len(s.freed); n > 0 {
		place, s.freed = s.freed[n-1], s.freed[:n-1]
		entry = s.at(place)
		*entry = *new(T)
		return place, entry
	}
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

// free lets add give out place again, unless it is 0.
func (s *slab[T]) free(place uint32) {
	if place != 0 {
		s.freed = append(s.freed, place)
	}
}

// cut forgets all entries but the first n.
func (s *slab[T]) cut(n uint32) {
	s.n = n
	used := (int(n) + pages.ChunkLen - 1) / pages.ChunkLen
	s.giveBack(s.chunks[used:])
	s.chunks = s.chunks[:used]
}

// take leaves s empty and hands its entries over.
func (s *slab[T]) take() slab[T] {
	taken := *s
	s.chunks, s.n, s.freed = nil, 0, nil
	return taken
}

// release gives the chunks back. Nobody may look at them any more.
func (s *slab[T]) release() {
	s.giveBack(s.chunks)
	s.chunks, s.n, s.freed = nil, 0, nil
}

func (s *slab[T]) giveBack(chunks []*pages.Chunk[T]) {
	for _, c := range chunks {
		poison(c)
		s.spare.Put(c)
	}
	clear(chunks)
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
