package dpd

import "pcapdir/source/packet"

// snmp is a sequence that begins with the version, and goes on with the community
// (RFC 1157) or with another sequence (RFC 3411).
func snmp(b []byte) packet.App {
	at := sequence(b)
	if at == 0 || len(b) < at+4 || b[at] != 2 || b[at+1] != 1 {
		return packet.AppNone
	}
	switch version, next := b[at+2], b[at+3]; {
	case version <= 1 && next == 0x04, version == 3 && next == 0x30:
		return snmpMessage
	}
	return packet.AppNone
}

// hearSNMP confirms by what the responder says, as Zeek does: traps are not answered.
func hearSNMP(_ *Speech, v *voice) {
	if v.role == resp {
		v.confirm(v.app)
	}
}
