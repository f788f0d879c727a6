package conn

import "pcapdir/source/packet"

// nextState moves the sender's state and says whether its packet closes. The
// role comes back because a SYN that arrives after its SYN-ACK flips.
func (t *Tracker) nextState(f *flow, s *stream, role int, g *segment, p *packet.Packet) (int, bool) {
	switch s.end[role].state {
	case tcpInactive:
		return t.fromInactive(f, s, role, g, p)
	case tcpSynSent, tcpSynAckSent:
		return role, t.fromSynSent(f, s, role, g, p)
	case tcpEstablished, tcpPartial:
		return role, t.fromEstablished(f, s, role, g, p)
	case tcpClosed:
		return role, t.fromClosed(f, s, role, g, p)
	default:
		t.fromReset(f, g, p)
		return role, false
	}
}

// fromInactive is the first packet of a side. SYN+FIN takes both steps, and so
// does SYN+RST.
func (t *Tracker) fromInactive(f *flow, s *stream, role int, g *segment, p *packet.Packet) (int, bool) {
	closes := false
	if g.flags.syn() {
		if role == orig {
			t.origSYN(f, s, g, p)
		} else {
			role = t.respSYN(f, s, g, p)
		}
	}
	other := s.end[peer(role)].state
	if g.flags.fin() {
		s.setState(f, role, tcpClosed)
		closes = true
		if other != tcpPartial && !g.flags.syn() {
			t.weird("spontaneous_FIN", f, p)
		}
	}
	if g.flags.rst() {
		s.setState(f, role, tcpReset)
		closes = true
		if other == tcpInactive {
			t.weird("spontaneous_RST", f, p)
		}
	}
	if s.end[role].state == tcpInactive {
		t.firstPlain(f, s, role, g)
	}
	return role, closes
}

// origSYN is the originator's first SYN: it waits for an answer.
func (t *Tracker) origSYN(f *flow, s *stream, g *segment, p *packet.Packet) {
	to := tcpSynSent
	if g.flags.ack() {
		t.weird("connection_originator_SYN_ack", f, p)
		to = tcpSynAckSent
	}
	s.setState(f, orig, to)
	if !s.is(finished) {
		s.timer = after(t.clock(p), t.cfg.AttemptDelay)
	}
}

// respSYN is the responder's first SYN: the connection is established. A plain
// SYN that fits a SYN-ACK seen before it means that the two were swapped on
// their way here: its sender is the originator.
func (t *Tracker) respSYN(f *flow, s *stream, g *segment, p *packet.Packet) int {
	role := resp
	if !g.flags.ack() {
		if s.end[orig].state == tcpSynAckSent && g.seq == s.end[resp].start {
			t.flip(f)
			role = orig
			s.setState(f, resp, tcpEstablished)
			s.end[orig].has |= firstSeen
		} else {
			t.weird("simultaneous_open", f, p)
		}
	}
	switch other := peer(role); s.end[other].state {
	case tcpSynSent:
		s.setState(f, other, tcpEstablished)
	case tcpInactive:
		t.weird("unsolicited_SYN_response", f, p)
	}
	s.setState(f, role, tcpEstablished)
	if s.end[peer(role)].state != tcpPartial && loginPort(f.port[resp]) {
		f.idle = idleLogin
	}
	return role
}

// firstPlain is a side's first packet when that has no SYN, FIN or RST.
func (t *Tracker) firstPlain(f *flow, s *stream, role int, g *segment) {
	if role == resp && g.len == 0 && s.end[orig].state == tcpSynSent {
		return // some acknowledge a SYN before they answer it
	}
	if g.flags.ack() && s.end[peer(role)].state == tcpEstablished {
		s.setState(f, role, tcpEstablished) // only the SYN was missed
		s.mark(midway, false)
		s.end[role].has |= firstSeen
		return
	}
	s.setState(f, role, tcpPartial)
}

func (t *Tracker) fromSynSent(f *flow, s *stream, role int, g *segment, p *packet.Packet) (closes bool) {
	if g.flags.syn() && role == orig && g.flags.ack() && s.end[role].state == tcpSynSent &&
		!g.flags.fin() && !g.flags.rst() {
		t.weird("repeated_SYN_with_ack", f, p)
	}
	if g.flags.fin() {
		if other := s.end[peer(role)].state; other == tcpInactive || other == tcpSynSent {
			t.weird("inappropriate_FIN", f, p)
		}
		s.setState(f, role, tcpClosed)
		closes = true
	}
	if g.flags.rst() {
		s.setState(f, role, tcpReset)
		s.finish()
		return true
	}
	if g.len > 0 {
		t.weird("data_before_established", f, p)
	}
	return closes
}

func (t *Tracker) fromEstablished(f *flow, s *stream, role int, g *segment, p *packet.Packet) (closes bool) {
	e, other := &s.end[role], &s.end[peer(role)]
	if g.flags.syn() && !g.flags.ack() && e.state == tcpPartial && other.state == tcpInactive {
		t.weird("SYN_after_partial", f, p)
		s.setState(f, role, tcpSynSent)
	}
	if g.flags.fin() && !g.flags.rst() {
		s.setState(f, role, tcpClosed)
		if other.state == tcpReset && other.earlier == tcpClosed {
			s.setState(f, peer(role), tcpClosed) // FIN, RST, and now our FIN: a normal end after all
		}
		closes = true
	}
	if g.flags.rst() {
		s.setState(f, role, tcpReset)
		closes = true
		if other.state != tcpReset || other.earlier != tcpEstablished {
			s.finish()
		}
	}
	return closes
}

// fromClosed is what a side sends after its FIN. A RST after both FINs changes
// nothing.
func (t *Tracker) fromClosed(f *flow, s *stream, role int, g *segment, p *packet.Packet) (closes bool) {
	if g.flags.syn() {
		t.weird("SYN_after_close", f, p)
	}
	if g.flags.fin() && g.ahead > 0 {
		t.weird("FIN_advanced_last_seq", f, p)
	}
	if g.flags.rst() && s.end[peer(role)].state != tcpClosed {
		s.setState(f, role, tcpReset)
		return !s.end[role].is(didClose)
	}
	return false
}

func (t *Tracker) fromReset(f *flow, g *segment, p *packet.Packet) {
	if g.flags.syn() {
		t.weird("SYN_after_reset", f, p)
	}
	if g.flags.fin() {
		t.weird("FIN_after_reset", f, p)
	}
	if g.len > 0 && !g.flags.rst() {
		t.weird("data_after_reset", f, p)
	}
}
