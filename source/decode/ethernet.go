package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// EtherTypes (IEEE 802.3 clause 3.2.6): values from 1536 are types, values up
// to 1500 are the length of an 802.2 frame.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100 // 802.1Q
	etherQinQ = 0x88a8 // 802.1ad
	etherOld  = 0x9100 // QinQ before 802.1ad
	etherMPLS = 0x8847 // RFC 5332: unicast
	etherMPLM = 0x8848 // and multicast
	etherPPP  = 0x8864 // PPPoE session (RFC 2516)
	etherPBB  = 0x88e7 // 802.1ah
	etherVN   = 0x8926 // Cisco VN-tag
	etherFab  = 0x8903 // Cisco FabricPath, in place of a destination's last bytes

	maxEtherLength = 1500
)

// minFrame is Zeek's bound: frames of this size or less are truncated.
const minFrame = 16

// fabricLen is the size of a FabricPath header, in front of the frame.
const fabricLen = 16

// ethernet skips addresses, type and tags.
func ethernet(data []byte) (int, packet.Drop) {
	if len(data) <= minFrame {
		return 0, packet.DropLinkTruncated
	}
	kind := binary.BigEndian.Uint16(data[12:])
	if kind == etherIPv4 {
		return 14, packet.DropNone // nearly every packet
	}
	if kind == etherFab && len(data) > fabricLen+minFrame {
		return etherType(data, fabricLen+14, binary.BigEndian.Uint16(data[fabricLen+12:]))
	}
	if kind <= maxEtherLength && len(data)-14 < int(kind) {
		return 0, packet.DropLinkTruncated
	}
	return etherType(data, 14, kind)
}

// etherType skips tags and the headers that Ethernet carries in front of IP. kind is the type or length that
// announces what is at off, which is at most len(data).
func etherType(data []byte, off int, kind uint16) (int, packet.Drop) {
	for {
		switch {
		case kind == etherIPv4, kind == etherIPv6:
			return off, packet.DropNone
		case kind <= maxEtherLength:
			return snap(data, off)
		case kind == etherMPLS, kind == etherMPLM:
			return mplsAt(data, off)
		case kind == etherPPP:
			return pppoeAt(data, off)
		}
		n := tagLen(kind)
		switch {
		case n == 0:
			return 0, packet.DropNotIP
		case len(data)-off <= n:
			return 0, packet.DropLinkTruncated
		}
		off += n
		kind = binary.BigEndian.Uint16(data[off-2:])
	}
}

// tagLen is the size of a tag that ends in the type of what it tags, or 0.
func tagLen(kind uint16) int {
	switch kind {
	case etherVLAN, etherQinQ, etherOld:
		return 4
	case etherVN:
		return 6
	case etherPBB:
		return 18 // a service tag, and the addresses and type of the frame inside
	}
	return 0
}

// mpls skips a stack of MPLS labels (RFC 3032): the last one has its bottom bit set.
func mpls(data []byte) (int, packet.Drop) { return mplsAt(data, 0) }

// mplsAt skips the labels at off. What they carry is not said; the version of the
// IP header decides.
func mplsAt(data []byte, off int) (int, packet.Drop) {
	for len(data)-off > 4 {
		off += 4
		if data[off-2]&1 != 0 {
			return off, packet.DropNone
		}
	}
	return 0, packet.DropLinkTruncated
}

// snap skips 802.2 LLC and SNAP headers (IEEE 802). Other 802.2 frames (STP,
// IS-IS, Novell) carry no IP. The control field is one byte for unnumbered
// frames, two for the others.
func snap(data []byte, off int) (int, packet.Drop) {
	h := data[off:]
	if len(h) < 2 {
		return 0, packet.DropLinkTruncated
	}
	if h[0] != 0xaa || h[1] != 0xaa {
		return 0, packet.DropNotIP
	}
	llc := 3
	if len(h) > 2 && h[2]&3 != 3 {
		llc = 4
	}
	if len(h) < llc+5 {
		return 0, packet.DropLinkTruncated
	}
	h = h[llc:]
	kind := binary.BigEndian.Uint16(h[3:])
	// An OUI of zero says that an EtherType follows; Zeek takes IP only.
	if h[0]|h[1]|h[2] != 0 || kind != etherIPv4 && kind != etherIPv6 {
		return 0, packet.DropNotIP
	}
	return off + llc + 5, packet.DropNone
}
