package decode

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// dnsMaxQueries is the most questions that a message may have and still be one
// (dns_max_queries of Zeek).
const dnsMaxQueries = 25

// dns says whether a datagram is a DNS message (RFC 1035), and of which kind. As in
// Zeek its header alone decides: at some length, with not too many questions.
//
//	id 2 · QR 1 bit, opcode, flags 15 bits · questions 2 · answers 2 · authorities 2 · additional 2
func dns(b []byte) packet.App {
	switch {
	case len(b) < 12 || binary.BigEndian.Uint16(b[4:]) > dnsMaxQueries:
		return packet.AppNone
	case b[2]&0x80 != 0:
		return packet.AppDNSReply
	default:
		return packet.AppDNSQuery
	}
}
