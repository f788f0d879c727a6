package conn

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// Deps is where a Tracker's findings go. Its functions are called on the
// caller's goroutine, inside Handle, Advance or Flush.
type Deps struct {
	// Emit takes the record of a connection that ended at effective time at. The
	// record is the callee's during the call only. Calls come in no order of at.
	Emit func(at packet.Time, c *logs.Conn)
	// Reach hears, while Advance ends connections, the time before which all have
	// been that end by then: whoever keeps records in order need not keep those. Nil: not
	// wanted.
	Reach func(before packet.Time)
	// Open takes the provisional record of a connection that is still open at
	// effective time at, likewise. Nil unless Config.OpenInterval is set.
	Open func(at packet.Time, c *logs.Conn)
	// Weird takes an oddity by Zeek's name for it. Nil: not wanted.
	Weird func(at packet.Time, name string, p *packet.Packet, uid logs.UID)
	// Link is the link of a number in packet.Link. Nil unless Config.VLAN or MAC is set.
	Link func(id uint32) packet.Link
	// LinkID is the number of a link, 0 for none, for those of a snapshot. Nil unless
	// Link is set.
	LinkID func(l packet.Link) uint32
	// Expected are the connections that were announced. Nil: none.
	Expected *Expected
	// Carrier takes a tunnel when the first packet comes that carries another one,
	// before what it carries comes. Nil: not wanted.
	Carrier func(c Carrier)
}

// Tracker is the connection table of one shard. Its clocks are pure functions of
// each connection's own packets, so that records do not depend on which other
// packets a shard sees, nor on how often Advance is called.
type Tracker struct {
	cfg     Config
	deps    Deps
	local   []network
	timeout [idleClasses]time.Duration

	table   table
	wheel   wheel
	flows   flowSlab
	spans   slab[span]
	letters slab[letters]
	bounds  bounds

	rares    slab[oddities]
	tcpRares slab[tcpOddities]

	plain      map[uint64]plainTunnel // tunnels without connection, by hash
	sweepPlain int                    // when so many are known
	parents    map[uint32][]Parent    // by flow, of those that were seen in tunnels
	emitting   []Parent
	showings   showings
	links      map[uint32]seenLink // by flow, of those whose link is wanted and known

	ear    dpd.Ear
	key    tuple // of the packet being handled
	out    logs.Conn
	warm   [prefetchLen]uint32
	checks uint64 // how often crossCheck was called
	sink   uint64 // what Prefetch read, so that reading it is not optimised away
}

// New makes an empty Tracker.
func New(cfg Config, deps Deps) *Tracker {
	if deps.Reach == nil {
		deps.Reach = func(packet.Time) {}
	}
	t := &Tracker{
		cfg: cfg, deps: deps, local: networks(cfg.Local), table: newTable(), bounds: boundsFor(&cfg),
		plain: map[uint64]plainTunnel{}, sweepPlain: minPlain, parents: map[uint32][]Parent{}, links: map[uint32]seenLink{},
	}
	t.wheel.flows = &t.flows
	t.timeout = [idleClasses]time.Duration{
		idleOther: cfg.OtherInactivity, idleICMP: cfg.ICMPInactivity, idleUDP: cfg.UDPInactivity,
		idleTCP: cfg.TCPInactivity, idleLogin: cfg.LoginInactivity,
	}
	return t
}

// Len is the number of open connections.
func (t *Tracker) Len() int { return t.table.n }

// Handle takes the next packet in key order, one whose headers hold (DropNone).
// It returns the uid of the packet's connection, and whether it has one: as in
// Zeek, what carries others right behind its IP header has none.
func (t *Tracker) Handle(p *packet.Packet) (logs.UID, bool) {
	if p.Flags&packet.Carrier != 0 && p.Proto != packet.UDP {
		t.carryPlain(p)
		return logs.UID{}, false
	}
	if t.cfg.OpenInterval > 0 {
		t.show(p.Eff)
	}
	k := &t.key
	k.set(p)
	i, f, role := t.find(k)
	n := uint32(0)
	if f != nil {
		if at, over := t.over(f, p); over {
			if t.firstEff(f) == p.Eff {
				n = t.known(f).n + 1
			}
			t.end(i, f, at)
			f = nil
		}
	}
	if f == nil {
		i, f, role = t.open(k, p, n)
	}
	t.update(f, role, p)
	if p.Flags&packet.Carrier != 0 {
		t.carry(f, p)
	}
	if p.Outer != 0 {
		t.parent(i, f, p)
	}
	// Where the clock is the own stamp, a deadline can be in the past: it is met now.
	if f.deadline = max(t.deadline(f), p.Eff); f.bucket == noBucket {
		t.wheel.place(i, f)
	} else {
		t.wheel.update(i, f)
	}
	t.crossCheck()
	return f.uid, true
}

