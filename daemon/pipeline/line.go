package pipeline

import (
	"bytes"
	"cmp"
	"container/heap"
	"math"
	"slices"
	"sort"
	"sync"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// place is where a line stands in its log: the event time at which it came to
// be, then the connection's own start, then its uid. No two connections share
// all three, so the order of a log is total and no shard's speed can show in it.
type place struct {
	at  packet.Time
	ts  float64
	uid logs.UID
}

// before is the place ahead of all lines that came to be at t or later.
func before(t packet.Time) place { return place{at: t, ts: math.Inf(-1)} }

func (p *place) compare(q *place) int {
	if p.at != q.at {
		return cmp.Compare(p.at, q.at)
	}
	if p.ts != q.ts {
		return cmp.Compare(p.ts, q.ts)
	}
	return bytes.Compare(p.uid[:], q.uid[:])
}

// line is an encoded log line and its place.
type line struct {
	place
	chunk uint32 // of the lines' text
	from  uint32 // in the chunk
	size  uint32
}

// chunkSize is how much text a chunk takes before the next is begun; a line may
// go beyond by chunkSlack without a move. Text is written once and stays where
// it is until it is copied to the stage.
const (
	chunkSize  = 256 << 10
	chunkSlack = 4 << 10
)

// lines are encoded lines, in order once sorted.
type lines struct {
	list   []line
	chunks [][]byte
	bytes  int
	spare  *spare
}

// spare is memory of lines to be used again: fresh memory costs more than what
// is written to it.
type spare struct{ chunks, lists sync.Pool }

func (s *spare) chunk() []byte {
	if c, ok := s.chunks.Get().(*[]byte); ok {
		return *c
	}
	return make([]byte, 0, chunkSize+chunkSlack)
}

func (s *spare) list() []line {
	if l, ok := s.lists.Get().(*[]line); ok {
		return *l
	}
	return nil
}

// put takes back the memory of lines that nobody will look at any more.
func (s *spare) put(ls *lines) {
	for _, c := range ls.chunks {
		c = c[:0]
		s.chunks.Put(&c)
	}
	if l := ls.list[:0]; cap(l) > 0 {
		s.lists.Put(&l)
	}
	ls.chunks, ls.list = nil, nil
}

// add puts in one line, which encode appends to a chunk.
func (ls *lines) add(p place, encode func(dst []byte) []byte) {
	n := len(ls.chunks)
	if n == 0 || len(ls.chunks[n-1]) > chunkSize {
		ls.chunks = append(ls.chunks, ls.spare.chunk())
		n++
	}
	chunk := &ls.chunks[n-1]
	from := len(*chunk)
	*chunk = encode(*chunk)
	size := len(*chunk) - from
	ls.list = append(ls.list, line{p, uint32(n - 1), uint32(from), uint32(size)})
	ls.bytes += size
}

// addCopy puts in a line of other lines.
func (ls *lines) addCopy(o *lines, l *line) {
	ls.add(l.place, func(dst []byte) []byte { return append(dst, o.text(l)...) })
}

// addAll puts in copies of other lines.
func (ls *lines) addAll(o *lines) {
	for i := range o.list {
		ls.addCopy(o, &o.list[i])
	}
}

// takeBack puts in what takeFrom took out.
func (ls *lines) takeBack(rest *lines) {
	ls.addAll(rest)
	ls.spare.put(rest)
}

func (ls *lines) text(l *line) []byte {
	return ls.chunks[l.chunk][l.from : l.from+l.size]
}

func (ls *lines) sort() {
	slices.SortFunc(ls.list, func(a, b line) int { return a.compare(&b.place) })
}

// search is how many lines stand before end.
func (ls *lines) search(end place) int {
	return sort.Search(len(ls.list), func(i int) bool { return ls.list[i].compare(&end) >= 0 })
}

// takeFrom takes out the lines from a place on; ls is sorted.
func (ls *lines) takeFrom(from place) (rest lines) {
	n := ls.search(from)
	rest.spare = ls.spare
	for i := n; i < len(ls.list); i++ {
		rest.addCopy(ls, &ls.list[i])
	}
	ls.list = ls.list[:n]
	ls.bytes -= rest.bytes
	return rest
}

// reuse empties ls. What was taken is left to whoever took it.
func (ls *lines) reuse(taken bool) {
	if taken {
		*ls = lines{list: ls.spare.list(), spare: ls.spare}
		return
	}
	ls.list, ls.bytes = ls.list[:0], 0
	if len(ls.chunks) > 0 {
		extra := lines{chunks: ls.chunks[1:]}
		ls.spare.put(&extra)
		ls.chunks = append(ls.chunks[:0], ls.chunks[0][:0])
	}
}

// split takes off the lines before end; ls keeps the rest.
func (ls *lines) split(end place) (before lines) {
	n := ls.search(end)
	before = lines{list: ls.list[:n:n], chunks: ls.chunks, spare: ls.spare}
	if n > 0 && n < len(ls.list) {
		// The last chunk of the rest may grow while this part is read: its bytes
		// stay where they are, but not what says how many there are.
		before.chunks = slices.Clone(ls.chunks)
	}
	for i := range before.list {
		before.bytes += int(before.list[i].size)
	}
	ls.list = ls.list[n:]
	ls.bytes -= before.bytes
	return before
}

// queue holds lines in blocks, all of a block before all of the next.
type queue []lines

// push adds lines that come after all in q. Few of them are copied to the last
// block, so that quiet epochs do not make a block each; the rest is taken as it is.
func (q *queue) push(ls lines) (taken bool) {
	if len(ls.list) == 0 {
		return false
	}
	if n := len(*q); n > 0 && ls.bytes < chunkSize/2 && (*q)[n-1].bytes < chunkSize {
		last := &(*q)[n-1]
		last.addAll(&ls)
		return false
	}
	*q = append(*q, ls)
	return true
}

// cut takes out the lines before end.
func (q *queue) cut(end place) (before queue) {
	for len(*q) > 0 {
		first := &(*q)[0]
		if b := first.split(end); len(b.list) > 0 {
			before = append(before, b)
		}
		if len(first.list) > 0 {
			if n := len(before); n > 0 {
				before[n-1].spare = nil // the rest needs the chunks
			}
			break
		}
		*q = (*q)[1:]
	}
	return before
}

func (q queue) bytes() (n int) {
	for i := range q {
		n += q[i].bytes
	}
	return n
}

// release gives back the memory of lines that were copied.
func (q queue) release() {
	for i := range q {
		if q[i].spare != nil {
			q[i].spare.put(&q[i])
		}
	}
}

// merged appends to dst the text of all queues in the order of their log, each line
// by appendLine.
func merged(dst []byte, queues []queue, appendLine func(dst, text []byte) []byte) []byte {
	var heads cursors
	size := 0
	for _, q := range queues {
		if len(q) > 0 {
			heads = append(heads, cursor{queue: q})
		}
		size += q.bytes()
	}
	if size > cap(dst)-len(dst) {
		// Room for a somewhat larger commit, too: the next ones reuse it.
		dst = slices.Grow(dst, size+size/4)
	}
	heap.Init(&heads)
	for len(heads) > 0 {
		c := &heads[0]
		dst = appendLine(dst, c.queue[0].text(c.line()))
		if c.advance() {
			heap.Fix(&heads, 0)
		} else {
			heap.Pop(&heads)
		}
	}
	return dst
}

// cursor walks one queue. Its queue is never empty, nor is a block.
type cursor struct {
	queue queue
	at    int // in the first block
}

func (c *cursor) line() *line { return &c.queue[0].list[c.at] }

func (c *cursor) advance() bool {
	c.at++
	if c.at == len(c.queue[0].list) {
		c.queue, c.at = c.queue[1:], 0
	}
	return len(c.queue) > 0
}

// cursors is a heap by the next line.
type cursors []cursor

func (h cursors) Len() int           { return len(h) }
func (h cursors) Less(i, j int) bool { return h[i].line().compare(&h[j].line().place) < 0 }
func (h cursors) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is there for the interface; cursors are only ever taken off.
func (h *cursors) Push(x any) { *h = append(*h, x.(cursor)) }

// Pop takes off the last.
func (h *cursors) Pop() any {
	n := len(*h) - 1
	c := (*h)[n]
	*h = (*h)[:n]
	return c
}
