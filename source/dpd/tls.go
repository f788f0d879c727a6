package dpd

import "pcapdir/source/packet"

// tls is a record of TLS (RFC 8446), and of a hello which: as Zeek's signatures
// have it, behind an alert too. Only at its ports a hello of SSL 2 counts.
//
//	type · version 2 · length 2 · of a hello: type · length 3 · version 2
func tls(b []byte, w where) packet.App {
	if w == toServer && len(b) > 4 && b[0]&0x80 != 0 && b[2] == 1 && b[3] <= 3 {
		return tlsClient
	}
	if len(b) < 6 || b[0] < 0x14 || b[0] > 0x17 || b[1] != 3 || b[2] > 4 {
		return packet.AppNone
	}
	hello := b
	if b[0] == 0x15 && len(b) >= 7+6 {
		hello = b[7:]
	}
	if hello[0] != 0x16 || hello[1] != 3 || len(hello) > 9 && hello[9] != 3 && hello[9] != 0x7f {
		return tlsRecord
	}
	switch hello[5] {
	case 1:
		return tlsClient
	case 2:
		return tlsServer
	}
	return tlsRecord
}

// hearTLS confirms by the hello of the originator's side: a server's alone does not.
func hearTLS(_ *Speech, v *voice) {
	if v.first && v.role == orig && v.app == tlsClient {
		v.confirm(v.app)
	}
}

func breaksTLS(*Speech, *voice) bool { return true }

// dtls is a client's hello of RFC 6347, on any port.
func dtls(b []byte) packet.App {
	if len(b) < 27 || b[0] != 0x16 || b[1] != 0xfe || b[2] != 0xff && b[2] != 0xfd {
		return packet.AppNone
	}
	for _, c := range b[3:10] { // epoch and sequence
		if c != 0 {
			return packet.AppNone
		}
	}
	if len(b) < 13+be16(b, 11) { // a record that was captured short
		return packet.AppNone
	}
	if b[13] != 1 || b[25] != 0xfe || b[26] != 0xff && b[26] != 0xfd {
		return packet.AppNone
	}
	return dtlsHello
}
