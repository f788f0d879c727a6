package conn

import "bytes"

// stateName is conn_state, from the states and sizes at removal (Zeek's
// base/protocols/conn).
func (t *Tracker) stateName(f *flow, s *stream, history []byte) string {
	switch f.transport() {
	case tcp:
		return tcpStateName(s, history)
	case udp:
		return udpStateName(f.bytes()[orig] >= 0, f.bytes()[resp] >= 0)
	default:
		return "OTH"
	}
}

func udpStateName(origActive, respActive bool) string {
	switch {
	case origActive && respActive:
		return "SF"
	case origActive:
		return "S0"
	case respActive:
		return "SHR"
	default:
		return "OTH"
	}
}

func tcpStateName(s *stream, history []byte) string {
	o, r := s.end[orig].state, s.end[resp].state
	oIdle, rIdle := o == tcpInactive || o == tcpPartial, r == tcpInactive || r == tcpPartial
	switch {
	case r == tcpReset:
		return resetByResponder(s, o, oIdle)
	case o == tcpReset && !rIdle:
		return "RSTO"
	case o == tcpReset && synThenReset(history):
		return "RSTOS0"
	case o == tcpReset:
		return "OTH"
	case o == tcpClosed && r == tcpClosed:
		return "SF"
	case o == tcpClosed && rIdle:
		return "SH"
	case o == tcpClosed:
		return "S2"
	case r == tcpClosed && oIdle:
		return "SHR"
	case r == tcpClosed:
		return "S3"
	case o == tcpSynSent && r == tcpInactive:
		return "S0"
	case o == tcpEstablished && r == tcpEstablished:
		return "S1"
	default:
		return "OTH"
	}
}

func resetByResponder(s *stream, o tcpState, oIdle bool) string {
	refused := o == tcpReset && s.end[orig].size(&s.end[resp]) == 0 && s.end[resp].size(&s.end[orig]) == 0
	switch {
	case o == tcpSynSent || o == tcpSynAckSent || refused:
		return "REJ"
	case oIdle:
		return "RSTRH"
	default:
		return "RSTR"
	}
}

// synThenReset matches the whole history against ^?S[^HAFGIQ]*R.*
func synThenReset(history []byte) bool {
	history = bytes.TrimPrefix(history, []byte("^"))
	if len(history) == 0 || history[0] != 'S' {
		return false
	}
	i := bytes.IndexByte(history, 'R')
	return i >= 0 && !bytes.ContainsAny(history[:i], "HAFGIQ")
}
