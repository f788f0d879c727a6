package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// ipv6Len is the size of the fixed IPv6 header.
const ipv6Len = 40

// ipv6 reads an IPv6 header (RFC 8200) and the extension headers behind it. h is
// the captured bytes, room what the wire held from the IP header on. The payload
// length of jumbograms and of BIG TCP is zero: as in Zeek, those with a
// hop-by-hop header fail as too short for it, and the others have a transport
// header in a payload of unsaid length.
func ipv6(h []byte, room int64, p *packet.Packet, in *Inside) packet.Drop {
	if len(h) < ipv6Len {
		return packet.DropIPTruncated
	}
	total := ipv6Len + int(binary.BigEndian.Uint16(h[4:]))
	if int64(total) > room {
		return packet.DropIPLength
	}
	p.TTL = h[7]
	p.Flags = packet.IPv6
	p.Src = packet.Addr(h[8:24])
	p.Dst = packet.Addr(h[24:40])

	p.IPLen = uint32(total)

	hlen, proto := ipv6Len, h[6]
	if extends(proto) {
		var drop packet.Drop
		if hlen, proto, drop = extensions(h, total, p, in.rebuilt); drop != packet.DropNone {
			if drop == packet.DropFragment {
				in.Fragment = h[:min(len(h), total)]
			}
			return drop
		}
	}
	p.Proto = proto
	return transport(h[hlen:], total-hlen, p, in)
}
