package decode

import "pcapdir/source/packet"

// MaxDepth is how many tunnels around a packet are followed, as in Zeek
// (Tunnel::max_depth); what is deeper stays unseen.
const MaxDepth = 4

// Inside is what a decoded packet holds that has to be decoded in its turn. Its
// bytes are those of the record and hold as long.
type Inside struct {
	// Fragment is the IP packet, header first, as far as captured and without
	// what its length does not cover, where Decode returned DropFragment.
	Fragment []byte
	rebuilt  bool // the packet is a datagram that was put together

	// What a tunnel carries: a packet that begins like a record of link type
	// link, of which data was captured and room was on the wire. exact says that
	// the IP packet in it has to fill it.
	carries bool
	exact   bool
	link    uint16
	data    []byte
	room    int64
}

// Carries says that the packet carries another one through a tunnel.
func (in *Inside) Carries() bool { return in.carries }

// Next is Decode for the packet that in carries; then in is what that one holds.
func (in *Inside) Next(p *packet.Packet) packet.Drop {
	o := *in
	*in = Inside{}
	p.WireLen = uint32(max(0, o.room))
	p.Drop, p.Flags = packet.DropNone, 0
	drop := packet.DropNone
	switch {
	case len(o.data) == 0:
		drop = packet.OddInnerTruncated
	case o.exact:
		drop = o.fits()
	}
	if drop == packet.DropNone {
		drop = headers(o.link, o.data, uint32(max(0, o.room)), p, in)
	}
	if drop != packet.DropNone {
		clearHeaders(p, drop)
	}
	return drop
}

// fits says what is wrong with the length of an IP packet that a header of GRE,
// IP-in-IP or a UDP tunnel announces without one of its own: as in Zeek it has to
// be what there is.
func (in *Inside) fits() packet.Drop {
	total, ok := ipLength(in.data)
	switch have := min(int64(len(in.data)), in.room); {
	case !ok, have < total:
		return packet.OddInnerTruncated
	case have > total:
		return packet.OddInnerLength
	}
	return packet.DropNone
}

// ipLength is the length that an IP header says.
func ipLength(b []byte) (int64, bool) {
	switch {
	case len(b) >= minIP && b[0]>>4 == 4:
		return int64(b[2])<<8 | int64(b[3]), true
	case len(b) >= ipv6Len && b[0]>>4 == 6:
		return ipv6Len + (int64(b[4])<<8 | int64(b[5])), true
	}
	return 0, false
}

// Datagram is Decode for an IP packet that was put together from fragments, so
// that it is there to its last byte. As in Zeek, a fragment header in it is not
// followed.
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
