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
}

// Waiting are files that wait, those that came first first, most of them at most, and how
// many there are.
func (s *Spool) Waiting(most int) (list []Waiting, all int) {
	s.mu.Lock()
	for _, e := range s.entries {
		if stage := e.state.stage(); stage != Kept {
			list = append(list, Waiting{e.path, e.source, stage, e.id.Size, e.arrived})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b Waiting) int {
		return cmp.Or(a.Arrived.Compare(b.Arrived), strings.Compare(a.Path, b.Path))
	})
	return slices.Clone(list[:min(len(list), most)]), len(list)
}
