package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// dhcp is BOOTP (RFC 951) with the magic cookie of RFC 2131.
func dhcp(b []byte) packet.App {
	const cookie = 236
	if len(b) < cookie+4 || b[0] != 1 && b[0] != 2 || !bytes.HasPrefix(b[cookie:], []byte{0x63, 0x82, 0x53, 0x63}) {
		return packet.AppNone
	}
	return dhcpMessage
}
