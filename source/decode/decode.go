// Package decode reads the headers of one captured record: link layer, IPv4 or
// IPv6 with its extension headers, TCP, UDP and ICMP. It keeps what connection
// tracking needs in a packet.Packet, allocates nothing, and says by a
// packet.Drop why a record could not be used. The rules are those of Zeek 8,
// so that the same packets count and the same packets do not.
package decode

import "pcapdir/source/packet"

// minIP is what must be captured of an IP packet before its version is looked
// at: an IPv4 header without options.
const minIP = 20

// Decode fills p's header fields from one captured record of the given link
// type. data is the captured bytes, wire the length on the wire, which counts
// where a snap length cut data short. It sets everything of p but Eff, TS,
// Rank, Rec, Sub, Hash, Outer, Link and Depth; p.Drop is set to the returned reason, and
// where there is one, the header fields are zero. It allocates nothing, never
// reads past data and keeps no reference to it, but for in: what the packet holds
// that has to be decoded in its turn.
func Decode(linkType uint16, data []byte, wire uint32, p *packet.Packet, in *Inside) packet.Drop {
	*in = Inside{}
	p.WireLen = wire
	p.Drop = packet.DropNone
	if drop := headers(linkType, data, wire, p, in); drop != packet.DropNone {
		clearHeaders(p, drop)
		return drop
	}
	return packet.DropNone
}

// clearHeaders leaves of p what Decode does not set, and why it is not handled.
func clearHeaders(p *packet.Packet, drop packet.Drop) {
	*p = packet.Packet{
		Eff: p.Eff, TS: p.TS, Rank: p.Rank, Rec: p.Rec, Sub: p.Sub, Hash: p.Hash, Outer: p.Outer, Depth: p.Depth,
		WireLen: p.WireLen, Drop: drop,
	}
}

// headers is Decode without the clean-up: after a drop p is half filled.
func headers(linkType uint16, data []byte, wire uint32, p *packet.Packet, in *Inside) packet.Drop {
	if len(data) == 0 || wire == 0 {
		return packet.DropEmpty
	}
	if !Known(linkType) {
		return packet.DropLinkType
	}
	off, drop := links[linkType].skip(data)
	if drop != packet.DropNone {
		return drop
	}
	// room is negative where the record claims less wire than its link header.
	return ip(data[off:], int64(wire)-int64(off), p, in)
}

// ip decodes the IP packet that starts with the captured bytes h. room is how
// many there were on the wire.
func ip(h []byte, room int64, p *packet.Packet, in *Inside) packet.Drop {
	if len(h) < minIP {
		return packet.DropIPTruncated
	}
	// The version decides, as in Zeek: what the link layer announces (0x0800,
	// 0x86dd, an address family) only has to be one of the two.
	switch h[0] >> 4 {
	case 4:
		return ipv4(h, room, p, in)
	case 6:
		return ipv6(h, room, p, in)
	}
	return packet.DropIPVersion
}
