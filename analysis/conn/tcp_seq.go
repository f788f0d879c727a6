package conn

// Sequence arithmetic: the one place that knows about 2^32 (RFC 9293, 3.4).
// Relative numbers count from the initial sequence number, which is 0; they are
// unsigned 64 bits, and a number before the start is huge, as in Zeek.

// tooFar is the jump from which a SYN's or RST's number, or an acknowledgement
// of zero, is not believed.
const tooFar = 1 << 20

// seqDelta is how far a is ahead of b, between -2^31 and 2^31-1.
func seqDelta(a, b uint32) int32 { return int32(a - b) }

// full is a number with its wraps.
func full(seq uint32, wraps uint16) uint64 { return uint64(wraps)<<32 | uint64(seq) }

// relative is seq counted from the side's start, given the nearest known number
// and its wraps. under says that it is before the start.
func (e *endpoint) relative(seq, near uint32, wraps uint16) (rel uint64, under bool) {
	switch d := seqDelta(seq, near); {
	case d < 0 && wraps > 0 && seq > near:
		wraps-- // from before the last wrap
	case d > 0 && seq < near:
		wraps++
	}
	if wraps == 0 {
		d := seqDelta(seq, e.start)
		return uint64(int64(d)), d < 0
	}
	return full(seq, wraps) - uint64(e.start), false
}

// begin starts the numbering of a side at seq, as if a SYN had that number.
func (e *endpoint) begin(seq, last uint32) { e.start, e.ack, e.last = seq, seq, last }

func (e *endpoint) setLast(seq uint32) {
	if seq < e.last {
		e.lastWraps++
	}
	e.last = seq
}

// acknowledged takes an acknowledgement of this side's octets.
func (e *endpoint) acknowledged(ack uint32) {
	d := seqDelta(ack, e.ack)
	if d <= 0 || ack == 0 && d > tooFar {
		return // old, or broken rather than a connection that lands on zero
	}
	if ack < e.ack {
		e.ackWraps++
	}
	e.ack = ack
}

// nothingAcked says whether no octet but the SYN was acknowledged.
func (e *endpoint) nothingAcked() bool {
	ack, start := full(e.ack, e.ackWraps), uint64(e.start)
	return ack == start || ack == start+1
}

// size is how many octets the side sent: to the highest sent or acknowledged,
// without SYN and FIN. A bogus acknowledgement inflates it, as in Zeek.
func (e *endpoint) size(other *endpoint) uint64 {
	if e.earlier == tcpSynSent && e.state == tcpReset && other.state == tcpInactive && !e.nothingAcked() {
		return 0 // a half-open connection that was aborted never could send
	}
	n := max(full(e.last, e.lastWraps), full(e.ack, e.ackWraps)) - uint64(e.start)
	if n != 0 {
		n--
	}
	if n != 0 && e.is(sentFIN) {
		n--
	}
	return n
}

// segment is one TCP packet as the rules see it.
type segment struct {
	flags  tcpFlags
	seq    uint32
	ack    uint32
	end    uint32 // behind its last octet; SYN and FIN count, the data of a RST does not
	len    uint32 // payload
	rel    uint64 // seq, relative
	relAck uint64
	under  bool  // seq is before the start
	ahead  int32 // how far end is beyond the side's highest
}

// start gives a side that sends for the first time, or sends a SYN again, its
// numbering.
func (e *endpoint) startAt(g *segment) (jump bool) {
	switch e.state {
	case tcpInactive:
		if g.flags.syn() {
			e.begin(g.seq, g.end)
		} else {
			e.begin(g.seq-1, g.seq) // as though there had been a SYN
		}
	case tcpSynSent, tcpSynAckSent:
		if g.flags.syn() && g.seq != e.start {
			e.begin(g.seq, g.end)
			return true
		}
	case tcpEstablished, tcpPartial:
		if g.flags.syn() {
			jump = g.seq != e.start
			e.begin(g.seq, g.end) // perhaps this is the one that sets it up
		}
	case tcpReset:
		if g.flags.syn() && e.earlier == tcpInactive {
			e.begin(g.seq, g.end) // the RST that gave the numbers may have been forged
		}
	}
	return jump
}

// advance takes the segment's end as the side's highest, if it can be believed,
// and says whether it is a retransmission.
func (e *endpoint) advance(g *segment) (again bool) {
	g.ahead = seqDelta(g.end, e.last)
	switch {
	case g.flags.synOrRST() && (g.ahead > tooFar || g.ahead < -tooFar):
	case g.flags.fin() && e.last == e.start+1:
		e.setLast(g.end) // SYN and FIN alone, more than 2 GB apart
	case e.state == tcpReset:
	case g.ahead > 0:
		e.setLast(g.end)
	default:
		return g.len > 0
	}
	return false
}
