package decodetest

import (
	"encoding/binary"
	"net/netip"
)

// Sum is the Internet checksum of b (RFC 1071), written the plain way.
func Sum(b []byte) uint16 {
	var s uint32
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(b[i])<<8 | uint32(b[i+1])
		s = s>>16 + s&0xffff
	}
	if len(b)%2 == 1 {
		s += uint32(b[len(b)-1]) << 8
	}
	s = s>>16 + s&0xffff
	return ^uint16(s)
}

// transportSum is the checksum of a transport segment with its pseudo header
// (RFC 9293 section 3.1, RFC 8200 section 8.1). The checksum field of seg is 0.
func (ip IP) transportSum(number uint8, seg []byte) uint16 {
	b := append(either(ip.SumSrc, ip.Src), either(ip.SumDst, ip.Dst)...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(seg)))
	b = append(b, 0, 0, 0, number)
	return Sum(append(b, seg...))
}

func either(a, b netip.Addr) []byte {
	if a.IsValid() {
		return a.AsSlice()
	}
	return b.AsSlice()
}
