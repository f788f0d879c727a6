package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// PPP protocol numbers of IP (RFC 1332, RFC 5072).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
	pppMPLS = 0x0281 // RFC 3032
)

// ppp skips a PPP header (RFC 1661), with the two bytes of HDLC-like framing
// (RFC 1662) where they are there.
func ppp(data []byte) (int, packet.Drop) {
	if len(data) > 2 && data[0] == 0xff && data[1] == 0x03 {
		return pppAt(data, 2)
	}
	return pppAt(data, 0)
}

// pppSerial skips PPP in HDLC-like framing, whose first two bytes are always there.
func pppSerial(data []byte) (int, packet.Drop) { return pppAt(data, 2) }

// pppAt reads the protocol number at off.
func pppAt(data []byte, off int) (int, packet.Drop) {
	if len(data) <= off+2 {
		return 0, packet.DropLinkTruncated
	}
	switch binary.BigEndian.Uint16(data[off:]) {
	case pppIPv4, pppIPv6:
		return off + 2, packet.DropNone
	case pppMPLS:
		return mplsAt(data, off+2)
	}
	return 0, packet.DropNotIP
}

// pppoe skips a PPPoE session header and the PPP protocol number behind it.
func pppoe(data []byte) (int, packet.Drop) { return pppoeAt(data, 0) }

// pppoeAt skips version, code, session and length (RFC 2516). Only code 0 carries
// a session's packets.
func pppoeAt(data []byte, off int) (int, packet.Drop) {
	switch {
	case len(data) <= off+6:
		return 0, packet.DropLinkTruncated
	case data[off+1] != 0:
		return 0, packet.DropNotIP
	}
	return pppAt(data, off+6)
}
