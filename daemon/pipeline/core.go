package pipeline

import (
	"bytes"
	"sync/atomic"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// core is what one shard does with its packets: it tracks connections, keeps
// flow vectors, and leaves what each epoch brought in its outbox. It meets
// sharder.Handler; all but its counters and outbox belong to its goroutine.
type core struct {
	tracker *conn.Tracker
	vectors *flowvec.Table // nil where no window wants any
	weirds  weirds
	stream  logs.Stream[logs.Conn]
	out     *outbox
	backlog *backlog

	catchUp    bool            // it has no vectors, and its records say so
	flushing   bool            // all that is open is being closed
	advancing  bool            // event time passes, on all shards
	flushBytes int             // of lines that may wait while the shard can, too
	freshBytes int             // of lines from which on they are handed over before their epoch, or the flush, ends
	now        packet.Time     // of the packet handled last
	stop       <-chan struct{} // closed when the engine gives up
	// save writes what do writes, of a shard that has handed over all before frontier.
	save func(frontier packet.Time, do func(w *snap.Writer))

	handled uint64         // packets
	evicted uint64         // connections that were counted as such
	gaveUp  uint64         // sides likewise
	tunnels []conn.Carrier // since the last Advance
	fresh   lines          // since the last Advance
	shown   lines          // of open connections, likewise
	held    lines          // in a flush: of its instant, and older
	pane    time.Duration
	paneEnd packet.Time // of the open pane; holds if open
	open    bool
	touched bool // the open pane has a late packet

	counters *counters
}

// counters are read by the heartbeat while the shard works.
type counters struct {
	packets, bytes, ended, conns, pairs, tcp, oneSided, evicted, unassembled atomic.Uint64
}

// newCore makes a core. It keeps flow vectors where it is told how.
func newCore(p *plant, conns conn.Config, vectors *flowvec.Config, expected *conn.Expected) *core {
	c := &core{
		stream: logs.ConnStream(), backlog: p.backlog,
		weirds: weirds{open: map[weirdKey]*weirdCount{}},
		out:    newOutbox(p.panes), counters: &counters{},
	}
	c.fresh.spare, c.shown.spare = p.spare, p.spare
	if vectors != nil {
		c.vectors, c.pane = flowvec.New(*vectors), vectors.Pane
	}
	deps := conn.Deps{Emit: c.emit, Open: c.show, Weird: c.weirds.add, Carrier: c.carry, Reach: c.reach, Expected: expected}
	if p.links != nil {
		deps.Link, deps.LinkID = p.links.Link, p.links.ID
	}
	c.tracker = conn.New(conns, deps)
	return c
}

// Handle tracks and counts the packets of one epoch.
func (c *core) Handle(ps []*packet.Packet) {
	c.tracker.Prefetch(ps)
	if c.vectors != nil {
		c.vectors.Prefetch(ps)
	}
	var bytes uint64
	for _, p := range ps {
		bytes += uint64(p.WireLen)
		if c.fresh.bytes+c.shown.bytes > c.freshBytes && p.Eff > c.now {
			c.pass(p.Eff) // an epoch may bring more lines than there is room for
		}
		c.now = p.Eff
		if p.Drop != packet.DropNone {
			c.weirds.add(p.Eff, p.Drop.String(), p, logs.UID{})
			continue
		}
		uid, _ := c.tracker.Handle(p)
		if c.vectors != nil {
			c.count(p, uid)
		}
	}
	c.handled += uint64(len(ps))
	c.counters.packets.Add(uint64(len(ps)))
	c.counters.bytes.Add(bytes)
	c.countOpen()
}

// countOpen tells the heartbeat how much is open.
func (c *core) countOpen() {
	evicted, gaveUp := c.tracker.Evicted(), c.tracker.GaveUp()
	c.counters.evicted.Add(evicted - c.evicted)
	c.counters.unassembled.Add(gaveUp - c.gaveUp)
	c.evicted, c.gaveUp = evicted, gaveUp
	if c.catchUp {
		return // what is open is about the live ones
	}
	c.counters.conns.Store(uint64(c.tracker.Len()))
	if c.vectors != nil {
		c.counters.pairs.Store(uint64(c.vectors.Len()))
	}
}

// count adds a packet to the vectors of its pane.
func (c *core) count(p *packet.Packet, uid logs.UID) {
	if !c.open {
		c.open, c.paneEnd = true, p.Eff.Floor(c.pane).Add(c.pane)
	}
	c.touched = c.touched || p.Flags&packet.Late != 0
	c.vectors.Add(p, uid)
}

// emit takes the record of a connection that ended at event time at.
func (c *core) emit(at packet.Time, r *logs.Conn) {
	p := place{at, r.TS, r.UID}
	r.CatchUp = c.catchUp
	if r.Proto == "tcp" {
		c.counters.tcp.Add(1)
		if oneSided(r) {
			c.counters.oneSided.Add(1)
		}
	}
	c.letGo(p)
	c.fresh.add(p, func(dst []byte) []byte {
		return c.stream.Append(appendParents(dst, c.tracker.Parents()), r)
	})
	if c.flushing && c.fresh.bytes > c.freshBytes {
		c.handOver(p)
		c.awaitFetch()
	}
}

// show takes the record of a connection that is open at event time at. Catching up
// shows none.
func (c *core) show(at packet.Time, r *logs.Conn) {
	if c.catchUp {
		return
	}
	r.AsOf = at.Seconds()
	c.shown.add(place{at, r.TS, r.UID}, func(dst []byte) []byte {
		return logs.OpenConnStream().Append(appendParents(dst, c.tracker.Parents()), r)
	})
}

// oneSided says that a side of a TCP connection answered somebody of whom nothing
// was captured: a tap that sees one direction. An attempt that nobody answered is
// none.
func oneSided(r *logs.Conn) bool {
	return (r.OrigPkts == 0 || r.RespPkts == 0) && bytes.ContainsAny(r.History, "HADFhadf")
}

// carry takes a tunnel that was seen.
func (c *core) carry(t conn.Carrier) { c.tunnels = append(c.tunnels, t) }

// awaitFetch holds the shard back, on a way that all shards go, while much of what it
// brings there waits for the committer. It cannot deadlock: of the shard whose place is
// least all is fetched, whatever the committer waits for itself, and each step of a
// shard asks for that, also the last.
func (c *core) awaitFetch() {
	c.backlog.waiters.Add(1)
	defer c.backlog.waiters.Add(-1)
	c.backlog.commitNow()
	for c.out.waiting() > c.flushBytes {
		select {
		case <-c.out.fetched:
		case <-c.stop:
			return
		}
	}
}

// Advance closes what ended before end and hands it over. All shards come to end,
// whatever becomes of what this one brings: so it may wait for the committer.
func (c *core) Advance(end packet.Time) {
	c.advancing = true
	c.pass(end)
	c.advancing = false
}

// reach hands over what ended before t if it is much. A million connections may
// end in a second of event time. That t can lie before what was handed over, by less
// than a tick of the tracker's clock.
func (c *core) reach(t packet.Time) {
	end := before(t)
	if c.fresh.bytes+c.shown.bytes <= c.freshBytes || end.compare(&c.out.frontier) <= 0 {
		return
	}
	c.handOver(end)
	if c.advancing {
		c.awaitFetch()
	}
}

// pass does what Advance does, without waiting.
func (c *core) pass(end packet.Time) {
	// The pane comes first: on the way to end lines may be handed over that are
	// behind its end.
	if c.open && c.paneEnd <= end {
		c.closePane(false)
	}
	c.tracker.Advance(end)
	c.handOver(before(end))
}

// Finish closes every connection, and the pane that the end of input cut short.
// All that is still open ends in one instant, so it is handed over bit by bit,
// in order, as the committer takes it: a million connections are no million
// lines in memory.
func (c *core) Finish(last packet.Time) {
	c.tracker.Advance(last)
	c.hold(before(last))
	c.handOver(before(last))
	c.flushing = true
	c.tracker.Flush(last)
	c.letGo(before(packet.MaxTime))
	if c.open {
		c.closePane(true)
	}
	c.handOver(before(packet.MaxTime))
	c.backlog.commitNow()
}

// Flush closes every connection at the event time at, bit by bit as Finish does.
// Panes and the minutes of weird.log go on: they end when event time says so.
func (c *core) Flush(at packet.Time) {
	c.flushing = true
	c.tracker.Flush(at)
	c.flushing = false
	c.handOver(before(at + 1))
	c.backlog.commitNow()
}

// hold keeps back the lines from a place on: a connection may have ended in the
// very instant in which the flush ends all others, and its line stands among theirs.
func (c *core) hold(from place) {
	c.fresh.sort()
	c.held = c.fresh.takeFrom(from)
}

// letGo puts the held lines before end where they belong.
func (c *core) letGo(end place) {
	for len(c.held.list) > 0 && c.held.list[0].compare(&end) < 0 {
		c.fresh.addCopy(&c.held, &c.held.list[0])
		c.held.list = c.held.list[1:]
	}
}

// closePane leaves the open pane in the outbox.
func (c *core) closePane(short bool) {
	p := pane{end: c.paneEnd, part: c.vectors.ClosePane(), touched: c.touched || short}
	c.open, c.touched = false, false
	c.out.mu.Lock()
	c.out.panes = append(c.out.panes, p)
	c.out.mu.Unlock()
	c.backlog.grow(c.backlog.paneWeight())
}

// handOver leaves everything before end in the outbox. What came to be at end or later
// stays.
func (c *core) handOver(end place) {
	c.fresh.sort()
	c.shown.sort()
	laterConns, laterOpens := c.fresh.takeFrom(end), c.shown.takeFrom(end)
	weirds := c.weirds.closed(end.at)
	n := len(c.fresh.list)
	size := c.fresh.bytes + c.shown.bytes
	c.out.mu.Lock()
	taken := c.out.conns.push(c.fresh)
	shownTaken := c.out.opens.push(c.shown)
	c.out.weirds = append(c.out.weirds, weirds...)
	later := 0
	for _, t := range c.tunnels {
		if t.From < end.at || c.flushing { // in a flush all lines are of one instant
			c.out.tunnels = append(c.out.tunnels, t)
		} else {
			c.tunnels[later], later = t, later+1
		}
	}
	c.tunnels = c.tunnels[:later]
	c.out.frontier = end
	c.out.mu.Unlock()
	c.fresh.reuse(taken)
	c.shown.reuse(shownTaken)
	c.fresh.takeBack(&laterConns)
	c.shown.takeBack(&laterOpens)
	c.counters.ended.Add(uint64(n))
	c.countOpen()
	c.backlog.grow(size)
}
