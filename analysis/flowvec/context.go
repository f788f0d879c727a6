package flowvec

import (
	"math"
	"slices"
	"time"

	"pcapdir/source/packet"
)

// Context is what the conversations of one window say about each other: how
// common a service is, how many targets a source failed at. Read-only, so
// vectors can be taken from it in parallel.
type Context struct {
	rows     []Conversation
	window   float64 // seconds
	services map[Service]uint32
	ends     []ends
	sources  []source
	targets  []uint32       // failed conversations to each target
	fanout   map[fan]uint32 // conversations of a source to a service
}

// ends are the places of one conversation's source and target.
type ends struct {
	source, target uint32
	service        Service
	failed         bool
}

// source is what one initiator does in the window.
type source struct {
	failed uint32
	ports  float64 // distinct destination ports, summed over its conversations
	ttl    float64 // median over its conversations of their mean TTL
}

type fan struct {
	source  uint32
	service Service
}

// NewContext reads the conversations of a window. rows are kept.
func NewContext(rows []Conversation, window time.Duration) *Context {
	c := &Context{
		rows: rows, window: window.Seconds(), ends: make([]ends, len(rows)),
		services: map[Service]uint32{}, fanout: map[fan]uint32{},
	}
	sources, targets := map[packet.Addr]uint32{}, map[packet.Addr]uint32{}
	for i := range rows {
		f, r := rows[i].oriented()
		e := &c.ends[i]
		src, dst := rows[i].Ends()
		e.source, c.sources = placeOf(sources, src, c.sources)
		e.target, c.targets = placeOf(targets, dst, c.targets)
		e.service, e.failed = rows[i].Service(), failed(f, r)
		c.services[e.service]++
		c.fanout[fan{e.source, e.service}]++
		s := &c.sources[e.source]
		s.ports += f.ports.len()
		if e.failed {
			s.failed++
			c.targets[e.target]++
		}
	}
	c.medianTTLs()
	return c
}

// placeOf numbers addresses as they come, with one entry of s for each.
func placeOf[T any](places map[packet.Addr]uint32, a packet.Addr, s []T) (uint32, []T) {
	at, ok := places[a]
	if !ok {
		at = uint32(len(s))
		places[a] = at
		s = append(s, *new(T))
	}
	return at, s
}

// medianTTLs sorts all (source, TTL) at once: sources are many and small. TTLs
// are compared in 256ths; of an even number the lower median is taken.
func (c *Context) medianTTLs() {
	keys := make([]uint64, 0, len(c.rows))
	for i := range c.rows {
		if f, _ := c.rows[i].oriented(); f.n != 0 {
			keys = append(keys, uint64(c.ends[i].source)<<32|uint64(f.meanTTL()*256))
		}
	}
	slices.Sort(keys)
	for lo := 0; lo < len(keys); {
		hi := lo
		for hi < len(keys) && keys[hi]>>32 == keys[lo]>>32 {
			hi++
		}
		c.sources[keys[lo]>>32].ttl = float64(keys[(lo+hi-1)/2]&0xffffffff) / 256
		lo = hi
	}
}

// view is one conversation with what its window says about it: what features read.
type view struct {
	f, r   *side
	window float64

	rarity               float64
	sourceTTL            float64
	failed               bool
	failedFrom, failedTo float64
	sameService          float64
	sourcePorts          float64
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
	return math.Log1p(n)
}

// Reader takes vectors from a context, one at a time. It exists so that a
// million vectors share one view, which the feature table's calls would
// otherwise put on the heap each time.
type Reader struct {
	c *Context
	v view
}

// Reader makes a reader; each goroutine needs its own.
func (c *Context) Reader() *Reader { return &Reader{c: c} }

// Vector fills out with conversation i.
func (r *Reader) Vector(i int, out *Vector) {
	c, e := r.c, &r.c.ends[i]
	s := &c.sources[e.source]
	r.v = view{
		window: c.window, sourceTTL: s.ttl, failed: e.failed,
		rarity:     math.Log2(float64(len(c.rows)) / float64(c.services[e.service])),
		failedFrom: float64(s.failed), failedTo: float64(c.targets[e.target]),
		sameService: float64(c.fanout[fan{e.source, e.service}]), sourcePorts: s.ports,
	}
	r.v.f, r.v.r = c.rows[i].oriented()
	for j := range features {
		out[j] = features[j].value(&r.v)
	}
}

// Service is conversation i's, as Conversation.Service says it.
func (c *Context) Service(i int) Service { return c.ends[i].service }

// FannedIn says that conversation i is one of many failures at one target,
// more than its source has: the target is what a reader should be told. The
// bound is ANOMALY's ln 20 on a logarithm of 1 + n.
func (c *Context) FannedIn(i int) bool {
	e := &c.ends[i]
	in := c.targets[e.target]
	return e.failed && in > c.sources[e.source].failed && in >= 20
}
