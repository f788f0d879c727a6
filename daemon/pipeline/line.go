package pipeline

import (
	"cmp"
	"slices"
	"sort"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// line is an encoded log line and its place among all lines of its log: the
// event time at which it came to be, then the connection's own start, then its
// uid. No two connections share all three, so the order of a log is total and
// no shard's speed can show in it.
type line struct {
	at       packet.Time
	ts       float64
	uid      logs.UID
	from, to int // in the text beside it
}

func (l *line) compare(o *line) int {
	return cmp.Or(cmp.Compare(l.at, o.at), cmp.Compare(l.ts, o.ts), slices.Compare(l.uid[:], o.uid[:]))
}

// lines are encoded lines, in order unless said otherwise.
type lines struct {
	list []line
	text []byte
}

func (ls *lines) sort() {
	slices.SortFunc(ls.list, func(a, b line) int { return a.compare(&b) })
}

// take appends o's lines, which all come after those of ls.
func (ls *lines) take(o *lines) {
	for _, l := range o.list {
		n := len(ls.text)
		ls.text = append(ls.text, o.text[l.from:l.to]...)
		l.from, l.to = n, len(ls.text)
		ls.list = append(ls.list, l)
	}
	o.reset()
}

func (ls *lines) reset() {
	ls.list, ls.text = ls.list[:0], ls.text[:0]
}

// split takes off the lines before end; ls keeps the rest, in memory of its own.
func (ls *lines) split(end packet.Time) (before lines) {
	n := sort.Search(len(ls.list), func(i int) bool { return ls.list[i].at >= end })
	if n == 0 {
		return lines{}
	}
	before = lines{list: ls.list[:n], text: ls.text}
	rest := lines{list: ls.list[n:], text: ls.text}
	*ls = lines{}
	ls.take(&lines{list: slices.Clone(rest.list), text: rest.text})
	return before
}

// appendMerged appends the lines of all parts to dst in the order of their log.
func appendMerged(dst []byte, parts []lines) []byte {
	type ref struct {
		*line
		text []byte
	}
	var refs []ref
	for _, p := range parts {
		for i := range p.list {
			l := &p.list[i]
			refs = append(refs, ref{l, p.text[l.from:l.to]})
		}
	}
	slices.SortFunc(refs, func(a, b ref) int { return a.compare(b.line) })
	for _, r := range refs {
		dst = append(dst, r.text...)
	}
	return dst
}
