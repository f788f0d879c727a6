package conn

import (
	"time"

	"pcapdir/source/packet"
)

// checkEOF notices that a side that ended has nothing left to deliver. That lets
// a close happen that waited for it.
func (t *Tracker) checkEOF(f *flow, s *stream, role int) {
	e := &s.end[role]
	ended := e.is(sentFIN) || e.state == tcpClosed || e.state == tcpReset
	if !ended || e.is(didEOF) || s.dataPending(role) {
		return
	}
	e.has |= didEOF
	if s.is(deferred) {
		t.close(f, s, role)
		s.mark(deferred, false)
	}
}

// close takes role's FIN or RST into account, unless its data is incomplete. If
// the connection is over with it, the record is due CloseDelay after its last
// activity, whatever still comes but the other side's close.
func (t *Tracker) close(f *flow, s *stream, role int) {
	if s.dataPending(role) {
		s.mark(deferred, true)
		return
	}
	s.mark(deferred, false)
	e, other := &s.end[role], &s.end[peer(role)]
	if e.is(didClose) {
		return
	}
	e.has |= didClose
	if e.state == tcpReset || other.is(didClose) || other.state == tcpInactive {
		s.finish()
		s.timer = after(f.lastSeen, t.cfg.CloseDelay) // a second close starts the delay anew
		return
	}
	if e.earlier != tcpInactive {
		f.due = min(f.due, after(f.lastSeen, t.cfg.SessionTimer))
	}
}

// tcpDeadline is the earliest of the timers of a TCP connection, given the one
// for inactivity.
func (t *Tracker) tcpDeadline(f *flow, s *stream, idle packet.Time) packet.Time {
	d := idle
	if s.is(finished) || s.unanswered() {
		d = min(d, s.timer)
	}
	if s.is(finished) {
		return d
	}
	if s.stale() {
		// Strictly more than Linger idle, hence the nanosecond.
		d = min(d, max(f.due, after(f.lastSeen, t.cfg.Linger+time.Nanosecond)))
	}
	return d
}

// rearm moves on the timers that came due at or before now and found their
// condition false: the attempt timer acts once, the check again and again.
func (t *Tracker) rearm(f *flow, s *stream, now packet.Time) {
	if !s.is(finished) && s.timer <= now {
		s.timer = noTime
	}
	if f.due <= now {
		f.due = after(now, t.cfg.SessionTimer)
	}
}

// unanswered is the condition of the attempt timer.
func (s *stream) unanswered() bool {
	o := s.end[orig].state
	return (o == tcpSynSent || o == tcpSynAckSent) && s.end[resp].state == tcpInactive
}

// stale is the condition of the periodic check, but for the idle time.
func (s *stream) stale() bool {
	o, r := &s.end[orig], &s.end[resp]
	oClosed, rClosed := o.is(didClose), r.is(didClose)
	if oClosed && rClosed {
		return true
	}
	if oClosed || rClosed {
		return o.state == tcpReset || r.state == tcpReset || o.state == tcpInactive || r.state == tcpInactive
	}
	return o.state == tcpInactive && r.state == tcpInactive
}

// reuses says whether a SYN begins another connection with the same tuple.
func (t *Tracker) reuses(f *flow, s *stream, p *packet.Packet) bool {
	flags := tcpFlags(p.TCPFlags)
	if !flags.syn() { // a header that is otherwise broken does not matter
		return false
	}
	o, r := &s.end[orig], &s.end[resp]
	starter := o
	if flags.ack() {
		if o.state != tcpInactive {
			return false
		}
		starter = r
	}
	if o.is(didClose) || r.is(didClose) {
		t.reuseWeird(f, s, p)
		return true
	}
	if p.Seq == starter.start {
		return false // a retransmission
	}
	if !flags.ack() && o.state == tcpSynAckSent && r.state == tcpInactive && p.Seq == r.start {
		return false // SYN and SYN-ACK were swapped
	}
	if starter.state == tcpSynSent {
		t.weird("SYN_seq_jump", f, p)
	} else {
		t.weird("active_connection_reuse", f, p)
	}
	return true
}

// reuseWeird says what is odd about a SYN for a tuple of which a side closed.
func (t *Tracker) reuseWeird(f *flow, s *stream, p *packet.Packet) {
	o, r := &s.end[orig], &s.end[resp]
	if o.state == tcpReset || r.state == tcpReset {
		return
	}
	active := func(e *endpoint) bool { return e.state != tcpInactive && !e.is(didClose) }
	if active(o) || active(r) {
		t.weird("active_connection_reuse", f, p)
	} else if t.clock(p).Sub(f.lastSeen) < t.cfg.Linger {
		t.weird("premature_connection_reuse", f, p)
	}
}
