package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// fddi skips frame control and addresses (ANSI X3.139); an 802.2 header follows.
func fddi(data []byte) (int, packet.Drop) { return snapBehind(data, 13) }

// ipOverFC skips the network header of IP over Fibre Channel (RFC 4338), which is
// two addresses of eight bytes; an 802.2 header follows.
func ipOverFC(data []byte) (int, packet.Drop) { return snapBehind(data, 16) }

func snapBehind(data []byte, off int) (int, packet.Drop) {
	if len(data) <= off {
		return 0, packet.DropLinkTruncated
	}
	return snap(data, off)
}

// ciscoHDLC skips address and control; an EtherType follows.
func ciscoHDLC(data []byte) (int, packet.Drop) {
	if len(data) <= 4 {
		return 0, packet.DropLinkTruncated
	}
	return cookedType(data, 4, binary.BigEndian.Uint16(data[2:]))
}

// Network layer protocol identifiers (ISO/IEC TR 9577) behind a frame relay
// header (RFC 2427).
const (
	nlpidSNAP = 0x80
	nlpidIPv6 = 0x8e
	nlpidIPv4 = 0xcc
)

// frameRelay skips an address, whose last byte has its low bit set, and what
// RFC 2427 puts behind it, or the EtherType that Cisco does.
func frameRelay(data []byte) (int, packet.Drop) {
	off := 2
	for off <= 4 && off <= len(data) && data[off-1]&1 == 0 {
		off++
	}
	if len(data) < off+3 || off > 4 {
		return 0, packet.DropLinkTruncated
	}
	if data[off] != 0x03 { // not an unnumbered information frame
		return cookedType(data, off+2, binary.BigEndian.Uint16(data[off:]))
	}
	off++
	if data[off] == 0 { // padding to an even length
		off++
	}
	switch data[off] {
	case nlpidIPv4, nlpidIPv6:
		return off + 1, packet.DropNone
	case nlpidSNAP:
		if len(data) < off+6 {
			return 0, packet.DropLinkTruncated
		}
		return cookedType(data, off+6, binary.BigEndian.Uint16(data[off+4:]))
	}
	return 0, packet.DropNotIP
}

// nflogPayload is the type of the record that holds the packet.
const nflogPayload = 9

// nflog finds the packet among the records that Linux's netfilter log wrote
// behind family, version and resource: each has length and type, in the byte
// order of the host that wrote them, and is padded to four bytes.
func nflog(data []byte) (int, packet.Drop) {
	if len(data) < 4 {
		return 0, packet.DropLinkTruncated
	}
	if data[1] != 0 { // the version
		return 0, packet.DropNotIP
	}
	for off := 4; len(data)-off >= 4; {
		n, kind := int(binary.LittleEndian.Uint16(data[off:])), binary.LittleEndian.Uint16(data[off+2:])
		if kind == nflogPayload {
			return off + 4, packet.DropNone
		}
		if n < 4 {
			break
		}
		off += (n + 3) &^ 3
	}
	return 0, packet.DropLinkTruncated
}
