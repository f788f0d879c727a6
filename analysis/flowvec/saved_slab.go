package flowvec

import (
	"errors"

	"pcapdir/analysis/pages"
	"pcapdir/source/snap"
)

// ErrConfig says that what was saved is of another configuration than what it is
// to be loaded into.
var ErrConfig = errors.New("the state was saved under another configuration")

var errDamaged = errors.New("the saved flow vectors do not hold together")

// save writes the entries, a chunk at a time.
func (s *slab[T]) save(w *snap.Writer) {
	w.Put(&s.n)
	left := int(s.n)
	for _, c := range s.chunks {
		part := c[:min(left, pages.ChunkLen)]
		w.Put(&part)
		left -= len(part)
	}
}

// load reads what save wrote. s is empty before.
func (s *slab[T]) load(r *snap.Reader) error {
	var n uint32
	if !r.Get(&n) {
		return r.Err()
	}
	for left := int(n); left > 0; left -= pages.ChunkLen {
		var part []T
		if !r.Get(&part) {
			return r.Err()
		}
		if len(part) != min(left, pages.ChunkLen) {
			return errDamaged
		}
		if len(part) < pages.ChunkLen {
			part = append(make([]T, 0, pages.ChunkLen), part...)[:pages.ChunkLen]
		}
		s.chunks = append(s.chunks, (*pages.Chunk[T])(part))
	}
	s.n = n
	return nil
}

func (s *slabs) save(w *snap.Writer) {
	s.pairs.save(w)
	s.busy.save(w)
	s.lists.save(w)
	s.sums.save(w)
}

// load reads what save wrote, and checks that every place in it is one. s is empty before.
func (s *slabs) load(r *snap.Reader) error {
	for _, load := range []func(*snap.Reader) error{s.pairs.load, s.busy.load, s.lists.load, s.sums.load} {
		if err := load(r); err != nil {
			return err
		}
	}
	for place := range s.pairs.n {
		if !s.holds(s.pairs.at(place + 1)) {
			return errDamaged
		}
	}
	for place := range s.lists.n {
		if s.lists.at(place+1).n > maxUIDs {
			return errDamaged
		}
	}
	for place := range s.sums.n {
		if of := s.sums.at(place + 1); max(of[0].ports.n, of[1].ports.n) > manyPorts {
			return errDamaged
		}
	}
	return nil
}

// holds says whether q is one that a table can have made, as far as anything is
// looked up by it.
func (s *slabs) holds(q *pair) bool {
	if q.flags&known == 0 || q.lo.Compare(q.hi) > 0 || q.sums > s.sums.n {
		return false
	}
	if q.flags&listed != 0 && (q.since == 0 || q.since > s.lists.n) {
		return false
	}
	for side := range q.sides {
		f := &q.sides[side]
		if f.busy > s.busy.n || f.n > fewPackets {
			return false
		}
		for _, slot := range f.slots[:f.n] {
			if slot >= slotsPerPane {
				return false
			}
		}
	}
	return true
}
