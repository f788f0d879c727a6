package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/source/clock"
	"pcapdir/source/coverage"
	"pcapdir/source/decode"
	"pcapdir/source/spool"
)

// Options are what a run would have.
type Options struct {
	Files  *spool.Descriptors
	Window time.Duration // order.window
	Copies bool          // copies are read too, as spool.duplicates = "read" has it
	Full   bool          // read every file to its end
	Shards int
	// Progress hears how many of how many files are surveyed; nil is fine.
	Progress func(done, all int)
}

// Plan is what a backlog holds. Times are seconds since the Unix epoch, as in logs.
type Plan struct {
	Files      int      `json:"files"`
	Bytes      int64    `json:"bytes"`             // on disk
	Packets    uint64   `json:"packets"`           // an estimate unless PacketsExact
	Exact      bool     `json:"packets_exact"`     // every file was read to its end
	FirstTS    float64  `json:"first_ts"`          // 0 without packets
	LastTS     float64  `json:"last_ts"`           // of the files whose end is known
	OpenEnds   int      `json:"unknown_ends"`      // files whose last stamp is not known: --full reads them
	Depth      int      `json:"overlap_depth"`     // the most files of one instant: so many are open at once
	Limit      int      `json:"open_files_limit"`  // so many may be
	Duplicates int      `json:"duplicates"`        // copies, which are not read
	Empty      int      `json:"without_packets"`   // captures without packets
	Refused    []File   `json:"refused,omitempty"` // what will be set aside, and why
	Suspect    []File   `json:"suspect,omitempty"` // captures that begin before 1980 or ahead of the clock
	Kinds      []Kind   `json:"kinds"`             // formats and compressions
	Links      []Link   `json:"link_types"`
	Sources    []Source `json:"sources"`
	Estimate   Estimate `json:"estimate"`
}

// File is a file that needs a word.
type File struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Kind is a format and its compression.
type Kind struct {
	Format      string `json:"format"`
	Compression string `json:"compression,omitempty"`
	Files       int    `json:"files"`
	Bytes       int64  `json:"bytes"` // on disk
}

// Link is a link type.
type Link struct {
	Number  uint16 `json:"number"`
	Name    string `json:"name"`
	Decoded bool   `json:"decoded"`
	Files   int    `json:"files"`
}

// Source is a directory, which counts as one tap.
type Source struct {
	Name    string       `json:"name"` // relative to what was named; empty for that itself
	Files   int          `json:"files"`
	FirstTS float64      `json:"first_ts"`
	LastTS  float64      `json:"last_ts"`
	Covered float64      `json:"covered"` // seconds
	Overlap float64      `json:"overlap"` // seconds covered more than once
	Gaps    int          `json:"gaps"`    // stretches of more than a second that no file covers
	Missing float64      `json:"missing"` // seconds in gaps
	Longest []Gap        `json:"longest_gaps,omitempty"`
	Cover   coverage.Set `json:"-"`
}

// Gap is a stretch that no file covers.
type Gap struct {
	FromTS float64 `json:"from_ts"`
	ToTS   float64 `json:"to_ts"`
}

// Estimate is what a run will need, by a simple model.
type Estimate struct {
	Seconds float64 `json:"seconds"`
	Memory  int64   `json:"memory"` // bytes
	Basis   string  `json:"basis"`
}

// The model of a run, from the figures in contrib/doc: packets per second of a
// core, and bytes of memory for the process, for each open file, and for each
// shard of an open file.
const (
	packetsPerCore = 600_000
	baseMemory     = 100 << 20
	fileMemory     = 512 << 10
	queueMemory    = 5 * 256 * 128
)

