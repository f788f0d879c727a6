package decode

import (
	"encoding/binary"
	"math/bits"

	"pcapdir/source/packet"
)

// Fields of the IPv4 header's fragment word (RFC 791).
const (
	moreFragments  = 0x2000
	fragmentOffset = 0x1fff
)

// ipv4 reads an IPv4 header (RFC 791). h is at least minIP captured bytes, room
// what the wire held from the IP header on. The checks are Zeek's in Zeek's order.
//
//	 0                   1                   2                   3
//	|Version|  IHL  |      DSCP     |          Total Length         |
//	|         Identification        |Flags|      Fragment Offset    |
//	|  Time to Live |    Protocol   |         Header Checksum       |
//	|                       Source Address                          |
//	|                    Destination Address                        |
func ipv4(h []byte, room int64, p *packet.Packet, in *Inside) packet.Drop {
	hlen := int(h[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(h[2:]))
	switch {
	case total == 0, int64(total) > room:
		// Zero is what segmentation offload leaves; its checksums cannot be right.
		return packet.DropIPLength
	case hlen < minIP, hlen > total, hlen > len(h):
		return packet.DropIPHeaderLen
	case !ipv4Sum(h[:hlen]):
		return packet.DropIPChecksum
	}
	if frag := binary.BigEndian.Uint16(h[6:]); frag&(moreFragments|fragmentOffset) != 0 {
		// A first fragment that was captured short can never be reassembled and is
		// taken as it is, for its ports, as Zeek does for header-only captures.
		if frag&fragmentOffset != 0 || len(h) >= total {
			in.Fragment = h[:min(len(h), total)]
			return packet.DropFragment
		}
	}
	p.IPLen = uint32(total)
	p.TTL = h[8]
	p.Proto = h[9]
	p.Flags = 0
	mapped(&p.Src, h[12:16])
	mapped(&p.Dst, h[16:20])
	return transport(h[hlen:], total-hlen, p, in)
}

// mapped is packet.AddrFrom4 in two stores.
func mapped(a *packet.Addr, b []byte) {
	le := binary.LittleEndian
	le.PutUint64(a[:8], 0)
	le.PutUint64(a[8:], uint64(le.Uint32(b))<<32|0xffff0000)
}

// ipv4Sum verifies the header checksum. h is a header of at least minIP bytes.
func ipv4Sum(h []byte) bool {
	le := binary.LittleEndian
	s, c := bits.Add64(le.Uint64(h), le.Uint64(h[8:]), 0)
	s, c = bits.Add64(s, uint64(le.Uint32(h[16:])), c)
	s += c
	if len(h) > minIP {
		s = add(s, h[minIP:])
	}
	return zero(s)
}
