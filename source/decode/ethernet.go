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

	maxEtherLength = 1500
)

// maxTags bounds a stack of VLAN tags. Zeek follows any number and keeps two.
const maxTags = 8

// minFrame is Zeek's bound: frames of this size or less are truncated.
const minFrame = 16

// ethernet skips addresses, type and tags.
func ethernet(data []byte) (int, packet.Drop) {
	if len(data) <= minFrame {
		return 0, packet.DropLinkTruncated
	}
	kind := binary.BigEndian.Uint16(data[12:])
	if kind == etherIPv4 {
		return 14, packet.DropNone // nearly every packet
	}
	if kind <= maxEtherLength && len(data)-14 < int(kind) {
		return 0, packet.DropLinkTruncated
	}
	return etherType(data, 14, kind)
}

// etherType skips VLAN tags and SNAP headers. kind is the type or length that
// announces what is at off, which is at most len(data).
func etherType(data []byte, off int, kind uint16) (int, packet.Drop) {
	for range maxTags + 1 {
		switch {
		case kind == etherIPv4, kind == etherIPv6:
			return off, packet.DropNone
		case kind <= maxEtherLength:
			return snap(data, off)
		case kind != etherVLAN && kind != etherQinQ && kind != etherOld:
			return 0, packet.DropNotIP
		case len(data)-off <= 4:
			return 0, packet.DropLinkTruncated
		}
		kind = binary.BigEndian.Uint16(data[off+2:])
		off += 4
	}
	return 0, packet.DropNotIP
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
