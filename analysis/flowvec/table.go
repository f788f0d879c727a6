package flowvec

import (
	"hash/maphash"
	"math/bits"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Table accumulates the open pane of one shard. It takes no locks: one
// goroutine owns it.
type Table struct {
	cfg        Config
	slot       time.Duration
	start      packet.Time // of the open pane
	at         uint        // the slot of the last packet, and its span
	from, upTo packet.Time

	flows      flowTable
	index      []uint32 // of pairs: place in the slab + 1
	seed       maphash.Seed
	pairs      []pair
	began      []start // beside pairs
	activities []activity
	uids       []uidList

	limit uint64 // conversations whose rank reaches it are not kept
	lost  Loss

	warm [prefetchLen]uint32
	sink uint64 // keeps the loads of Prefetch
}

// Loss counts what the bounds of a table cost.
type Loss struct {
	Pairs   uint64 // directed pairs dropped, each time that one was
	Packets uint64 // packets that count nowhere
	Flows   uint64 // packets counted in their pair, but in no flow
}

// New makes an empty table. It starts nothing.
func New(cfg Config) *Table {
	def := DefaultConfig()
	if cfg.Pane <= 0 {
		cfg.Pane = def.Pane
	}
	if cfg.MaxPairs <= 0 {
		cfg.MaxPairs = def.MaxPairs
	}
	if cfg.MaxFlows <= 0 {
		cfg.MaxFlows = def.MaxFlows
	}
	return &Table{
		cfg: cfg, slot: cfg.slot(), seed: maphash.MakeSeed(),
		flows: newFlowTable(), index: make([]uint32, leastSlots), limit: ^uint64(0),
	}
}

// Len is the number of directed pairs of the open pane.
func (t *Table) Len() int { return len(t.pairs) }

// Add counts one decoded IP packet, whatever its checksum. Packets come in
// order of effective time. uid is the connection's, or zero. p is not kept.
func (t *Table) Add(p *packet.Packet, uid logs.UID) {
	if p.Eff >= t.upTo || p.Eff < t.from {
		t.move(p.Eff)
	}
	ports := portsOf(p)
	f, d := t.flows.find(p, ports, t.pairs)
	if d >= 0 && f.pair[d] != 0 {
		t.count(f.pair[d], p)
		t.note(f, d, p, uid)
		return
	}
	t.addNew(f, d, p, ports, uid)
}

// addNew counts a packet whose flow, or its direction, is new to the pane.
func (t *Table) addNew(f *flow, d int, p *packet.Packet, ports [2]uint16, uid logs.UID) {
	place, dropped := t.pairOf(p)
	if place == 0 {
		t.lost.Packets++
		return
	}
	t.count(place, p)
	if d < 0 {
		if t.flows.n >= t.cfg.MaxFlows {
			t.lost.Flows++
			return
		}
		if t.flows.full() {
			t.flows.grow()
			dropped = true
		}
		if dropped { // the table was rebuilt: the slot is elsewhere
			f, _ = t.flows.find(p, ports, t.pairs)
		}
		*f = flow{hash: p.Hash, ports: ports, proto: p.Proto}
		d = 0
		t.flows.n++
	} else if dropped {
		f, d = t.flows.find(p, ports, t.pairs)
	}
	f.pair[d] = place
	t.note(f, d, p, uid)
}

// move makes the slot of eff the current one. Times outside the open pane,
// which a caller that closes panes on time never has, count at its borders.
func (t *Table) move(eff packet.Time) {
	if len(t.pairs) == 0 {
		t.start = eff.Floor(t.cfg.Pane)
	}
	t.at = slotIn(eff, t.start, t.slot)
	at := t.at
	t.from = t.start.Add(time.Duration(at) * t.slot)
	t.upTo = t.from.Add(t.slot)
}

// count adds p to its direction's accumulators.
func (t *Table) count(place uint32, p *packet.Packet) {
	q := &t.pairs[place-1]
	firstSYN := false
	if p.Proto == packet.TCP {
		s, r, w := flagCounts(p.TCPFlags)
		firstSYN = s != 0 && q.syn == 0
		q.syn, q.rst, q.weird = q.syn+s, q.rst+r, q.weird+w
	} else if p.Proto == packet.ICMP || p.Proto == packet.ICMPv6 {
		q.icmp++
	}
	// Packets come in time order, so only the first of all, the first SYN and
	// ties in time can be less than what is there.
	if q.n == 0 || firstSYN || p.Eff == q.origin {
		t.begin(place, p)
	}
	if q.n == 0 {
		q.first, q.last, q.ttlMin, q.ttlMax = p.Eff, p.Eff, p.TTL, p.TTL
	} else {
		t.active(q)
	}
	q.n++
	q.bytes += uint64(p.IPLen)
	if pay := uint64(p.PayLen); pay != 0 {
		q.npay++
		q.pay += pay
		q.pay2 += pay * pay
	}
	q.ttlSum += uint64(p.TTL)
	q.ttlMin, q.ttlMax = min(q.ttlMin, p.TTL), max(q.ttlMax, p.TTL)
	q.last = max(q.last, p.Eff)
}

// begin lets p be the origin of its direction if it is the least.
func (t *Table) begin(place uint32, p *packet.Packet) {
	q, o := &t.pairs[place-1], &t.began[place-1].origin
	by := originOf(p)
	o.least(&by)
	q.origin = o.eff
}

// active notes the time of a direction's second and later packets, and with
// the second that of the first.
func (t *Table) active(q *pair) {
	if q.activity == 0 {
		t.activities = append(t.activities, activity{})
		q.activity = uint32(len(t.activities))
		t.activities[q.activity-1].add(slotIn(q.first, t.start, t.slot))
	}
	t.activities[q.activity-1].add(t.at)
}

// note adds p to its flow, and its connection to the pair that it was first
// heard from.
func (t *Table) note(f *flow, d int, p *packet.Packet, uid logs.UID) {
	f.bytes[d] += uint64(p.IPLen)
	if p.PayLen != 0 {
		f.payload[d] = true
	}
	tag := uint64(uid[0])<<56 | uint64(uid[1])<<48 | uint64(uid[2])<<40 | uint64(uid[3])<<32 |
		uint64(uid[4])<<24 | uint64(uid[5])<<16 | uint64(uid[6])<<8 | uint64(uid[7])
	if tag == f.uid || uid == (logs.UID{}) {
		return
	}
	f.uid = tag
	q := &t.pairs[f.pair[d]-1]
	if q.uids == 0 {
		t.uids = append(t.uids, uidList{})
		q.uids = uint32(len(t.uids))
	}
	t.uids[q.uids-1].add(p.Eff, uid)
}

// pairOf is the place of p's pair, made when it is new, or 0 when it is not
// kept. It says whether pairs were dropped, which moves flows and pairs.
func (t *Table) pairOf(p *packet.Packet) (place uint32, dropped bool) {
	i := t.findPair(&p.Src, &p.Dst)
	if t.index[i] != 0 {
		return t.index[i], false
	}
	hash := conversationHash(&p.Src, &p.Dst)
	if t.cfg.rank(hash) >= t.limit {
		return 0, false
	}
	if len(t.pairs) >= t.cfg.MaxPairs {
		dropped = true
		if t.evict(); t.cfg.rank(hash) >= t.limit {
			return 0, true
		}
		i = t.findPair(&p.Src, &p.Dst)
	}
	if len(t.pairs)+1 > len(t.index)/4*3 {
		t.index = make([]uint32, 2*len(t.index))
		t.reindex()
		i = t.findPair(&p.Src, &p.Dst)
	}
	t.pairs = append(t.pairs, pair{src: p.Src, dst: p.Dst})
	t.began = append(t.began, start{hash: hash})
	t.index[i] = uint32(len(t.pairs))
	return t.index[i], dropped
}

// findPair is the slot of the index that holds src to dst, or where it belongs.
func (t *Table) findPair(src, dst *packet.Addr) int {
	mask := len(t.index) - 1
	for i := t.pairHome(src, dst); ; i = (i + 1) & mask {
		place := t.index[i]
		if place == 0 {
			return i
		}
		if q := &t.pairs[place-1]; q.src == *src && q.dst == *dst {
			return i
		}
	}
}

// pairHome uses a hash that is seeded anew in every process: it decides where
// a pair lies, never what is reported.
func (t *Table) pairHome(src, dst *packet.Addr) int {
	h := maphash.Comparable(t.seed, [2]packet.Addr{*src, *dst})
	return int(h >> (64 - uint(bits.TrailingZeros(uint(len(t.index))))))
}

func (t *Table) reindex() {
	clear(t.index)
	for i := range t.pairs {
		t.index[t.findPair(&t.pairs[i].src, &t.pairs[i].dst)] = uint32(i + 1)
	}
}
