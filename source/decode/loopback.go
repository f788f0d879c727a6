package decode

import (
	"encoding/binary"
	"math/bits"

	"pcapdir/source/packet"
)

// null skips the address family of BSD loopback, which is in the byte order of
// the capturing host: the values are small, so either order is recognised.
func null(data []byte) (int, packet.Drop) {
	if len(data) <= 4 {
		return 0, packet.DropLinkTruncated
	}
	family := binary.LittleEndian.Uint32(data)
	if isIP(family) || isIP(bits.ReverseBytes32(family)) {
		return 4, packet.DropNone
	}
	return 0, packet.DropNotIP
}

// loop skips OpenBSD's address family, which is in network byte order.
func loop(data []byte) (int, packet.Drop) {
	if len(data) <= 4 {
		return 0, packet.DropLinkTruncated
	}
	if isIP(binary.BigEndian.Uint32(data)) {
		return 4, packet.DropNone
	}
	return 0, packet.DropNotIP
}

// isIP knows the address families of IP: AF_INET is 2 everywhere; AF_INET6 is
// 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
func isIP(family uint32) bool {
	switch family {
	case 2, 24, 28, 30:
		return true
	}
	return false
}
