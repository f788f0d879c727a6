package flowvec

import "math"

// view is one conversation with what its window says about it: what features read.
type view struct {
	f, r   *side
	window float64
	logs   *logTable

	rarity               float64
	sourceTTL            float64
	failed               bool
	failedFrom, failedTo float64
	sameService          float64
	sourcePorts          float64
}

// logTable is ln(1+n) of small whole numbers, as math.Log1p has it: most
// features are logarithms, and most of what they are taken of is small.
type logTable [1 << 12]float64

func newLogTable() *logTable {
	var t logTable
	for n := range t {
		t[n] = math.Log1p(float64(n))
	}
	return &t
}

// count is ln(1+n).
func (v *view) count(n uint64) float64 {
	if n < uint64(len(v.logs)) {
		return v.logs[n]
	}
	return math.Log1p(float64(n))
}

// leastGap is what gaps are topped up with, in seconds: none reads as a tenth of
// a millisecond.
const leastGap = 1e-4

var noGap = math.Log(leastGap)

// logGap is ln(gap + leastGap) of a gap in seconds.
func logGap(gap float64) float64 {
	if gap == 0 {
		return noGap
	}
	return math.Log(gap + leastGap)
}

// log is ln(1+x) of a number that is not negative.
func (v *view) log(x float64) float64 {
	if n := int(x); uint(n) < uint(len(v.logs)) && float64(n) == x {
		return v.logs[n]
	}
	return math.Log1p(x)
}

// ratio is log2 of (r+1)/(f+1).
func (v *view) ratio(r, f uint64) float64 {
	return (v.count(r) - v.count(f)) * math.Log2E
}

func (v *view) perFlow(x float64) float64 { return x / max(1, float64(v.f.flows)) }

func (v *view) ttlDeviation() float64 {
	if v.f.n == 0 {
		return 0 // only replies were heard
	}
	return math.Abs(v.f.meanTTL() - v.sourceTTL)
}

func (v *view) whenFailed(n float64) float64 {
	if !v.failed {
		return 0
	}
	return v.log(n)
}

// Reader takes conversations and vectors from a context, one at a time. Each
// goroutine needs its own.
type Reader struct {
	c            *Context
	conversation Conversation
	v            view
	sink         uint32 // keeps the loads of warming
}

// Reader makes a reader.
func (c *Context) Reader() *Reader { return &Reader{c: c} }

// Warm brings the rows from i up to n into the cache, for those who read many
// in their order.
func (r *Reader) Warm(i, n int) { r.sink += r.c.rows.warm(i, n-i) }

// Conversation is conversation i. It holds until the reader's next call.
func (r *Reader) Conversation(i int) *Conversation {
	r.c.rows.read(i, &r.conversation, whole)
	return &r.conversation
}

// Vector fills out with conversation i, and says how many packets of the
// initiator it rests on.
func (r *Reader) Vector(i int, out *Vector) (packets float64) {
	c, e := r.c, &r.c.ends[i]
	s := c.hosts.at(e.source)
	service := c.services.at(c.ServiceNumber(i))
	r.v = view{
		window: c.window, logs: c.logs, sourceTTL: float64(s.ttl) / 256, failed: e.state&isFailed != 0,
		rarity: service.rarity, failedFrom: float64(s.failed), failedTo: float64(c.hosts.at(e.target).failedAt),
		sameService: float64(*c.fans.at(e.fan)), sourcePorts: float64(s.ports) * portUnit,
	}
	r.v.f, r.v.r = r.Conversation(i).oriented()
	for j := range features {
		out[j] = features[j].value(&r.v)
	}
	return float64(r.v.f.n)
}
