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
// Rank, Rec and Hash; p.Drop is set to the returned reason, and where there is
// one, the header fields are zero. It allocates nothing, never reads past data
// and keeps no reference to it.
func Decode(linkType uint16, data []byte, wire uint32, p *packet.Packet) packet.Drop {
	p.WireLen = wire
	p.Drop = packet.DropNone
	if drop := headers(linkType, data, wire, p); drop != packet.DropNone {
		*p = packet.Packet{
			Eff: p.Eff, TS: p.TS, Rank: p.Rank, Rec: p.Rec, Hash: p.Hash,
			WireLen: wire, Drop: drop,
		}
		return drop
	}
	return packet.DropNone
}

// headers is Decode without the clean-up: after a drop p is half filled.
func headers(linkType uint16, data []byte, wire uint32, p *packet.Packet) packet.Drop {
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
	h := data[off:]
	if len(h) < minIP {
		return packet.DropIPTruncated
	}
	// room is negative where the record claims less wire than its link header.
	room := int64(wire) - int64(off)
	// The version decides, as in Zeek: what the link layer announces (0x0800,
	// 0x86dd, an address family) only has to be one of the two.
	switch h[0] >> 4 {
	case 4:
		return ipv4(h, room, p)
	case 6:
		return ipv6(h, room, p)
	}
	return packet.DropIPVersion
}
