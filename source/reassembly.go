package source

import (
	"sync/atomic"

	"pcapdir/source/decode"
	"pcapdir/source/defrag"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// Reassembly makes packets of fragments: it puts datagrams together and decodes
// them. It belongs to one goroutine, but for Counts.
type Reassembly struct {
	table  *defrag.Table
	inside decode.Inside
	counts atomic.Pointer[defrag.Counts]
}

// NewReassembly makes a reassembly with nothing in the making.
func NewReassembly(cfg defrag.Config) *Reassembly {
	r := &Reassembly{table: defrag.New(cfg)}
	r.counts.Store(&defrag.Counts{})
	return r
}

// Add takes a fragment: the packet p, which has the order fields, and its IP
// packet. It emits what comes of it in p's place: for each thing that is odd about
// it a packet whose Drop names that, and the packets of the datagram that it
// completes. Effective times must not fall from call to call. An emitted packet
// holds during the call of emit, which says whether to go on; Add returns that.
func (r *Reassembly) Add(p *packet.Packet, ip []byte, emit func(*packet.Packet) bool) bool {
	f, ok := decode.Fragment(ip)
	if !ok {
		return true
	}
	whole, odd := r.table.Add(&f, p.Eff)
	for drop := range odd.All {
		if o := standIn(p, drop); !emit(&o) {
			return false
		}
	}
	return whole == nil || r.datagram(p, whole, emit)
}

// datagram emits what the datagram that p completed holds.
func (r *Reassembly) datagram(p *packet.Packet, ip []byte, emit func(*packet.Packet) bool) bool {
	d := standIn(p, packet.DropNone)
	if drop := decode.Datagram(ip, &d, &r.inside); drop != packet.DropNone && !drop.Weird() {
		return true
	}
	d.Flags |= p.Flags & orderFlags
	if !emit(&d) {
		return false
	}
	outer := d.Hash
	return unwrap(&d, &r.inside, func(q *packet.Packet, fragment []byte) bool {
		placeInside(q, p, outer)
		if fragment != nil {
			return r.Add(q, fragment, emit)
		}
		q.Hash = p.Rank
		if !emit(q) {
			return false
		}
		outer = q.Hash
		return true
	})
}

// orderFlags are those that say something of a record's place, not of its headers.
const orderFlags = packet.Late

// standIn is a packet in the place of p, without headers.
func standIn(p *packet.Packet, drop packet.Drop) packet.Packet {
	return packet.Packet{
		Eff: p.Eff, TS: p.TS, Rank: p.Rank, Rec: p.Rec, Sub: p.Sub, Hash: p.Rank, Outer: p.Outer, Depth: p.Depth, Link: p.Link,
		Flags: p.Flags & orderFlags, Drop: drop,
	}
}

// Expire gives up datagrams whose time is over when event time has reached now,
// and makes the totals so far what Counts returns.
func (r *Reassembly) Expire(now packet.Time) {
	r.table.Expire(now)
	c := r.table.Counts()
	r.counts.Store(&c)
}

// Save writes the datagrams in the making.
func (r *Reassembly) Save(w *snap.Writer) { r.table.Save(w) }

// Load reads what Save wrote, before the first Add. Counts begin again.
func (r *Reassembly) Load(s *snap.Reader) error { return r.table.Load(s) }

// Counts are the totals of fragments and datagrams, as of the last Expire. Any
// goroutine may call it.
func (r *Reassembly) Counts() defrag.Counts { return *r.counts.Load() }
