package spool

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Stage is how far a file in the spool has come, in a word for people.
type Stage string

// The stages. A file that is Kept was read and waits for nothing.
const (
	Settling   Stage = "settling"
	Held       Stage = "held"
	Admitted   Stage = "admitted"
	Unreadable Stage = "unreadable"
	Kept       Stage = "kept"
)

// stage is the stage of a state.
func (s state) stage() Stage {
	switch s {
	case settling:
		return Settling
	case grouped, held, released:
		return Held
	case admitted, listed:
		return Admitted
	case unreadable:
		return Unreadable
	default:
		return Kept
	}
}

// Waiting is a file that lies in the spool and is not wholly read.
type Waiting struct {
	Path, Source string
	Stage        Stage
	Size         int64
	Arrived      time.Time // when it was first seen

	rank int // the lower ones come first
}

// Waiting are files that wait, most of them at most: those whose paths are in first, then
// those that cannot be read, then the others, each as they came.
func (s *Spool) Waiting(most int, first map[string]bool) []Waiting {
	list := make([]Waiting, 0, 2*most+1)
	full := false // then others must come before the last one
	s.mu.Lock()
	for _, e := range s.entries {
		w := Waiting{Path: e.path, Source: e.source, Stage: e.state.stage(), Size: e.id.Size, Arrived: e.arrived, rank: 2}
		switch {
		case w.Stage == Kept:
			continue
		case first[w.Path]:
			w.rank = 0
		case w.Stage == Unreadable:
			w.rank = 1
		}
		if full && compareWaiting(w, list[most-1]) > 0 {
			continue
		}
		if list = append(list, w); len(list) == cap(list) {
			slices.SortFunc(list, compareWaiting)
			list, full = list[:most], most > 0
		}
	}
	s.mu.Unlock()
	slices.SortFunc(list, compareWaiting)
	return list[:min(len(list), most)]
}

func compareWaiting(a, b Waiting) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), a.Arrived.Compare(b.Arrived), strings.Compare(a.Path, b.Path))
}
