package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// dontFragment is the DF bit of the IPv4 header's fragment word (RFC 791).
const dontFragment = 0x4000

// Fragment takes apart an IP packet that Decode called a fragment
// (Inside.Fragment). False says that it was captured short and is of no use.
// The result refers to the bytes of ip.
func Fragment(ip []byte) (f packet.Fragment, ok bool) {
	if len(ip) < minIP {
		return f, false
	}
	if ip[0]>>4 == 6 {
		return fragment6(ip)
	}
	return fragment4(ip)
}

func fragment4(h []byte) (f packet.Fragment, ok bool) {
	hlen, total := int(h[0]&0xf)*4, int(binary.BigEndian.Uint16(h[2:]))
	if hlen < minIP || hlen > total || total > len(h) {
		return f, false
	}
	word := binary.BigEndian.Uint16(h[6:])
	f = packet.Fragment{
		ID:   uint32(binary.BigEndian.Uint16(h[4:])),
		More: word&moreFragments != 0, DF: word&dontFragment != 0,
		Proto:  h[9],
		Offset: uint32(word&fragmentOffset) * 8,
		Header: h[:hlen], Payload: h[hlen:total],
	}
	mapped(&f.Src, h[12:16])
	mapped(&f.Dst, h[16:20])
	return f, true
}

// fragment6 walks to the fragment header (RFC 8200 section 4.5):
//
//	|  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//	|                         Identification                        |
func fragment6(h []byte) (f packet.Fragment, ok bool) {
	if len(h) < ipv6Len {
		return f, false
	}
	total := ipv6Len + int(binary.BigEndian.Uint16(h[4:]))
	if total > len(h) {
		return f, false
	}
	at, nextAt := ipv6Len, 6
	for h[nextAt] != extFragment {
		n := extensionLen(h[nextAt], h[at:total])
		if n == 0 || n > total-at {
			return f, false
		}
		at, nextAt = at+n, at
	}
	n := extensionLen(extFragment, h[at:total])
	if n == 0 || n > total-at {
		return f, false
	}
	b := h[at:]
	word := binary.BigEndian.Uint16(b[2:])
	return packet.Fragment{
		Src: packet.Addr(h[8:24]), Dst: packet.Addr(h[24:40]), IPv6: true,
		ID: binary.BigEndian.Uint32(b[4:]), More: word&1 != 0, Proto: b[0], Offset: uint32(word &^ 7),
		Header: h[:at], NextAt: nextAt, Payload: h[at+n : total],
	}, true
}
