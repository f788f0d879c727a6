package conn

import "pcapdir/source/packet"

// tcpState is Zeek's state of one TCP endpoint, by what it sent.
type tcpState uint8

const (
	tcpInactive    tcpState = iota // nothing seen
	tcpSynSent                     // SYN, not answered
	tcpSynAckSent                  // SYN-ACK without a SYN before it
	tcpPartial                     // something, but no SYN
	tcpEstablished                 // SYN answered, or SYN-ACK
	tcpClosed                      // FIN
	tcpReset                       // RST
)

// handshake says whether an endpoint in state s has not got past its handshake.
func (s tcpState) handshake() bool { return s <= tcpSynAckSent }

// endpoint is one side of a TCP connection.
type endpoint struct {
	// Reassembly of what this side sent, in sequence numbers relative to start:
	// everything below reassembled was delivered or given up, everything below
	// trimmed was acknowledged too.
	reassembled, trimmed uint64

	start          uint32 // initial sequence number, or the one before the first seen
	last           uint32 // behind the highest octet sent
	ack            uint32 // highest acknowledgement of this side's octets
	lastWraps      uint16 // how often last and ack passed 2^32
	ackWraps       uint16
	pending        uint32 // the lowest of the ranges above a hole
	state, earlier tcpState
	has            endpointMarks
}

// endpointMarks are what happened on one side.
type endpointMarks uint8

const (
	sentFIN   endpointMarks = 1 << iota
	didClose                // the close was taken into account
	didEOF                  // everything up to the FIN or RST was delivered
	gaveUp                  // no more reassembly: gaps of this side are not known
	firstSeen               // a packet of this side was looked at
)

func (e *endpoint) is(m endpointMarks) bool { return e.has&m != 0 }

// streamMarks are properties of a stream.
type streamMarks uint8

const (
	finished streamMarks = 1 << iota // reset or closed: the periodic check no longer acts
	deferred                         // a close waits for data below it
	midway                           // joined in the middle
)

// stream is what a TCP connection has beside its flow, with which it fills four cache
// lines.
type stream struct {
	end [2]endpoint
	// timer is when an unanswered SYN is given up or, of a stream that is finished, when
	// its connection ends, whatever still comes; noTime: not.
	timer packet.Time
	seen  uint16 // once-only history letters that were written
	marks streamMarks
}

func (s *stream) is(m streamMarks) bool { return s.marks&m != 0 }

// mark sets m, or takes it back.
func (s *stream) mark(m streamMarks, on bool) {
	if s.marks &^= m; on {
		s.marks |= m
	}
}

// finish ends the attempt and the periodic check for good.
func (s *stream) finish() {
	if !s.is(finished) {
		s.mark(finished, true)
		s.timer = noTime
	}
}

// peer is the other role.
func peer(role int) int { return 1 - role }

// setState moves one side to a new state. Leaving the handshake of both sides
// starts the inactivity timeout of a connection proper.
func (s *stream) setState(f *flow, role int, to tcpState) {
	e := &s.end[role]
	if to == e.state {
		return
	}
	if !to.handshake() && e.state.handshake() && s.end[peer(role)].state.handshake() {
		f.idle = idleTCP
	}
	e.earlier, e.state = e.state, to
}
