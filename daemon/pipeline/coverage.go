package pipeline

import (
	"maps"
	"path/filepath"
	"slices"

	"pcapdir/analysis/logs"
	"pcapdir/source/coverage"
)

// maxSources bounds the directories whose time is kept apart; files of others count
// for the directory named "".
const maxSources = 10_000

// covered is the time that files cover, by directory. Its owner locks it.
type covered map[string]*coverage.Set

// add takes in a file that was put away.
func (c covered) add(f *file) {
	b := f.books
	if !b.HasTimes {
		return
	}
	source := filepath.Dir(f.Path)
	if c[source] == nil && len(c) >= maxSources {
		source = ""
	}
	if c[source] == nil {
		c[source] = &coverage.Set{}
	}
	c[source].Add(coverage.Span{From: b.First, To: b.Last})
}

// longestGaps is how many gaps of a directory are named.
const longestGaps = 10

// lines are those of coverage.log, but for the wall clock.
func (c covered) lines() (all []logs.Coverage) {
	for _, source := range slices.Sorted(maps.Keys(c)) {
		s := c[source]
		span, _ := s.All()
		gaps := s.Gaps()
		l := logs.Coverage{
			Source: source, Captures: uint64(s.Captures), FirstTS: span.From.Seconds(), LastTS: span.To.Seconds(),
			Covered: s.Covered().Seconds(), Overlap: s.Overlap.Seconds(), Gaps: uint64(len(gaps) + s.Closed),
		}
		for _, g := range gaps {
			l.Missing += g.Length().Seconds()
		}
		for _, g := range coverage.Longest(gaps, longestGaps) {
			l.Longest = append(l.Longest, logs.Gap{FromTS: g.From.Seconds(), ToTS: g.To.Seconds()})
		}
		all = append(all, l)
	}
	return all
}
