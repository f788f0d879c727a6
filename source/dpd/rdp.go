package dpd

import "pcapdir/source/packet"

// rdp is what comes before the session: TPKT (RFC 1006), X.224, and in it the
// settings of MCS ([MS-RDPBCGR] 1.3.1.1).
//
//	3 · 0 · length 2 · length of X.224 · type
func rdp(b []byte, _ where) packet.App {
	if len(b) < 9 || b[0] != 3 || b[1] != 0 {
		return packet.AppNone
	}
	switch b[5] {
	case 0xe0:
		return rdpConnect
	case 0xd0:
		if len(b) >= 19 && b[11] == 2 && b[15]|b[16]|b[17]|b[18] != 0 {
			return rdpSecure
		}
		return rdpConfirm
	case 0xf0:
		if b[7] == 0x7f && (b[8] == 0x65 || b[8] == 0x66) {
			return rdpSettings
		}
	}
	return packet.AppNone
}

// hearRDP confirms by settings; what is agreed to be TLS shows none.
func hearRDP(s *Speech, v *voice) {
	switch {
	case v.app == rdpSettings && s.looks[v.role] >= rdpConnect && s.looks[v.role] <= rdpSettings:
		v.confirm(v.app)
	case v.app == rdpSecure && s.looks[orig] == rdpConnect:
		v.inside = true
	}
}

// rdpeudp is the first datagram of RDP over UDP ([MS-RDPEUDP] 3.1.5.1.1), which
// acknowledges nothing, or the answer (3.1.5.1.3). Both are filled up to a size.
func rdpeudp(b []byte) packet.App {
	const least, size, syn, ack = 1132, 1232, 1, 4
	switch {
	case len(b) < least || len(b) > size:
		return packet.AppNone
	case len(b) == size && be32(b, 0) == 0xffffffff && b[7] == syn:
		return rdpeudpSyn
	case b[7]&(syn|ack) == syn|ack:
		return rdpeudpSynAck
	}
	return packet.AppNone
}

// hearRDPEUDP confirms by the answer.
func hearRDPEUDP(s *Speech, v *voice) {
	if v.app == rdpeudpSynAck && v.role == resp && s.looks[orig] == rdpeudpSyn {
		v.confirm(v.app)
	}
}
