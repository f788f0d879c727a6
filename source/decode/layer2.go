package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// LinkOf is where a record was seen: MAC addresses and VLANs of Ethernet frames,
// the sender's address of Linux cooked ones (of the first version). Others have none
// here.
func LinkOf(linkType uint16, data []byte) (l packet.Link) {
	const ether, sll = 1, 113
	switch {
	case linkType == ether && len(data) > minFrame:
		copy(l.Dst[:], data)
		copy(l.Src[:], data[6:])
		l.VLAN, l.Inner = vlans(data[12:])
	case linkType == sll && len(data) >= 16 && data[4] == 0 && data[5] == 6: // length of the address
		copy(l.Src[:], data[6:])
		l.VLAN, l.Inner = vlans(data[14:])
	}
	return l
}

// vlans reads the tags that begin with the type at b: the first two identifiers.
func vlans(b []byte) (outer, inner uint16) {
	for n := 0; n < maxTags && len(b) >= 6; n++ {
		if tagLen(binary.BigEndian.Uint16(b)) != 4 {
			break
		}
		id := binary.BigEndian.Uint16(b[2:]) & 0xfff
		switch b = b[4:]; {
		case outer == 0:
			outer = id
		case inner == 0:
			inner = id
		}
	}
	return outer, inner
}
