// Package coverage says which stretches of time captures cover, where they leave
// gaps, and where they overlap.
package coverage

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"pcapdir/source/packet"
)

// least is the shortest stretch without a capture that counts as a gap: between two
// files of one tap there is always the time to the next packet.
const least = time.Second

// maxSpans is how many stretches a Set keeps apart.
const maxSpans = 10_000

// Span is the time from the first to the last stamp of a capture, both included.
type Span struct{ From, To packet.Time }

// Length is how long the span is.
func (s Span) Length() time.Duration { return s.To.Sub(s.From) }

// Set is the time that the captures of one source cover. The zero value covers
// nothing. Spans that are less than least apart are one. Where there are more than
// maxSpans the shortest gap is closed, and counted as Closed.
type Set struct {
	Captures int
	Overlap  time.Duration // covered more than once, summed over captures
	Closed   int           // gaps that are no longer known

	spans []Span // apart, in order
}

// Add takes in the span of a capture.
func (s *Set) Add(a Span) {
	s.Captures++
	// All spans that a touches, near ones included, are from..to.
	from := sort.Search(len(s.spans), func(i int) bool { return a.From.Sub(s.spans[i].To) <= least })
	to := from
	for to < len(s.spans) && s.spans[to].From.Sub(a.To) <= least {
		if both := min(a.To, s.spans[to].To).Sub(max(a.From, s.spans[to].From)); both > 0 {
			s.Overlap += both
		}
		to++
	}
	if to > from {
		a = Span{min(a.From, s.spans[from].From), max(a.To, s.spans[to-1].To)}
	}
	s.spans = slices.Replace(s.spans, from, to, a)
	if len(s.spans) > maxSpans {
		s.closeShortest()
	}
}

func (s *Set) closeShortest() {
	at := 1
	for i := 2; i < len(s.spans); i++ {
		if s.gap(i).Length() < s.gap(at).Length() {
			at = i
		}
	}
	s.spans[at-1].To = s.spans[at].To
	s.spans = slices.Delete(s.spans, at, at+1)
	s.Closed++
}

// gap is what lies before the span i, which is not the first.
func (s *Set) gap(i int) Span { return Span{s.spans[i-1].To, s.spans[i].From} }

// All is the time from the first to the last stamp. ok is false while there is none.
func (s *Set) All() (all Span, ok bool) {
	if len(s.spans) == 0 {
		return Span{}, false
	}
	return Span{s.spans[0].From, s.spans[len(s.spans)-1].To}, true
}

// Spans are the stretches that are covered, apart and in order. The caller must not
// change them, and they hold until the next Add.
func (s *Set) Spans() []Span { return s.spans }

// Covered is how much time is covered.
func (s *Set) Covered() (sum time.Duration) {
	for _, a := range s.spans {
		sum += a.Length()
	}
	return sum
}

// Gaps are the stretches between those that are covered, in order.
func (s *Set) Gaps() (gaps []Span) {
	for i := 1; i < len(s.spans); i++ {
		gaps = append(gaps, s.gap(i))
	}
	return gaps
}

// Summary is what people and logs are told of a Set.
type Summary struct {
	All              Span // from the first stamp to the last
	Covered, Overlap time.Duration
	Gaps             int           // those that are no longer known included
	Missing          time.Duration // in the gaps that are known
	Longest          []Span        // gaps, the longest first
}

// longest is how many gaps a Summary names.
const longest = 10

// Summary sums up a set that covers something.
func (s *Set) Summary() Summary {
	all, _ := s.All()
	gaps := s.Gaps()
	sum := Summary{All: all, Covered: s.Covered(), Overlap: s.Overlap, Gaps: len(gaps) + s.Closed}
	for _, g := range gaps {
		sum.Missing += g.Length()
	}
	slices.SortStableFunc(gaps, func(a, b Span) int { return cmp.Compare(b.Length(), a.Length()) })
	sum.Longest = gaps[:min(longest, len(gaps))]
	return sum
}

// Depth is the most spans that cover one instant: as many captures have to be open
// at once. Ends that meet overlap.
func Depth(spans []Span) (most int) {
	type edge struct {
		at   packet.Time
		step int
	}
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.From, 1}, edge{s.To, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.step, a.step)) })
	depth := 0
	for _, e := range edges {
		depth += e.step
		most = max(most, depth)
	}
	return most
}
