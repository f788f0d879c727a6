package spool

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Problem is a file or directory of the spool that cannot be used for now.
type Problem struct {
	Path   string
	Reason string
	Since  time.Time
}

// Status is a picture of the spool for people and for health checks.
type Status struct {
	Paused     bool          // nothing is admitted
	Settling   int           // files that may still be written to
	Grouped    int           // files indexed and held back
	Admitted   int           // files being read, or read and not yet put away
	Kept       int           // files read and left in the spool
	Oldest     time.Duration // how long ago the oldest file that waits was first seen
	Vanished   uint64        // files that were gone before they were opened
	Unreadable int           // files that cannot be opened or read; they stay and are tried again
	Troubles   int           // unusable directories and unreadable files, all of them
	Problems   []Problem     // the unusable directories and unreadable files, oldest first, 100 at most
}

// Waiting is how many files the spool holds that are not wholly read.
func (s Status) Waiting() int { return s.Settling + s.Grouped + s.Admitted + s.Unreadable }

// maxProblems bounds Status.Problems.
const maxProblems = 100

// Status takes the picture. It may be called at any time.
func (s *Spool) Status() Status {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Paused: s.paused, Vanished: s.vanished}
	for _, p := range s.problems {
		st.Problems = append(st.Problems, p)
	}
	for _, e := range s.entries {
		switch e.state.stage() {
		case Settling:
			st.Settling++
		case Held:
			st.Grouped++
		case Admitted:
			st.Admitted++
		case Unreadable:
			st.Unreadable++
			st.Problems = append(st.Problems, Problem{e.path, e.err.Error(), e.since})
		case Kept:
			st.Kept++
			continue // it waits for nothing
		}
		st.Oldest = max(st.Oldest, now.Sub(e.arrived))
	}
	slices.SortFunc(st.Problems, func(a, b Problem) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Path, b.Path))
	})
	st.Troubles = len(st.Problems)
	st.Problems = st.Problems[:min(len(st.Problems), maxProblems)]
	return st
}
