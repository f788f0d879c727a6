package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// The sizes of Linux cooked headers, versions 1 and 2.
const (
	cookedLen  = 16
	cooked2Len = 20
)

// cooked skips LINKTYPE_LINUX_SLL: the EtherType is its last field. Values
// below 1536 are Linux's own (LLC, CAN, …), not lengths.
func cooked(data []byte) (int, packet.Drop) {
	if len(data) <= cookedLen {
		return 0, packet.DropLinkTruncated
	}
	return cookedType(data, cookedLen, binary.BigEndian.Uint16(data[14:]))
}

// cooked2 skips LINKTYPE_LINUX_SLL2: the EtherType is its first field.
func cooked2(data []byte) (int, packet.Drop) {
	if len(data) <= cooked2Len {
		return 0, packet.DropLinkTruncated
	}
	return cookedType(data, cooked2Len, binary.BigEndian.Uint16(data))
}

// cookedType is etherType where a small value is not a length.
func cookedType(data []byte, off int, kind uint16) (int, packet.Drop) {
	if kind <= maxEtherLength {
		return 0, packet.DropNotIP
	}
	return etherType(data, off, kind)
}
