package flowvec

import (
	"hash/maphash"
	"math"
	"slices"
	"time"

	"pcapdir/analysis/pages"
	"pcapdir/source/packet"
)

// Context is what the conversations of one window say about each other: how
// common a service is, how many targets a source failed at. Between two calls
// of Read it is read-only, so vectors can be taken from it in parallel.
type Context struct {
	rows   Rows
	window float64 // seconds
	logs   *logTable
	ends   []ends

	hosts    places[packet.Addr, host]
	services places[Service, service]
	fans     places[uint64, uint32] // conversations of each source, or target, with each service

	ttls   []uint16 // of the rows, host by host
	crowds []uint32 // conversations of each, as CrowdLen says it
	sink   uint64   // keeps the loads of warm
}

// ends are what is known of one conversation, by number.
type ends struct {
	source, target uint32
	fan, crowd     uint32 // of the source, and of the actor, with the service
	ttl            uint16 // mean TTL in 256ths
	state          uint8
}

const (
	isFailed   = 1 << iota
	heard      // the initiator was
	ofTarget   // it tells of the target
	incidental // it is not what its initiator stands out by
)

// host is what one address does in the window.
type host struct {
	failed   uint32 // conversations that it began and that failed
	failedAt uint32 // conversations with it that failed
	began    uint32 // conversations that it began, and was heard in
	upTo     uint32 // end of its TTLs
	ttl      uint16 // median of them
	ports    uint64 // distinct destination ports, summed over its conversations, in units of portUnit
}

// portUnit makes numbers of ports whole, so that they add up in any order.
const portUnit = 1. / (1 << 20)

type service struct {
	rows   uint32
	rarity float64
}

// NewContext is a context without rows.
func NewContext() *Context {
	seed := maphash.MakeSeed()
	a, b := maphash.Comparable(seed, 1), maphash.Comparable(seed, 2)
	c := &Context{logs: newLogTable()}
	c.hosts.hash = func(k packet.Addr) uint64 {
		hi, lo := k.Words()
		return mix(mix(hi^a, lo^b), a) // an attacker may choose addresses
	}
	c.services.hash = func(k Service) uint64 { return mix(uint64(k)^a, b) }
	c.fans.hash = func(k uint64) uint64 { return mix(k^b, a) }
	return c
}

// warmRows is how many rows are brought into the cache at a time.
const warmRows = 64

// Read takes in the conversations of a window of that length, which must hold as
// long as the context is used.
func (c *Context) Read(rows Rows, window time.Duration) {
	n := rows.Len()
	c.rows, c.window = rows, window.Seconds()
	c.ends = pages.Sized(c.ends, n)
	c.hosts.reset(n + n/2)
	c.services.reset(n / 64)
	c.fans.reset(n)
	var conversation Conversation
	var keys [warmRows]uint64
	for i := 0; i < n; i += warmRows {
		some := min(warmRows, n-i)
		c.sink += c.warm(i, some)
		for k := range some {
			rows.read(i+k, &conversation, sums)
			keys[k] = c.place(i+k, &conversation)
		}
		c.meet(i, keys[:some])
	}
	c.medianTTLs()
	c.judge()
	c.rarities()
}

// CrowdShare is how many conversations of a crowd stand for it. A sweep of a thousand
// targets, or a flood from a thousand addresses, is not a thousand examples of what
// is usual.
const CrowdShare = 16

// rarities says how rare each service is, crowds counting for CrowdShare
// conversations at most: else a flood would make all other services rare.
func (c *Context) rarities() {
	c.crowds = pages.Sized(c.crowds, len(c.fans.list))
	clear(c.crowds)
	all := uint32(0)
	for i := range c.ends {
		n := &c.crowds[c.ends[i].crowd]
		if *n <= CrowdShare {
			*n++
		}
		if *n <= CrowdShare {
			all++
			c.services.at(c.ServiceNumber(i)).rows++
		}
	}
	for i := range c.services.list {
		s := &c.services.list[i].value
		s.rarity = math.Log2(float64(all) / float64(s.rows))
	}
}

// warm brings n rows from i on into the cache, then where their hosts are
// found, then the hosts.
func (c *Context) warm(i, n int) (sum uint64) {
	sum = uint64(c.rows.warm(i, n))
	mask := uint32(len(c.hosts.slots) - 1)
	var found [2 * warmRows]uint32
	for k := range n {
		q := c.rows.w.pair(c.rows.refsOf(i + k)[0])
		found[2*k] = uint32(c.hosts.slots[c.hosts.home(c.hosts.hash(q.lo))&mask])
		found[2*k+1] = uint32(c.hosts.slots[c.hosts.home(c.hosts.hash(q.hi))&mask])
	}
	for _, number := range found {
		if number != 0 {
			sum += uint64(c.hosts.at(number - 1).failed)
		}
	}
	return sum
}

