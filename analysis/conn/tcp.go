package conn

import (
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// tcpPacket takes one packet of a TCP connection. The order of the steps is
// Zeek's: history letters, activity, acknowledgement, sequence, state, and only
// then what the acknowledgement and the data reveal, and the close.
func (t *Tracker) tcpPacket(f *flow, s *stream, role int, p *packet.Packet) {
	if p.Flags&packet.BadTCPHeader != 0 {
		t.weird("bad_TCP_header_len", f, p)
		return
	}
	if t.badChecksum(p) {
		t.weird("bad_TCP_checksum", f, p)
		t.addScaled(f, role, 'C', &t.odd(f).badChecksums[role])
		return
	}
	var g segment
	g.set(p)
	s.notePartial(role, g.flags)
	if t.flipSynAck(f, &g) {
		role = peer(role)
	}
	e, other := &s.end[role], &s.end[peer(role)]
	t.number(f, e, &g, p)
	t.flagLetter(f, s, role, &g)
	if p.Win == 0 && !g.flags.rst() && other.state != tcpClosed && e.state != tcpReset {
		t.addScaled(f, role, 'W', &t.oddTCP(f).side[role].zeroWindows)
	}
	if !e.is(didClose) || !other.is(didClose) {
		t.active(f, p)
	}
	if g.flags.syn() {
		t.synWeirds(f, &g, p)
	}
	if g.flags.fin() {
		e.has |= sentFIN
		t.oddTCP(f).side[role].finSeq = g.rel + uint64(g.end-g.seq)
	}
	if g.flags.ack() {
		t.acknowledge(f, e, other, &g, p)
	}
	if e.advance(&g) {
		t.addScaled(f, role, 'T', &t.oddTCP(f).side[role].retransmitted)
	}
	// From here on e and other are no longer named: the state machine may flip.
	role, closes := t.nextState(f, s, role, &g, p)
	if g.flags.ack() {
		t.ackReceived(f, s, peer(role), g.relAck)
	}
	s.end[role].has |= firstSeen
	t.feed(f, s, role, &g, p)
	t.checkEOF(f, s, role)
	if closes {
		t.close(f, s, role)
	}
	f.count(role, p)
}

// set makes g what the rules see of p, before its numbers are made relative. It
// fills g where it lies: a copy would wait for the single fields to be stored.
func (g *segment) set(p *packet.Packet) {
	g.flags, g.seq, g.ack, g.len = tcpFlags(p.TCPFlags), p.Seq, p.Ack, p.PayLen
	octets := p.PayLen
	if g.flags.rst() {
		octets = 0 // what a RST carries is not part of the stream
	}
	if g.flags.syn() {
		octets++
	}
	if g.flags.fin() {
		octets++
	}
	g.end = g.seq + octets
}

// notePartial decides, with the first packet of a side, whether the connection
// was joined in the middle.
func (s *stream) notePartial(role int, flags tcpFlags) {
	if s.end[role].is(firstSeen) {
		return
	}
	if role == orig {
		s.mark(midway, !flags.syn() || flags.ack())
	} else if !s.is(midway) {
		s.mark(midway, !flags.syn())
	}
}

// number gives the side its start where it has none, and makes seq relative.
func (t *Tracker) number(f *flow, e *endpoint, g *segment, p *packet.Packet) {
	if g.flags.syn() && (e.state == tcpEstablished || e.state == tcpPartial) && t.deps.Weird != nil {
		if e.size(&endpoint{}) > 0 {
			t.weird("SYN_inside_connection", f, p)
		}
	}
	if e.startAt(g) {
		t.weird("SYN_seq_jump", f, p)
	}
	g.rel, g.under = e.relative(g.seq, e.last, e.lastWraps)
	if g.under && !g.flags.rst() {
		t.weird("TCP_seq_underflow_or_misorder", f, p)
	}
}

// acknowledge takes the acknowledgement number, which is about other's octets.
func (t *Tracker) acknowledge(f *flow, e, other *endpoint, g *segment, p *packet.Packet) {
	if other.state == tcpInactive {
		if g.flags.control() == 0 && (e.state == tcpSynSent || e.state == tcpSynAckSent || e.state == tcpEstablished) {
			t.weird("possible_split_routing", f, p)
		}
		other.begin(g.ack-1, g.ack-1)
		g.relAck = 1
		return
	}
	rel, under := other.relative(g.ack, other.ack, other.ackWraps)
	if under {
		t.weird("TCP_ack_underflow_or_misorder", f, p)
		return
	}
	g.relAck = rel
	if !g.flags.rst() { // acknowledgements in RSTs are not trusted
		other.acknowledged(g.ack)
	}
}

// feed hands the payload to reassembly. What the snapshot length cut off is not
// there: it becomes a gap when it is acknowledged.
func (t *Tracker) feed(f *flow, s *stream, role int, g *segment, p *packet.Packet) {
	if g.len == 0 || g.flags.rst() || g.under {
		return
	}
	if p.CapLen < p.PayLen {
		t.weird("truncated_tcp_payload", f, p)
		return
	}
	seq := g.rel
	if g.flags.syn() {
		seq++
	}
	if done := s.end[role].reassembled; seq <= done && done < seq+uint64(g.len) {
		t.application(f, role, p, s.place(seq))
	}
	if oddity := t.dataSent(f, s, role, seq, g.len); oddity != "" {
		t.weird(oddity, f, p)
	}
}

// place is where octets from seq on stand in the stream.
func (s *stream) place(seq uint64) (at dpd.Place) {
	if s.is(midway) {
		at |= dpd.Middle
	}
	if seq > 1 {
		at |= dpd.Later
	}
	if s.end[orig].size(&s.end[resp])+s.end[resp].size(&s.end[orig]) > dpd.LongAfter {
		at |= dpd.Long
	}
	return at
}

func (t *Tracker) synWeirds(f *flow, g *segment, p *packet.Packet) {
	if g.flags.rst() {
		t.weird("TCP_christmas", f, p)
	}
	if g.flags.has(packet.URG) {
		t.weird("baroque_SYN", f, p)
	}
	if g.len > 0 {
		t.weird("SYN_with_data", f, p)
	}
}