// Make surveys what paths name, as read takes them. The error is that of ctx.
func Make(ctx context.Context, o Options, paths []string) (*Plan, error) {
	files, err := spool.Walk(ctx, o.Files, paths)
	if err == nil && !o.Copies {
		err = spool.SkipCopies(ctx, o.Files, o.Window, files)
	}
	if err != nil {
		return nil, err
	}
	surveys := make([]survey, len(files))
	var done atomic.Int64
	var g errgroup.Group
	g.SetLimit(min(o.Files.Limit(), 4*runtime.GOMAXPROCS(0)))
	for i, f := range files {
		g.Go(func() error {
			if f.Err == nil && f.HasRecords {
				surveys[i] = look(ctx, o.Files, f, o.Full)
			}
			if o.Progress != nil {
				o.Progress(int(done.Add(1)), len(files))
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	p := &Plan{Files: len(files), Exact: true, Limit: o.Files.Limit(), Kinds: []Kind{}, Links: []Link{}, Sources: []Source{}}
	c := collector{Plan: p, kinds: map[Kind]*Kind{}, links: map[uint16]*Link{}, sources: map[string]*Source{}}
	for i, f := range files {
		c.add(f, &surveys[i])
	}
	c.finish(o.Shards)
	return p, nil
}

// collector adds up.
type collector struct {
	*Plan
	packets float64
	kinds   map[Kind]*Kind
	links   map[uint16]*Link
	sources map[string]*Source
	spans   []dated
}

// dated is the span of a file of a source.
type dated struct {
	source *Source
	coverage.Span
}

func (c *collector) add(f *spool.File, s *survey) {
	c.Bytes += f.Size
	switch {
	case f.Err != nil:
		c.Refused = append(c.Refused, File{f.Path, f.Err.Error()})
		return
	case f.Verdict.Outcome == spool.Duplicate:
		c.Duplicates++
		return
	}
	c.kind(f)
	if !f.HasRecords {
		c.Empty++
		return
	}
	c.packets += s.packets
	c.Exact = c.Exact && s.whole
	c.link(f, s.links)
	if s.err != nil {
		c.Refused = append(c.Refused, File{f.Path, fmt.Sprintf("%v, after %.0f packets, which will be read", s.err, s.packets)})
	}
	c.time(f, s)
}

func (c *collector) kind(f *spool.File) {
	key := Kind{Format: f.Format, Compression: f.Compression.String()}
	k := c.kinds[key]
	if k == nil {
		k = &Kind{Format: key.Format, Compression: key.Compression}
		c.kinds[key] = k
	}
	k.Files++
	k.Bytes += f.Size
}

func (c *collector) link(f *spool.File, links []uint16) {
	decoded := len(links) == 0
	for _, n := range links {
		l := c.links[n]
		if l == nil {
			l = &Link{Number: n, Name: decode.LinkTypeName(n), Decoded: decode.Known(n)}
			c.links[n] = l
		}
		l.Files++
		decoded = decoded || l.Decoded
	}
	if !decoded {
		c.Refused = append(c.Refused, File{f.Path, "not decoded: link type " + decode.LinkTypeNumbers(links)})
	}
}

// wild says whether f begins at a time that cannot be right, and notes it.
func (c *collector) wild(f *spool.File) bool {
	if !clock.Wild(f.First, f.Latest) {
		return false
	}
	c.Suspect = append(c.Suspect, File{f.Path, "its first stamps are of " + f.First.UTC() + ": a daemon reads it by itself"})
	return true
}

// time takes in when f was captured. A file whose end is not known is an instant.
func (c *collector) time(f *spool.File, s *survey) {
	if c.wild(f) {
		return
	}
	span := coverage.Span{From: f.First, To: f.First}
	if s.ends {
		span.To = max(span.To, s.last)
	} else {
		c.OpenEnds++
	}
	src := c.sources[f.Source]
	if src == nil {
		src = &Source{Name: f.Source}
		c.sources[f.Source] = src
	}
	c.spans = append(c.spans, dated{src, span})
}

func (c *collector) finish(shards int) {
	c.Packets = uint64(c.packets)
	slices.SortFunc(c.spans, func(a, b dated) int { return cmp.Compare(a.From, b.From) })
	var spans []coverage.Span
	for _, d := range c.spans {
		spans = append(spans, d.Span)
		d.source.Cover.Add(d.Span)
	}
	c.Depth = coverage.Depth(spans)
	for _, s := range c.sources {
		s.sum()
		if c.FirstTS == 0 || s.FirstTS < c.FirstTS {
			c.FirstTS = s.FirstTS
		}
		c.LastTS = max(c.LastTS, s.LastTS)
		c.Sources = append(c.Sources, *s)
	}
	slices.SortFunc(c.Sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	for _, k := range c.kinds {
		c.Kinds = append(c.Kinds, *k)
	}
	slices.SortFunc(c.Kinds, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(b.Files, a.Files), strings.Compare(a.Format+a.Compression, b.Format+b.Compression))
	})
	for _, n := range slices.Sorted(maps.Keys(c.links)) {
		c.Links = append(c.Links, *c.links[n])
	}
	open := min(max(c.Depth, 1), c.Limit)
	c.Estimate = Estimate{
		Seconds: c.packets / packetsPerCore / float64(shards),
		Memory:  baseMemory + int64(open)*(fileMemory+int64(shards)*queueMemory),
		Basis: fmt.Sprintf("%d packets a second on each of %d cores, if the disk keeps up; %d files open at once; connections and vectors come on top",
			packetsPerCore, shards, open),
	}
}

// sum fills in what follows from the spans.
func (s *Source) sum() {
	sum := s.Cover.Summary()
	s.Files = s.Cover.Captures
	s.FirstTS, s.LastTS = sum.All.From.Seconds(), sum.All.To.Seconds()
	s.Covered, s.Overlap = sum.Covered.Seconds(), sum.Overlap.Seconds()
	s.Gaps, s.Missing = sum.Gaps, sum.Missing.Seconds()
	for _, g := range sum.Longest {
		s.Longest = append(s.Longest, Gap{g.From.Seconds(), g.To.Seconds()})
	}
}