// over says whether f has ended when its packet p comes, and at what time: its
// deadline is met, or p begins another connection.
func (t *Tracker) over(f *flow, p *packet.Packet) (packet.Time, bool) {
	if f.deadline <= p.Eff {
		return f.deadline, true
	}
	if f.proto == packet.TCP && t.reuses(f, f.stream(), p) {
		return p.Eff, true
	}
	return 0, false
}

// find looks k up. f is nil if there is no such flow.
func (t *Tracker) find(k *tuple) (i uint32, f *flow, role int) {
	slots := t.table.slots
	mask := len(slots) - 1
	for at := t.table.home(k.tag); ; at = (at + 1) & mask {
		slot := slots[at]
		if slot == 0 {
			return 0, nil, orig
		}
		if uint32(slot>>32) != k.tag {
			continue
		}
		i = uint32(slot)
		f = t.flows.at(i)
		if role, ok := f.role(k); ok {
			return i, f, role
		}
	}
}

// update applies p to its flow.
func (t *Tracker) update(f *flow, role int, p *packet.Packet) {
	if p.Flags&packet.Late != 0 {
		t.odd(f).late++
	}
	switch f.transport() {
	case tcp:
		s := f.stream()
		t.rearm(f, s, p.Eff)
		t.tcpPacket(f, s, role, p)
	case udp:
		if f.due <= p.Eff {
			f.due = after(p.Eff, t.cfg.DNSSession)
		}
		t.udpPacket(f, role, p)
	case icmp:
		t.icmpPacket(f, role, p)
	default:
		t.otherPacket(f, role, p)
	}
}

func (t *Tracker) badChecksum(p *packet.Packet) bool {
	return p.Flags&packet.BadChecksum != 0 && !t.cfg.IgnoreChecksums
}

func (t *Tracker) weird(name string, f *flow, p *packet.Packet) {
	if t.deps.Weird != nil {
		t.deps.Weird(p.Eff, name, p, f.uid)
	}
}

// Advance says that every packet before end was handled: connections whose
// deadline is before end are closed, at their deadline.
func (t *Tracker) Advance(end packet.Time) {
	// Where event time jumps, provisional records come as long as connections last: not
	// all of them before all others.
	for at, ok := t.showings.first(); ok && end.Sub(at) > showStep; at, ok = t.showings.first() {
		t.pass(at.Add(showStep))
		t.deps.Reach(at.Add(showStep))
	}
	t.pass(end)
	t.crossCheck()
}

// showStep is how much event time passes at once while there are provisional records.
const showStep = time.Second

func (t *Tracker) pass(end packet.Time) {
	t.show(end)
	t.wheel.sweep(end, t.expire, t.deps.Reach)
}

// expire ends flows at their deadlines.
func (t *Tracker) expire(due []uint32) {
	t.warmEnds(due)
	for _, i := range due {
		f := t.flows.at(i)
		t.end(i, f, f.deadline)
	}
}

// Flush ends the input, whose last packet was at last: deadlines before it are
// met, then every connection that is left closes at last, as at Zeek's end of
// file, in order of the stamp that its record shows, then of uid. The Tracker is
// empty afterwards.
func (t *Tracker) Flush(last packet.Time) {
	t.Advance(last)
	left := make([]remnant, 0, t.Len())
	t.flows.each(func(i uint32) {
		if f := t.flows.at(i); f.bucket != noBucket {
			f.bucket = noBucket
			left = append(left, remnant{f.first.Seconds(), i})
		}
	})
	t.wheel.clear()
	t.showings = showings{}
	// A million connections may be left: what is sorted is small, and the flow
	// is looked at where stamps are equal only.
	slices.SortFunc(left, func(a, b remnant) int {
		if a.ts != b.ts {
			return cmp.Compare(a.ts, b.ts)
		}
		fa, fb := t.flows.at(a.i), t.flows.at(b.i)
		return bytes.Compare(fa.uid[:], fb.uid[:])
	})
	batch := make([]uint32, 0, rosterLen)
	for some := range slices.Chunk(left, rosterLen) {
		batch = batch[:0]
		for _, r := range some {
			batch = append(batch, r.i)
		}
		t.warmEnds(batch)
		for _, i := range batch {
			t.end(i, t.flows.at(i), last)
		}
	}
}

// remnant is a connection that the end of input closes.
type remnant struct {
	ts float64 // as its record shows
	i  uint32
}
