package flowvec

import (
	"cmp"
	"slices"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Conversation is both directions between two addresses over whole panes,
// complete: every shard's part is in it.
type Conversation struct {
	key
	sides [2]side   // 0 is lo to hi
	from  beginning // who began
	uids  [maxUIDs]logs.UID
	nuids uint8
}

// key is the two addresses of a conversation, and their hash.
type key struct {
	lo, hi packet.Addr // lo < hi by bytes, or equal
	hash   uint64
}

// beginning is the least origin of a conversation and the side that sent it.
type beginning struct {
	origin
	side uint8
}

// side is one direction of a conversation.
type side struct {
	counts
	flows, dry uint32
	squares    float64 // of the bytes of each flow
	peak       uint32  // most packets in one second
	bursts     bursts
	ports      portSet
}

// compare orders conversations by hash, then addresses: an order that content
// alone decides and that a burst of neighbouring addresses does not skew.
func (k *key) compare(o *key) int {
	if k.hash != o.hash {
		return cmp.Compare(k.hash, o.hash)
	}
	return cmp.Or(k.lo.Compare(o.lo), k.hi.Compare(o.hi))
}

// join appends a later pane's conversation of the same pair.
func (c *Conversation) join(next *Conversation, quiet int64) {
	for i := range c.sides {
		c.sides[i].join(&next.sides[i], quiet)
	}
	if next.from.compare(&c.from.origin) < 0 {
		c.from = next.from
	}
	for _, u := range next.uids[:next.nuids] {
		if c.nuids < maxUIDs && !slices.Contains(c.uids[:c.nuids], u) {
			c.uids[c.nuids] = u
			c.nuids++
		}
	}
}

func (s *side) join(next *side, quiet int64) {
	s.counts.merge(&next.counts)
	s.flows, s.dry, s.squares = s.flows+next.flows, s.dry+next.dry, s.squares+next.squares
	s.peak = max(s.peak, next.peak)
	s.bursts.join(&next.bursts, quiet)
	s.ports.merge(&next.ports)
}

// ref is one directed pair of one part.
type ref struct {
	hash uint64
	part uint32
	at   uint32
}

// Merge joins the parts of one pane into its conversations, in their order.
// Parts may be nil and come in any order. What the parts' bounds cost is summed.
func Merge(parts []*Pane) (rows []Conversation, lost Loss) {
	limit, size := ^uint64(0), 0
	for _, p := range parts {
		if p != nil {
			limit, size = min(limit, p.limit), size+len(p.pairs)
			lost.Pairs, lost.Packets, lost.Flows = lost.Pairs+p.Lost.Pairs, lost.Packets+p.Lost.Packets, lost.Flows+p.Lost.Flows
		}
	}
	refs := make([]ref, 0, size)
	for i, p := range parts {
		if p == nil {
			continue
		}
		for j := range p.pairs {
			q := &p.pairs[j]
			hash := p.began[j].hash
			if p.limit > limit && p.cfg.rank(hash) >= limit { // another part had no room for its like
				lost.Pairs++
				lost.Packets += q.n
				continue
			}
			refs = append(refs, ref{hash: hash, part: uint32(i), at: uint32(j)})
		}
	}
	return joinRefs(parts, refs), lost
}

func joinRefs(parts []*Pane, refs []ref) []Conversation {
	pairAt := func(r ref) *pair { return &parts[r.part].pairs[r.at] }
	slices.SortFunc(refs, func(a, b ref) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		p, q := pairAt(a), pairAt(b)
		return cmp.Or(p.lo().Compare(q.lo()), p.hi().Compare(q.hi()), p.src.Compare(q.src))
	})
	same := func(a, b ref) bool {
		if a.hash != b.hash {
			return false
		}
		p, q := pairAt(a), pairAt(b)
		return p.src == q.src && p.dst == q.dst || p.src == q.dst && p.dst == q.src
	}
	n := min(1, len(refs))
	for i := 1; i < len(refs); i++ {
		if !same(refs[i-1], refs[i]) {
			n++
		}
	}
	rows := make([]Conversation, n)
	for i := range rows {
		end := 1
		for end < len(refs) && same(refs[0], refs[end]) {
			end++
		}
		q := pairAt(refs[0])
		rows[i].key = key{q.lo(), q.hi(), refs[0].hash}
		rows[i].fill(parts, refs[:end])
		refs = refs[end:]
	}
	return rows
}

func (q *pair) lo() packet.Addr {
	if q.src.Compare(q.dst) <= 0 {
		return q.src
	}
	return q.dst
}

func (q *pair) hi() packet.Addr {
	if q.src.Compare(q.dst) <= 0 {
		return q.dst
	}
	return q.src
}

// fill merges all directed pairs of one conversation. Everything here adds,
// takes an extreme or sets bits until a side is complete; only then is
// anything derived that could not be merged.
func (c *Conversation) fill(parts []*Pane, refs []ref) {
	var flows [2]flowSums
	var when [2]activity
	var uids uidList
	var slot time.Duration
	var start packet.Time
	for _, r := range refs {
		p := parts[r.part]
		q := &p.pairs[r.at]
		slot, start = p.slot, p.Start
		d := 0
		if q.src != c.lo {
			d = 1
		}
		c.sides[d].counts.merge(&q.counts)
		flows[d].merge(&p.flows[r.at])
		if q.activity != 0 {
			when[d].merge(&p.activities[q.activity-1])
		} else {
			when[d].add(slotIn(q.first, start, slot))
		}
		from := &p.began[r.at].origin
		if order := from.compare(&c.from.origin); order < 0 || order == 0 && uint8(d) < c.from.side {
			c.from = beginning{*from, uint8(d)}
		}
		if q.uids != 0 {
			l := &p.uids[q.uids-1]
			for i := range l.n {
				uids.add(l.eff[i], l.uids[i])
			}
		}
	}
	c.uids, c.nuids = uids.uids, uint8(uids.n)
	for d := range c.sides {
		if c.sides[d].n != 0 {
			c.sides[d].finish(&flows[d], &when[d], start, slot)
		}
	}
}

func (s *side) finish(f *flowSums, a *activity, start packet.Time, slot time.Duration) {
	s.flows, s.dry, s.squares, s.ports = f.n, f.dry, float128(f.squares), f.ports
	s.peak = a.peak()
	s.bursts = burstsOf(a, slotNumber(start, slot), quietSlots(slot))
}
