package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// Protocol numbers of what carries packets right behind an IP header.
const (
	protoIPv4 = 4  // RFC 2003
	protoIPv6 = 41 // RFC 4213
	protoGRE  = 47 // RFC 2784
)

// Link types of what tunnels carry.
const (
	linkEthernet = 1
	linkPPP      = 9
	linkRaw      = 101
	linkWLAN     = 105
	linkMPLS     = 219
)

// ipTunnel notes what the payload of an IP packet carries. All packets of these
// protocols are carriers, also those that carry nothing that is decoded: as in
// Zeek they have no connection. b is what was captured of n bytes.
func ipTunnel(b []byte, n int, p *packet.Packet, in *Inside) {
	switch p.Proto {
	case protoIPv4, protoIPv6:
		in.carry(linkRaw, b, 0, n)
		in.exact = true
	case protoGRE:
		gre(b, n, in)
	default:
		return
	}
	p.Flags |= packet.Carrier
}

// carry notes that the packet of the link type begins at off in b, which is what
// was captured of n bytes.
func (in *Inside) carry(link uint16, b []byte, off, n int) {
	if off > n || off > len(b) {
		return
	}
	in.carries, in.link, in.data, in.room = true, link, b[off:], int64(n-off)
}

// Bits of the first word of a GRE header (RFC 2784, RFC 2890, RFC 2637).
const (
	greChecksum = 0x8000
	greRouting  = 0x4000
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080
	greReserved = 0x0078
	greVersion  = 0x0007
)

// Protocol types behind GRE that are no EtherTypes of IP or MPLS.
const (
	greEthernet  = 0x6558 // transparent Ethernet bridging
	greERSPAN    = 0x88be // ERSPAN I and II
	greERSPAN3   = 0x22eb
	grePPP       = 0x880b // PPTP
	greAruba     = 0x8200 // Aruba: 802.11 frames, the low bits say of which access point
	greAruba2    = 0x9000 // the same
	greArubaMask = 0xfe00
)

// gre notes what a GRE packet carries. As in Zeek, one with a routing field or
// reserved bits carries nothing.
func gre(b []byte, n int, in *Inside) {
	if len(b) < 4 {
		return
	}
	flags, kind := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if flags&(greRouting|greReserved) != 0 {
		return
	}
	off := 4
	for _, bit := range [...]uint16{greChecksum, greKey, greSequence, greAck} {
		if flags&bit != 0 {
			off += 4
		}
	}
	switch flags & greVersion {
	case 0:
		greZero(b, off, n, flags, kind, in)
	case 1:
		if kind == grePPP && flags&greSequence != 0 && flags&greKey != 0 {
			in.carry(linkPPP, b, off, n)
		}
	}
}

// greZero is gre for version 0, behind the header.
func greZero(b []byte, off, n int, flags, kind uint16, in *Inside) {
	switch {
	case kind == etherIPv4, kind == etherIPv6:
		in.carry(linkRaw, b, off, n)
	case kind == etherMPLS, kind == etherMPLM:
		in.carry(linkMPLS, b, off, n)
	case kind == greEthernet:
		in.carry(linkEthernet, b, off, n)
	case kind == greERSPAN:
		if flags&greSequence != 0 { // type II has a header, type I neither
			off += 8
		}
		in.carry(linkEthernet, b, off, n)
	case kind == greERSPAN3:
		if len(b) < off+12 {
			return
		}
		off += 12
		if b[off-1]&1 != 0 { // an optional sub-header
			off += 8
		}
		in.carry(linkEthernet, b, off, n)
	case kind&greArubaMask == greAruba, kind&greArubaMask == greAruba2:
		in.carry(linkWLAN, b, off, n)
	}
}
