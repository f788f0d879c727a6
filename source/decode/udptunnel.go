package decode

import (
	"encoding/binary"

	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// UDP ports of tunnels.
const (
	portGTPControl = 2123
	portGTP        = 2152 // 3GPP TS 29.281
	portTeredo     = 3544 // RFC 4380
	portGRE        = 4754 // RFC 8086
	portVXLAN      = 4789 // RFC 7348
	portVXLANGPE   = 4790 // draft-ietf-nvo3-vxlan-gpe
	portAYIYA      = 5072 // draft-massar-v6ops-ayiya
	portGeneve     = 6081 // RFC 8926
)

// tunnelPort says whether datagrams to or from the port may be a tunnel's.
func tunnelPort(port uint16) bool {
	switch port {
	case portGTPControl, portGTP, portTeredo, portGRE, portVXLAN, portVXLANGPE, portAYIYA, portGeneve:
		return true
	}
	return false
}

// udpTunnel notes what a datagram carries by its ports: the destination's, else
// the source's. Zeek goes by the responder's, which a packet alone does not say.
// seg starts with the UDP header, and n is its length by the IP header. Datagrams
// of other ports may be Teredo's.
func udpTunnel(seg []byte, n int, p *packet.Packet, in *Inside) {
	if p.Flags&packet.BadChecksum != 0 || n < udpLen {
		return
	}
	b := seg[udpLen:min(len(seg), n)]
	n -= udpLen
	app := dpd.Teredo
	switch {
	case tunnelPort(p.DstPort):
		app = udpTunnelOf(p.DstPort, b, n, in)
	case tunnelPort(p.SrcPort):
		app = udpTunnelOf(p.SrcPort, b, n, in)
	default:
		if len(b) < ipv6Len || b[0] != 0 && b[0]>>4 != 6 {
			return // nearly all
		}
		if teredo(b, n, in); in.carries && !teredoAddresses(in.data) {
			*in = Inside{}
		}
		in.exact = in.carries
	}
	if in.exact && in.fits() != packet.DropNone {
		*in = Inside{} // not what it looked like
	}
	if in.carries {
		p.Flags |= packet.Carrier
		p.App = app
	}
}

// udpTunnelOf is udpTunnel for the port of a tunnel. It returns which one that is.
func udpTunnelOf(port uint16, b []byte, n int, in *Inside) packet.App {
	switch port {
	case portVXLAN:
		vxlanFrame(b, n, in)
		return dpd.VXLAN
	case portVXLANGPE:
		vxlanGPE(b, n, in) // Zeek has no name for it
	case portGeneve:
		geneve(b, n, in)
		return dpd.Geneve
	case portGTP, portGTPControl:
		gtp(b, n, in)
		return dpd.GTPv1
	case portTeredo:
		teredo(b, n, in)
		return dpd.Teredo
	case portAYIYA:
		ayiya(b, n, in)
		return dpd.AYIYA
	case portGRE:
		gre(b, n, in)
	}
	return packet.AppNone
}

// vxlanFrame: flags with the I bit, reserved, network identifier, reserved.
func vxlanFrame(b []byte, n int, in *Inside) {
	if len(b) >= 8 && b[0]&0x08 != 0 {
		in.carry(linkEthernet, b, 8, n)
	}
}

// vxlanGPE has the protocol in its fourth byte.
func vxlanGPE(b []byte, n int, in *Inside) {
	if len(b) < 8 || b[0]&0x08 == 0 {
		return
	}
	switch b[3] {
	case 1, 2:
		in.carry(linkRaw, b, 8, n)
	case 3:
		in.carry(linkEthernet, b, 8, n)
	}
}

// geneve: version and length of the options in words, flags, protocol, network
// identifier.
func geneve(b []byte, n int, in *Inside) {
	if len(b) < 8 || b[0]>>6 != 0 {
		return
	}
	off := 8 + 4*int(b[0]&0x3f)
	switch binary.BigEndian.Uint16(b[2:]) {
	case greEthernet:
		in.carry(linkEthernet, b, off, n)
	case etherIPv4, etherIPv6:
		in.carry(linkRaw, b, off, n)
	}
}

// Bits of the first byte of a GTP version 1 header, and what carries a packet.
const (
	gtpVersion   = 0xe0
	gtpOne       = 0x20
	gtpProtocol  = 0x10 // not charging
	gtpExtension = 0x04
	gtpOptions   = 0x07
	gtpPacket    = 0xff
)

// maxGTPExtensions bounds the chain of extension headers.
const maxGTPExtensions = 16

// gtp skips a GTP header with its options and extensions (3GPP TS 29.281
// section 5).
func gtp(b []byte, n int, in *Inside) {
	if len(b) < 8 || b[0]&gtpVersion != gtpOne || b[0]&gtpProtocol == 0 || b[1] != gtpPacket {
		return
	}
	off := 8
	if b[0]&gtpOptions != 0 {
		off += 4
		if len(b) < off {
			return
		}
		next := b[off-1]
		for i := 0; b[0]&gtpExtension != 0 && next != 0; i++ {
			if i == maxGTPExtensions || len(b) <= off || b[off] == 0 || len(b) < off+4*int(b[off]) {
				return
			}
			off += 4 * int(b[off])
			next = b[off-1]
		}
	}
	in.carry(linkRaw, b, off, n)
	in.exact = in.carries
}

// teredo skips the authentication and origin headers that may come before the
// IPv6 packet (RFC 4380 section 5.1.1).
func teredo(b []byte, n int, in *Inside) {
	off := 0
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 {
		off = 4 + int(b[2]) + int(b[3]) + 9 // client identifier, authentication value, nonce, confirmation
	}
	if len(b) >= off+8 && b[off] == 0 && b[off+1] == 0 {
		off += 8
	}
	if len(b) >= off+ipv6Len && b[off]>>4 == 6 {
		in.carry(linkRaw, b, off, n)
	}
}

// teredoAddresses says whether an IPv6 packet comes from or goes to an address
// that Teredo makes (2001:0::/32): by that Zeek knows it on any port.
func teredoAddresses(ip []byte) bool {
	const prefix = 0x20010000
	return binary.BigEndian.Uint32(ip[8:]) == prefix || binary.BigEndian.Uint32(ip[24:]) == prefix
}

// ayiya skips a header whose first bytes say how long, in powers of two and in
// words, the identity and the signature are; it must forward (operation 1) an IP
// packet.
func ayiya(b []byte, n int, in *Inside) {
	if len(b) < 8 || b[2]&0x0f != 1 {
		return
	}
	off := 8 + 1<<(b[0]>>4) + 4*int(b[1]>>4)
	if next := b[3]; next == protoIPv4 || next == protoIPv6 {
		in.carry(linkRaw, b, off, n)
		in.exact = in.carries
	}
}
