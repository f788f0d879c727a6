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

// lines are those of coverage.log, but for the wall clock.
func (c covered) lines() (all []logs.Coverage) {
	for _, source := range slices.Sorted(maps.Keys(c)) {
		sum := c[source].Summary()
		l := logs.Coverage{
			Source: source, Captures: uint64(c[source].Captures), FirstTS: sum.All.From.Seconds(), LastTS: sum.All.To.Seconds(),
			Covered: sum.Covered.Seconds(), Overlap: sum.Overlap.Seconds(), Gaps: uint64(sum.Gaps), Missing: sum.Missing.Seconds(),
		}
		for _, g := range sum.Longest {
			l.Longest = append(l.Longest, logs.Gap{FromTS: g.From.Seconds(), ToTS: g.To.Seconds()})
		}
		all = append(all, l)
	}
	return all
}
