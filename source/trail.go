package source

import (
	"slices"
	"sort"
	"sync"
	"time"

	"pcapdir/source/books"
	"pcapdir/source/packet"
)

// epoch is how far apart points are in event time at least, and so about how much of
// a file is read again.
const epoch = time.Second

// maxPoints bounds a trail. Of a reader that is further ahead, points lie further
// apart, too: what is read in vain is about a hundredth of that lead.
const maxPoints = 256

// Point is a place in a run at which reading can begin again, and what a reader
// there knows of the records before. It can be kept as JSON.
type Point struct {
	Record    uint64      // number of the first record that is read
	Offset    int64       // of that one in the decompressed file
	Left      packet.Time // what the clock resumes with; holds if Record is not 0
	Max       packet.Time // largest stamp so far
	Floor     packet.Time // least effective time from here on
	Held      int         // how many packets the window holds at most; 0: the default
	Full      bool        // it was full, which Floor comes of
	Watermark packet.Time // what had been handled when the file was admitted: it says which records are late
	Books     books.File  // but for what is known at the end alone
}

// top is the largest effective time before the point, if there is a record.
func (p *Point) top() packet.Time { return max(p.Max, p.Floor) }

// epochEnd is the end of the epoch of top.
func (p *Point) epochEnd() packet.Time { return p.top().Floor(epoch).Add(epoch) }

// Trail is where reading of a run can begin again. A reader is ahead of what shards
// have handled, and how far they are turns out later: so it leaves a point at each
// epoch that it enters. Any goroutine may ask.
//
// Records before a point may be in the window there, and are not when reading
// begins again. They are before the end that was asked for, and so are not missed: a
// window that is full keeps the last ones, whatever was before those, and lifts to
// the end or beyond only what it would lift without them, too.
type Trail struct {
	mu     sync.Mutex
	points []Point       // in the order of the file, and so of their tops; never empty
	step   time.Duration // one point for each, at most: an epoch, or a power of 2 of them
}

// At is the latest point before which no record has an effective time of end or
// later; if there is none, the first. end is a time that shards have reached: what
// lies before it has left the reader.
func (t *Trail) At(end packet.Time) Point {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.points[t.latest(end)]
}

// Forget drops the points that nobody needs who asks for end or later.
func (t *Trail) Forget(end packet.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.points = slices.Delete(t.points, 0, t.latest(end))
	if len(t.points) <= maxPoints/4 && t.step > epoch {
		t.step /= 2
	}
}

func (t *Trail) latest(end packet.Time) int {
	return max(1, sort.Search(len(t.points), func(i int) bool { return t.points[i].top() >= end })) - 1
}

// begin makes p the first point.
func (t *Trail) begin(p Point) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.points, t.step = append(t.points[:0], p), epoch
}

// add takes in a point behind all others. Of two in one step the later does for
// both; the first of all stays, which does for any end.
func (t *Trail) add(p Point) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.points)
	if n > 1 && t.points[n-1].top().Floor(t.step) == p.top().Floor(t.step) {
		t.points[n-1] = p
		return
	}
	if n == maxPoints {
		for i := range n / 2 {
			t.points[i] = t.points[2*i]
		}
		t.points, t.step = t.points[:n/2], 2*t.step
	}
	t.points = append(t.points, p)
}
