package decode

import "pcapdir/source/packet"

// Inside is what a decoded packet holds that has to be decoded in its turn. Its
// bytes are those of the record and hold as long.
type Inside struct {
	// Fragment is the IP packet, header first, as far as captured and without
	// what its length does not cover, where Decode returned DropFragment.
	Fragment []byte

	rebuilt bool // the packet was put together from fragments
}

// Datagram is Decode for an IP packet that was put together from fragments: it has
// no link layer, is there to its last byte, and is no fragment itself.
func Datagram(ipPacket []byte, p *packet.Packet, in *Inside) packet.Drop {
	*in = Inside{rebuilt: true}
	p.WireLen = uint32(len(ipPacket))
	p.Drop = packet.DropNone
	if drop := ip(ipPacket, int64(len(ipPacket)), p, in); drop != packet.DropNone {
		clearHeaders(p, drop)
		return drop
	}
	return packet.DropNone
}
