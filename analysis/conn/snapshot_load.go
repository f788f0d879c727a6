package conn

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"pcapdir/source/dpd"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// Load takes up what one Tracker saved, and is called for each that did: connections
// go to those trackers on which their packets will be. route says of a packet on which
// it belongs, and fills its Hash. All trackers are new, and have the Config of those
// that saved; now is the event time to which those were advanced.
//
// A state that needs more than Config.Memory is taken up nevertheless: nothing is
// opened without an eviction then, until enough has ended by itself. After an error
// the trackers are of no use.
func Load(r *snap.Reader, trackers []*Tracker, now packet.Time, route func(*packet.Packet) int) error {
	l := loader{r: r, trackers: trackers, now: now, route: route, shown: make([][]showing, len(trackers))}
	if err := l.load(); err != nil {
		return fmt.Errorf("open connections: %w", err)
	}
	for n, t := range trackers {
		t.showings.merge(l.shown[n])
	}
	return nil
}

var (
	errSeed   = errors.New("the seed of the hash is another one than it was")
	errBroken = errors.New("a connection makes no sense")
)

// loader is the work of one Load.
type loader struct {
	r        *snap.Reader
	trackers []*Tracker
	now      packet.Time
	route    func(*packet.Packet) int
	head     snapshotHead
	shown    [][]showing // by tracker: instants of its flows, in no order

	plain plainFlow // the flow at hand, or
	tcp   tcpFlow
	link  savedLink
	p     packet.Packet
	key   tuple
}

func (l *loader) load() error {
	for _, t := range l.trackers {
		t.wheel.start(l.now)
	}
	if l.r.Get(&l.head) && l.head.speech != dpd.Digest() {
		return snap.ErrLayout
	}
	for range l.head.plain {
		if !l.r.Get(&l.plain) {
			break
		}
		if err := l.take(&l.plain.flow, false); err != nil {
			return err
		}
	}
	for range l.head.tcp {
		if !l.r.Get(&l.tcp) {
			break
		}
		if err := l.take(&l.tcp.flow, true); err != nil {
			return err
		}
	}
	var tunnels map[uint64]plainTunnel
	var sweep int
	if l.r.Get(&tunnels, &sweep) {
		for _, t := range l.trackers {
			t.takeTunnels(tunnels, sweep, l.now)
		}
	}
	return l.r.Err()
}

// take gives the flow that was read to its tracker, with what it has apart.
func (l *loader) take(read *flow, isTCP bool) error {
	if (read.transport() == tcp) != isTCP || read.idle >= idleClasses || int(read.histLen) > len(read.hist) {
		return errBroken
	}
	n, ok := l.owner(read)
	if !ok {
		return errSeed
	}
	t := l.trackers[n]
	i, f := t.flows.alloc(read.transport())
	if isTCP {
		*t.flows.tcp.at(i - tcpIndex) = l.tcp
	} else {
		*t.flows.plain.at(i) = l.plain
	}
	if l.head.links && l.r.Get(&l.link) {
		t.takeLink(i, l.link)
	}
	if !t.takeApart(l.r, i, f) {
		return l.r.Err()
	}
	t.table.insert(f.tag, i)
	t.wheel.place(i, f)
	if t.cfg.OpenInterval > 0 {
		l.shown[n] = append(l.shown[n], showing{t.nextShowing(t.firstEff(f), l.now), i, f.uid})
	}
	return nil
}

// owner is the tracker of a flow. Its tag tells whether it is the right one, and
// whether addresses that look like those of IPv4 were in IPv6 packets: these have
// another hash.
func (l *loader) owner(f *flow) (n int, ok bool) {
	p := &l.p
	*p = packet.Packet{Src: f.addr[orig], Dst: f.addr[resp], SrcPort: f.port[orig], DstPort: f.port[resp], Proto: f.proto}
	if !p.Src.Is4() || !p.Dst.Is4() {
		p.Flags = packet.IPv6
	}
	for {
		n = l.route(p)
		if l.key.set(p); l.key.tag == f.tag {
			return n, true
		}
		if p.Flags != 0 {
			return 0, false
		}
		p.Flags = packet.IPv6
	}
}

// takeLink notes the link of flow i, under the number that it has now.
func (t *Tracker) takeLink(i uint32, l savedLink) {
	if l.seen.id == 0 || t.deps.LinkID == nil {
		return
	}
	if l.seen.id = t.deps.LinkID(l.link); l.seen.id != 0 {
		t.links[i] = l.seen
	}
}

// takeApart reads what flow i has apart, but for the link.
func (t *Tracker) takeApart(r *snap.Reader, i uint32, f *flow) bool {
	if f.rare != 0 {
		if f.rare = 0; f.proto == packet.TCP {
			r.Get(t.oddTCP(f))
		} else {
			r.Get(t.odd(f))
		}
	}
	if f.histNext != 0 {
		var more []byte
		r.Get(&more)
		f.histNext, f.histMore = 0, 0
		for _, c := range more {
			t.addHistory(f, c)
		}
	}
	if f.marks&markTunneled != 0 {
		var parents []Parent
		r.Get(&parents)
		t.parents[i] = parents
	}
	if i < tcpIndex {
		return r.Err() == nil
	}
	s := f.stream()
	for role := range s.end {
		if e := &s.end[role]; e.pending != 0 {
			var ranges [][2]uint64
			r.Get(&ranges)
			e.pending = 0
			for _, octets := range ranges {
				t.addSpan(e, octets[0], octets[1])
			}
		}
	}
	return r.Err() == nil
}

// takeTunnels takes tunnels without connection that are not over. Their hash does not
// say on which shard they are, so each has all: one that gets no packets of a tunnel
// knows less of it than the one that does.
func (t *Tracker) takeTunnels(tunnels map[uint64]plainTunnel, sweep int, now packet.Time) {
	for hash, tunnel := range tunnels {
		if known, ok := t.plain[hash]; now.Sub(tunnel.last) <= tunnelIdle && (!ok || known.last < tunnel.last) {
			t.plain[hash] = tunnel
		}
	}
	if t.sweepPlain = max(t.sweepPlain, sweep); len(t.plain) >= t.sweepPlain {
		t.forgetTunnels(now.Add(-tunnelIdle))
	}
}

// nextShowing is the first instant, now or later, for a flow that began at first.
func (t *Tracker) nextShowing(first, now packet.Time) packet.Time {
	every := t.cfg.OpenInterval
	at := after(first, every)
	if at < now {
		at = after(at, (now.Sub(at)+every-1)/every*every)
	}
	return at
}

// merge adds instants, which are in no order, to those that wait.
func (s *showings) merge(more []showing) {
	slices.SortFunc(more, func(a, b showing) int { return cmp.Compare(a.at, b.at) })
	waiting := s.list[s.next:]
	list := make([]showing, 0, len(waiting)+len(more))
	for len(waiting) > 0 && len(more) > 0 {
		first := &waiting
		if more[0].at < waiting[0].at {
			first = &more
		}
		list = append(list, (*first)[0])
		*first = (*first)[1:]
	}
	s.list, s.next = append(append(list, waiting...), more...), 0
}