// meet counts the conversations from i on, one for each key, among those of their
// source with their service. Where the search for each begins is read ahead, all at once.
func (c *Context) meet(i int, keys []uint64) {
	mask := uint32(len(c.fans.slots) - 1)
	for _, k := range keys {
		c.sink += c.fans.slots[c.fans.home(c.fans.hash(k))&mask]
	}
	for n, k := range keys {
		fan := c.fans.of(k)
		*c.fans.at(fan)++
		c.ends[i+n].fan = fan
	}
}

// fanKey is what conversations of one host with one service have in common.
func fanKey(host, service uint32) uint64 { return uint64(host)<<32 | uint64(service) }

// place counts conversation i for its ends and its service. It returns the key of
// its source with its service.
func (c *Context) place(i int, conversation *Conversation) uint64 {
	f, r := conversation.oriented()
	src, dst := conversation.Ends()
	e := ends{source: c.hosts.of(src), target: c.hosts.of(dst)}
	name := c.services.of(conversation.Service())
	s := c.hosts.at(e.source)
	s.ports += uint64(f.ports.len() / portUnit)
	if failed(f, r) {
		e.state |= isFailed
		s.failed++
		c.hosts.at(e.target).failedAt++
	}
	if f.n != 0 {
		e.state |= heard
		e.ttl = uint16(f.meanTTL() * 256)
		s.began++
	}
	c.ends[i] = e
	return fanKey(e.source, name)
}

// medianTTLs puts the TTLs of each source together: sources are many and
// small. Of an even number the lower median is taken.
func (c *Context) medianTTLs() {
	c.ttls = pages.Sized(c.ttls, len(c.ends))
	at := uint32(0)
	for i := range c.hosts.list {
		h := &c.hosts.list[i].value
		h.upTo = at
		at += h.began
	}
	for i := range c.ends {
		if e := &c.ends[i]; e.state&heard != 0 {
			h := c.hosts.at(e.source)
			c.ttls[h.upTo] = e.ttl
			h.upTo++
		}
	}
	for i := range c.hosts.list {
		h := &c.hosts.list[i].value
		if h.began == 0 {
			continue
		}
		of := c.ttls[h.upTo-h.began : h.upTo]
		if len(of) > 1 {
			slices.Sort(of)
		}
		h.ttl = of[(len(of)-1)/2]
	}
}

// Len is the number of conversations.
func (c *Context) Len() int { return len(c.ends) }

// Rows are the conversations.
func (c *Context) Rows() *Rows { return &c.rows }

// Service is conversation i's, as Conversation.Service says it.
func (c *Context) Service(i int) Service { return c.ServiceAt(c.ServiceNumber(i)) }

// ServiceNumber is the number of conversation i's service, below Services.
// Which service has which number means nothing.
func (c *Context) ServiceNumber(i int) uint32 { return uint32(c.fans.list[c.ends[i].fan].key) }

// Services is how many services there are.
func (c *Context) Services() int { return len(c.services.list) }

// ServiceAt is the service with that number.
func (c *Context) ServiceAt(n uint32) Service { return c.services.list[n].key }

// Actors is how many hosts there are.
func (c *Context) Actors() int { return len(c.hosts.list) }

// ActorAt is the host with that number.
func (c *Context) ActorAt(n uint32) packet.Addr { return c.hosts.list[n].key }

// many is how many failures make a scan, or a flood, of what failed. It is
// ANOMALY's ln 20 on a logarithm of 1 + n.
const many = 20

// judge says of each conversation whom it tells of. The target, where it is one
// of many failures at one target, more than its source has; else its initiator.
// And it is incidental where that failed at many others, and it did not fail:
// not what the initiator stands out by.
func (c *Context) judge() {
	for i := range c.ends {
		e := &c.ends[i]
		from, in := c.hosts.at(e.source).failed, c.hosts.at(e.target).failedAt
		e.crowd = e.fan
		switch {
		case e.state&isFailed == 0 && from >= many:
			e.state |= incidental
		case e.state&isFailed != 0 && in > from && in >= many:
			e.state |= ofTarget
			e.crowd = c.fans.of(fanKey(e.target, c.ServiceNumber(i)))
		}
	}
}

// Actor is the number, below Actors, of whom a reader should be told about
// conversation i.
func (c *Context) Actor(i int) uint32 {
	if e := &c.ends[i]; e.state&ofTarget != 0 {
		return e.target
	}
	return c.ends[i].source
}

// Incidental says that conversation i is not what its actor stands out by.
func (c *Context) Incidental(i int) bool { return c.ends[i].state&incidental != 0 }

// Crowd is one number for all conversations of one actor and service, below Crowds.
func (c *Context) Crowd(i int) uint32 { return c.ends[i].crowd }

// CrowdLen is how many conversations conversation i's crowd has, of more than
// CrowdShare one more than that.
func (c *Context) CrowdLen(i int) int { return int(c.crowds[c.ends[i].crowd]) }

// Crowds is how many numbers Crowd may give.
func (c *Context) Crowds() int { return len(c.fans.list) }

// Ends are the initiator of conversation i and the other end.
func (c *Context) Ends(i int) (source, target packet.Addr) {
	e := &c.ends[i]
	return c.hosts.list[e.source].key, c.hosts.list[e.target].key
}
