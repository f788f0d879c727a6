package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// IP protocol numbers of IPv6 extension headers and of what ends their chain.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extESP         = 50
	extAH          = 51
	noNextHeader   = 59
	extDestination = 60
	extMobility    = 135
)

// maxExtensions bounds the chain. RFC 8200 names six, of which one may come twice.
const maxExtensions = 32

// extends says whether proto is an extension header of IPv6.
func extends(proto uint8) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extESP, extAH, extDestination, extMobility:
		return true
	}
	return false
}

// chain is the walk along the extension headers of one packet.
type chain struct {
	p      *packet.Packet
	cut    bool // less was captured than the packet has
	routed bool // p.Dst is the final destination, from a routing header
	homed  bool // p.Src is a home address, from a destination option
	whole  bool // a fragment header has been taken out, by reassembly or as an atomic one
	last   bool // nothing is walked behind the current header
}

// extensions walks the extension headers of the IPv6 packet h, whose own length
// is total. It returns where the transport header starts, and its protocol. It
// sets p's addresses where a header replaces them, and corrects p.IPLen behind a
// fragment header. As in Zeek, the walk goes as far as what was captured, and
// ends before a header that does not fit: the packet is then of that header's
// protocol.
func extensions(h []byte, total int, p *packet.Packet, rebuilt bool) (hlen int, proto uint8, drop packet.Drop) {
	c := chain{p: p, cut: len(h) < total, whole: rebuilt}
	hlen, proto = ipv6Len, h[6]
	for range maxExtensions {
		b := h[hlen:]
		n := extensionLen(proto, b)
		if c.last || n == 0 || n > len(b) {
			if hlen > total {
				return 0, 0, packet.DropIPHeaderLen
			}
			return hlen, proto, packet.DropNone
		}
		if drop := c.header(proto, b[:n]); drop != packet.DropNone {
			return 0, 0, drop
		}
		proto = b[0]
		hlen += n
	}
	return 0, 0, packet.DropNotTransport
}

// extensionLen is the length of the extension header proto at the start of b, or
// 0 where proto is none or b is too short to tell.
func extensionLen(proto uint8, b []byte) int {
	if !extends(proto) || len(b) < 2 {
		return 0
	}
	switch proto {
	case extFragment, extESP:
		return 8
	case extAH:
		return 8 + 4*int(b[1]) // RFC 4302: in words, and two less
	}
	return 8 + 8*int(b[1])
}

// header handles one extension header, which is b.
func (c *chain) header(proto uint8, b []byte) packet.Drop {
	switch proto {
	case extESP, extMobility:
		return packet.DropNotTransport // encrypted, or signalling: Zeek makes no connection
	case extRouting:
		c.routing(b)
	case extDestination:
		c.destination(b[2:])
	case extFragment:
		return c.fragment(b)
	}
	return packet.DropNone
}

// fragment lets atomic fragments through (RFC 6946: offset zero, no more to
// come), with their fragment header taken out of the length as reassembly would.
// A first fragment that was captured short goes through as it is, as in IPv4.
// Both it and a fragment header behind one that was taken out, whatever that says,
// end the walk in Zeek.
func (c *chain) fragment(b []byte) packet.Drop {
	if c.whole {
		c.last = true
		return packet.DropNone
	}
	word := binary.BigEndian.Uint16(b[2:])
	offset, more := word&0xfff8, word&1 != 0
	switch {
	case offset != 0 || more && !c.cut:
		return packet.DropFragment
	case c.cut:
		c.last = true
	default:
		c.whole = true
		c.p.IPLen -= uint32(len(b))
	}
	return packet.DropNone
}

// routing takes the last address of a type 0 (RFC 2460) or type 2 (RFC 6275)
// routing header that has segments left: that is where the packet is going, and
// what the transport checksum was made with. Other types are only skipped.
func (c *chain) routing(b []byte) {
	kind, left, words := b[2], b[3], b[1]
	if c.routed || left == 0 {
		return
	}
	if kind == 0 && words >= 2 && words%2 == 0 || kind == 2 && words == 2 {
		c.p.Dst = packet.Addr(b[len(b)-16:])
		c.routed = true
	}
}

// Destination options (RFC 8200 section 4.2, RFC 6275 section 6.3).
const (
	optPad1 = 0
	optHome = 201
)

// destination takes the source from the first home address option. Options that
// overrun the header end the walk.
func (c *chain) destination(opts []byte) {
	for len(opts) > 0 {
		if opts[0] == optPad1 {
			opts = opts[1:]
			continue
		}
		if len(opts) < 2 || len(opts) < 2+int(opts[1]) {
			return
		}
		if opts[0] == optHome && opts[1] == 16 && !c.homed {
			c.p.Src = packet.Addr(opts[2:18])
			c.homed = true
		}
		opts = opts[2+int(opts[1]):]
	}
}
