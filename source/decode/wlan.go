package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// Bits of the frame control field of IEEE 802.11 (clause 9.2.4.1), as bytes on
// the wire.
const (
	wlanTypeMask  = 0x0c // of the first byte
	wlanData      = 0x08
	wlanNoData    = 0x40 // a data frame without data
	wlanQoS       = 0x80
	wlanBothDS    = 0x03 // of the second byte: four addresses
	wlanProtected = 0x40
	wlanOrder     = 0x80

	wlanAggregate = 0x80 // of the QoS field's first byte: A-MSDU
)

// wlan skips an 802.11 header: only unencrypted data frames carry IP. Of frames
// that are aggregated (A-MSDU) the first is taken.
func wlan(data []byte) (int, packet.Drop) { return wlanAt(data, 0) }

func wlanAt(data []byte, off int) (int, packet.Drop) {
	if len(data) < off+24 {
		return 0, packet.DropLinkTruncated
	}
	kind, flags := data[off], data[off+1]
	if kind&wlanTypeMask != wlanData || kind&wlanNoData != 0 || flags&wlanProtected != 0 {
		return 0, packet.DropNotIP
	}
	off += 24
	if flags&wlanBothDS == wlanBothDS {
		off += 6
	}
	aggregate := false
	if kind&wlanQoS != 0 {
		if len(data) < off+2 {
			return 0, packet.DropLinkTruncated
		}
		aggregate = data[off]&wlanAggregate != 0
		off += 2
		if flags&wlanOrder != 0 {
			off += 4
		}
	}
	if aggregate {
		off += 14 // addresses and length of the first one
	}
	if len(data) <= off {
		return 0, packet.DropLinkTruncated
	}
	return snap(data, off)
}

// radiotap skips the header that drivers put in front of 802.11: version, pad
// and, little-endian, the length of it.
func radiotap(data []byte) (int, packet.Drop) {
	if len(data) < 8 {
		return 0, packet.DropLinkTruncated
	}
	return wlanAt(data, int(binary.LittleEndian.Uint16(data[2:])))
}

// ppi skips a Per-Packet Information header, which says the link type behind it.
func ppi(data []byte) (int, packet.Drop) {
	if len(data) < 8 {
		return 0, packet.DropLinkTruncated
	}
	n := int(binary.LittleEndian.Uint16(data[2:]))
	inner := binary.LittleEndian.Uint32(data[4:])
	switch {
	case n < 8, n >= len(data):
		return 0, packet.DropLinkTruncated
	case inner == 105:
		return wlanAt(data, n)
	case inner == 1:
		off, drop := ethernet(data[n:])
		return n + off, drop
	}
	return 0, packet.DropNotIP
}

// prism skips the header of Prism drivers, whose length is its second word; some
// of them write the AVS header under the same link type.
func prism(data []byte) (int, packet.Drop) {
	switch {
	case len(data) < 8:
		return 0, packet.DropLinkTruncated
	case binary.BigEndian.Uint16(data) == 0x8021:
		return avs(data)
	}
	n := binary.LittleEndian.Uint32(data[4:])
	if uint64(n) >= uint64(len(data)) {
		return 0, packet.DropLinkTruncated
	}
	return wlanAt(data, int(n))
}

// avs skips an AVS capture header, whose length is its second word.
func avs(data []byte) (int, packet.Drop) {
	if len(data) < 8 {
		return 0, packet.DropLinkTruncated
	}
	n := binary.BigEndian.Uint32(data[4:])
	if uint64(n) >= uint64(len(data)) {
		return 0, packet.DropLinkTruncated
	}
	return wlanAt(data, int(n))
}
