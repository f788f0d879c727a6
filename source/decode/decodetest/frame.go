package decodetest

import "encoding/binary"

// Addresses of the frames: locally administered, so nobody's.
var (
	dstMAC = [6]byte{2, 0, 0, 0, 0, 2}
	srcMAC = [6]byte{2, 0, 0, 0, 0, 1}
)

// Ether is an Ethernet frame around an IP packet, padded to 60 bytes as cards
// do. vlans are VLAN identifiers from the outside in: the innermost is tagged
// 0x8100, those around it 0x88a8.
func Ether(ip []byte, vlans ...uint16) []byte {
	kind := uint16(0x0800)
	if ip[0]>>4 == 6 {
		kind = 0x86dd
	}
	b := EtherType(kind, ip, vlans...)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

// EtherType is an Ethernet frame of any type, without padding.
func EtherType(kind uint16, payload []byte, vlans ...uint16) []byte {
	b := append(dstMAC[:len(dstMAC):len(dstMAC)], srcMAC[:]...)
	for i, vlan := range vlans {
		tag := uint16(0x88a8)
		if i == len(vlans)-1 {
			tag = 0x8100
		}
		b = binary.BigEndian.AppendUint16(b, tag)
		b = binary.BigEndian.AppendUint16(b, vlan)
	}
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, payload...)
}
