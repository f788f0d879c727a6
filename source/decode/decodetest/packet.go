// Package decodetest builds packets for tests and generators: IPv4 and IPv6
// with TCP, UDP and ICMP, in Ethernet frames, with lengths and checksums right
// unless the caller breaks them afterwards. It shares no code with the decoder,
// so that the two check each other.
package decodetest

import (
	"encoding/binary"
	"net/netip"
)

// IP is an IPv4 or IPv6 header, by the family of its addresses. The zero value
// of a field means the ordinary thing.
type IP struct {
	Src, Dst netip.Addr
	TTL      uint8 // 0 for 64
	ID       uint16
	Frag     uint16      // IPv4: flags and fragment offset as on the wire
	Options  []byte      // IPv4: a multiple of 4 bytes, at most 40
	Ext      []Extension // IPv6: extension headers in order

	// SumSrc and SumDst are the addresses that the transport checksum is made
	// with where they are not Src and Dst: home address, final destination.
	SumSrc, SumDst netip.Addr
}

// Extension is one extension header of IPv6. Body is what follows next header
// and length; it is padded with zeros to what the header's unit asks for.
type Extension struct {
	Type uint8
	Body []byte
}

// From is the IP header from src to dst, both in text form. Text that is no
// address is a bug of the caller's.
func From(src, dst string) IP {
	return IP{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst)}
}

// TCP holds the fields of a TCP header. Offset overrides the data offset (in
// words) where it is not 0.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            uint8
	Win              uint16
	Options          []byte // a multiple of 4 bytes, at most 40
	Offset           uint8
}

// TCP is an IP packet that carries one TCP segment.
func (ip IP) TCP(t TCP, payload []byte) []byte {
	be := binary.BigEndian
	b := be.AppendUint16(nil, t.SrcPort)
	b = be.AppendUint16(b, t.DstPort)
	b = be.AppendUint32(b, t.Seq)
	b = be.AppendUint32(b, t.Ack)
	words := uint8(5 + len(t.Options)/4)
	if t.Offset != 0 {
		words = t.Offset
	}
	b = append(b, words<<4, t.Flags)
	b = be.AppendUint16(b, t.Win)
	b = append(b, 0, 0, 0, 0) // checksum, urgent pointer
	b = append(append(b, t.Options...), payload...)
	be.PutUint16(b[16:], ip.transportSum(6, b))
	return ip.Proto(6, b)
}

// UDP is an IP packet that carries one UDP datagram.
func (ip IP) UDP(srcPort, dstPort uint16, payload []byte) []byte {
	be := binary.BigEndian
	b := be.AppendUint16(nil, srcPort)
	b = be.AppendUint16(b, dstPort)
	b = be.AppendUint16(b, uint16(8+len(payload)))
	b = append(append(b, 0, 0), payload...)
	sum := ip.transportSum(17, b)
	if sum == 0 {
		sum = 0xffff // RFC 768: zero means that there is none
	}
	be.PutUint16(b[6:], sum)
	return ip.Proto(17, b)
}

// ICMP is an IP packet that carries one ICMP message, or ICMPv6 where the
// addresses are IPv6. rest is what follows the checksum; it is padded to the 4
// bytes that every message has.
func (ip IP) ICMP(kind, code uint8, rest []byte) []byte {
	b := append([]byte{kind, code, 0, 0}, rest...)
	for len(b) < 8 {
		b = append(b, 0)
	}
	if ip.Src.Is4() {
		binary.BigEndian.PutUint16(b[2:], Sum(b))
		return ip.Proto(1, b)
	}
	binary.BigEndian.PutUint16(b[2:], ip.transportSum(58, b))
	return ip.Proto(58, b)
}

// Proto is an IP packet of any protocol.
func (ip IP) Proto(number uint8, payload []byte) []byte {
	if ip.Src.Is4() {
		return ip.v4(number, payload)
	}
	return ip.v6(number, payload)
}

func (ip IP) ttl() uint8 {
	if ip.TTL == 0 {
		return 64
	}
	return ip.TTL
}

func (ip IP) v4(number uint8, payload []byte) []byte {
	be := binary.BigEndian
	hlen := 20 + len(ip.Options)
	b := []byte{byte(0x40 | hlen/4), 0}
	b = be.AppendUint16(b, uint16(hlen+len(payload)))
	b = be.AppendUint16(b, ip.ID)
	b = be.AppendUint16(b, ip.Frag)
	b = append(b, ip.ttl(), number, 0, 0)
	b = append(append(b, ip.Src.AsSlice()...), ip.Dst.AsSlice()...)
	b = append(b, ip.Options...)
	be.PutUint16(b[10:], Sum(b))
	return append(b, payload...)
}

func (ip IP) v6(number uint8, payload []byte) []byte {
	body, next := payload, number
	for i := len(ip.Ext) - 1; i >= 0; i-- {
		body, next = append(ip.Ext[i].header(next), body...), ip.Ext[i].Type
	}
	b := []byte{0x60, 0, 0, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	b = append(b, next, ip.ttl())
	b = append(append(b, ip.Src.AsSlice()...), ip.Dst.AsSlice()...)
	return append(b, body...)
}

// header is the extension header in front of next. Most count their length in 8
// bytes beyond the first 8, AH (51) in 4 bytes, a fragment header (44) not at all.
func (e Extension) header(next uint8) []byte {
	b := append([]byte{next, 0}, e.Body...)
	unit := 8
	if e.Type == 51 {
		unit = 4
	}
	for len(b) < 8 || len(b)%unit != 0 {
		b = append(b, 0)
	}
	if e.Type != 44 {
		b[1] = byte((len(b) - 8) / unit)
	}
	return b
}
