package decode

import (
	"encoding/binary"

	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// The header sizes below which a packet has no transport.
const (
	tcpLen  = 20
	udpLen  = 8
	icmpLen = 8
)

// transport reads what follows the IP header. seg is what was captured of it,
// link-layer padding included; n is its length by the IP header; p has the
// addresses and the protocol.
func transport(seg []byte, n int, p *packet.Packet, in *Inside) packet.Drop {
	p.App = packet.AppNone
	switch p.Proto {
	case packet.TCP:
		return tcp(seg, n, p)
	case packet.UDP:
		drop := udp(seg, n, p)
		if drop == packet.DropNone {
			udpTunnel(seg, n, p, in)
			if p.App == packet.AppNone {
				p.App = dpd.Datagram(seg[udpLen:max(udpLen, min(len(seg), n))], p.SrcPort, p.DstPort)
			}
		}
		return drop
	case packet.ICMP, packet.ICMPv6:
		return icmp(seg, n, p)
	case noNextHeader:
		return packet.DropNoNextHeader
	}
	p.SrcPort, p.DstPort = 0, 0
	p.UDPLen = 0
	noTCP(p)
	payload(p, seg, n, 0)
	ipTunnel(seg[:min(len(seg), n)], n, p, in)
	return packet.DropNone
}

// whole says that a header of size bytes is there, in the packet and in what
// was captured.
func whole(p *packet.Packet, seg []byte, n, size int) bool {
	return len(seg) >= size && (n >= size || n == 0 && unsaid(p))
}

// unsaid says whether an IPv6 header leaves its payload length out, as those of
// BIG TCP do, so that the capture has to say it. Zeek believes in this in IPv4 as
// well, where it takes the padding of a short frame for a transport header.
func unsaid(p *packet.Packet) bool { return p.Flags&packet.IPv6 != 0 && p.IPLen == ipv6Len }

// payload sets the lengths behind a transport header of size bytes.
func payload(p *packet.Packet, seg []byte, n, size int) {
	p.PayLen = uint32(n - size)
	p.CapLen = uint32(min(len(seg), n) - size)
}

// noTCP clears what only TCP has.
func noTCP(p *packet.Packet) {
	p.Seq, p.Ack, p.Win, p.TCPFlags = 0, 0, 0, 0
}

// tcp reads a TCP header (RFC 9293). A data offset that cannot be is not a drop:
// Zeek looks the connection up before it looks at the offset.
func tcp(seg []byte, n int, p *packet.Packet) packet.Drop {
	if !whole(p, seg, n, tcpLen) {
		return packet.DropTransport
	}
	be := binary.BigEndian
	p.SrcPort = be.Uint16(seg)
	p.DstPort = be.Uint16(seg[2:])
	p.Seq = be.Uint32(seg[4:])
	p.Ack = be.Uint32(seg[8:])
	p.TCPFlags = packet.TCPFlags(seg[13])
	p.Win = be.Uint16(seg[14:])
	p.SetDataPort(0)
	size := int(seg[12]>>4) * 4
	if size < tcpLen || size > n || size > len(seg) {
		p.Flags |= packet.BadTCPHeader
		p.PayLen, p.CapLen = 0, 0
		return packet.DropNone
	}
	payload(p, seg, n, size)
	if p.CapLen > 0 {
		data := seg[size:min(len(seg), n)]
		p.App = dpd.Stream(data, p.SrcPort, p.DstPort)
		if dpd.MayInvite(data) && p.CapLen == p.PayLen {
			p.SetDataPort(dpd.DataPort(data, &p.Src))
		}
	}
	if len(seg) >= n && !zero(add(pseudo(p, n), seg[:n])) {
		p.Flags |= packet.BadChecksum
	}
	return packet.DropNone
}

// udp reads a UDP header (RFC 768). As in Zeek, the checksum covers the IP
// payload, whatever the UDP length field says.
func udp(seg []byte, n int, p *packet.Packet) packet.Drop {
	if !whole(p, seg, n, udpLen) {
		return packet.DropTransport
	}
	if n == 0 {
		n = len(seg)
	}
	be := binary.BigEndian
	p.SrcPort = be.Uint16(seg)
	p.DstPort = be.Uint16(seg[2:])
	p.UDPLen = be.Uint16(seg[4:])
	noTCP(p)
	payload(p, seg, n, udpLen)
	if len(seg) < n {
		return packet.DropNone
	}
	if seg[6]|seg[7] == 0 { // no checksum
		if p.Flags&packet.IPv6 != 0 && !vxlan(p, seg[:n]) {
			p.Flags |= packet.BadChecksum
		}
	} else if !zero(add(pseudo(p, n), seg[:n])) {
		p.Flags |= packet.BadChecksum
	}
	return packet.DropNone
}

// vxlan says whether a UDP datagram without checksum is VXLAN, which RFC 7348
// allows over IPv6 as well: its port, its I flag, and room for a frame.
func vxlan(p *packet.Packet, seg []byte) bool {
	return p.DstPort == 4789 && len(seg) > udpLen+8+14 && seg[udpLen]&0x08 != 0
}

// icmp reads an ICMP (RFC 792) or ICMPv6 (RFC 4443) header. Only the latter has
// a pseudo header.
func icmp(seg []byte, n int, p *packet.Packet) packet.Drop {
	if !whole(p, seg, n, icmpLen) {
		return packet.DropTransport
	}
	if n == 0 {
		n = len(seg)
	}
	p.SrcPort, p.DstPort = uint16(seg[0]), uint16(seg[1])
	p.UDPLen = 0
	noTCP(p)
	payload(p, seg, n, icmpLen)
	if len(seg) < n {
		return packet.DropNone
	}
	var s uint64
	if p.Proto == packet.ICMPv6 {
		s = pseudo(p, n)
	}
	if !zero(add(s, seg[:n])) {
		p.Flags |= packet.BadChecksum
	}
	return packet.DropNone
}
