package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// LinkOf is where a record was seen: MAC addresses and VLANs of Ethernet frames,
// the sender's address and VLANs of Linux cooked ones. Others have none here.
func LinkOf(linkType uint16, data []byte) (l packet.Link) {
	const sll, sll2 = 113, 276
	switch {
	case linkType == linkEthernet && len(data) > minFrame:
		copy(l.Dst[:], data)
		copy(l.Src[:], data[6:])
		tags(&l, data[12:])
	case linkType == sll && len(data) >= 16:
		if data[4] == 0 && data[5] == 6 { // length of the address
			copy(l.Src[:], data[6:])
		}
		tags(&l, data[14:])
	case linkType == sll2 && len(data) >= 20:
		if data[11] == 6 {
			copy(l.Src[:], data[12:])
		}
		tags(&l, append(append(make([]byte, 0, 64), data[:2]...), data[20:min(len(data), 80)]...))
	}
	return l
}

// tags reads the tags that begin with the type at b: the first identifier, and the
// last of the others, as Zeek does. Behind a tag of 802.1ah is another frame, whose
// addresses count.
func tags(l *packet.Link, b []byte) {
	for len(b) >= 6 {
		n := tagLen(binary.BigEndian.Uint16(b))
		switch {
		case n == 0 || len(b) < 2+n:
			return
		case n == tagLen(etherPBB):
			copy(l.Dst[:], b[6:])
			copy(l.Src[:], b[12:])
		case n > tagLen(etherVLAN): // VN-tag
		case l.VLAN == 0:
			l.VLAN = binary.BigEndian.Uint16(b[2:]) & 0xfff
		default:
			l.Inner = binary.BigEndian.Uint16(b[2:]) & 0xfff
		}
		b = b[n:]
	}
}
