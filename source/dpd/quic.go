package dpd

import "pcapdir/source/packet"

// quic is an Initial packet of QUIC version 1 (RFC 9000) or 2 (RFC 9369), on any
// port: form and type, version, connection ids of at most 20 bytes.
func quic(b []byte) packet.App {
	if len(b) < 7 || b[0]&0xc0 != 0xc0 || b[5] > 20 || len(b) < 7+int(b[5]) || b[6+b[5]] > 20 {
		return packet.AppNone
	}
	switch version, kind := be32(b, 1), b[0]>>4&3; {
	case version == 1 && kind == 0, version == 0x6b3343cf && kind == 1:
		return quicInitial
	}
	return packet.AppNone
}
