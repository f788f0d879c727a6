package dpd

import "pcapdir/source/packet"

// dnsPorts are those of DNS, mDNS and LLMNR.
var dnsPorts = []uint16{53, 5353, 5355}

// dnsMaxQueries is the most questions that a message may have and still be one
// (dns_max_queries of Zeek).
const dnsMaxQueries = 25

const dnsHeader = 12

// dns says whether a datagram is a DNS message (RFC 1035), and of which kind. As in
// Zeek, its questions and answers must be there, whatever their names are.
//
//	id 2 · QR 1 bit, opcode 4, flags 11 bits · questions 2 · answers 2 · authorities 2 · additional 2
func dns(b []byte) packet.App { return dnsMessage(b, true) }

// netBIOS is the same for the names of RFC 1002, with operations of their own.
func netBIOS(b []byte) packet.App {
	if len(b) < dnsHeader {
		return packet.AppNone
	}
	switch dnsBody(b, true) {
	case dnsQuery:
		return netBIOSQuery
	case dnsReply:
		return netBIOSReply
	case dnsBroken:
		return netBIOSBroken
	}
	return packet.AppNone
}

// dnsMessage is dns, for a message of which the end may be missing: then its header
// alone is judged.
func dnsMessage(b []byte, whole bool) packet.App {
	if len(b) < dnsHeader {
		return packet.AppNone
	}
	if opcode := b[2] >> 3 & 0xf; opcode != 0 {
		if whole {
			return dnsUnknown
		}
		return packet.AppNone
	}
	return dnsBody(b, whole)
}

func dnsBody(b []byte, whole bool) packet.App {
	switch questions, answers := be16(b, 4), be16(b, 6); {
	case questions > dnsMaxQueries:
		return dnsBroken
	case whole && !dnsRecords(b[dnsHeader:], questions, answers):
		return packet.AppNone
	case b[2]&0x80 != 0:
		return dnsReply
	}
	return dnsQuery
}

// dnsRecords walks the questions and the answers.
func dnsRecords(b []byte, questions, answers int) bool {
	for range questions {
		if b = dnsName(b); len(b) < 4 {
			return false
		}
		b = b[4:]
	}
	for range answers {
		if b = dnsName(b); len(b) < 10 {
			return false
		}
		n := 10 + be16(b, 8)
		if len(b) < n {
			return false
		}
		b = b[n:]
	}
	return true
}

// dnsName skips a name: labels, then a zero or a pointer. What can be neither ends
// the name where it stands.
func dnsName(b []byte) []byte {
	for len(b) > 0 {
		switch n := int(b[0]); {
		case n == 0:
			return b[1:]
		case n&0xc0 == 0xc0:
			return b[min(2, len(b)):]
		case n > 63:
			return b[1:]
		default:
			b = b[min(1+n, len(b)):]
		}
	}
	return b
}

// dnsStream reads the length before the message. Some write that by itself, in a segment
// of its own.
func dnsStream(b []byte, _ where) packet.App {
	if len(b) == 2 && be16(b, 0) >= dnsHeader {
		return dnsLength
	}
	if len(b) < 2+dnsHeader {
		return packet.AppNone
	}
	n := be16(b, 0)
	switch app := dnsMessage(b[2:min(len(b), 2+n)], 2+n <= len(b)); app {
	case packet.AppNone, dnsBroken: // a segment may begin anywhere
	default:
		return app
	}
	if is(dnsMessage(b, true), dnsQuery, dnsReply) {
		return dnsBare
	}
	return packet.AppNone
}

// hearDNS confirms by any message. A flow whose first one is a reply began before
// the capture: its sender is the responder, unless it answers many at once (the
// owner of the connection knows).
func hearDNS(s *Speech, v *voice) {
	if is(v.app, dnsBroken, netBIOSBroken) {
		v.broken = true
		return
	}
	if v.app == dnsLength || v.app == dnsBare && s.looks[v.role] != dnsLength {
		return
	}
	if v.app == dnsUnknown {
		v.effect |= Unknown
		return
	}
	if s.silent() && is(v.app, dnsReply, netBIOSReply) && v.role == orig {
		v.effect |= Flip
	}
	v.confirm(v.app)
}

// NotDNS says that a message has broken DNS: nobody waits for answers any more.
func (s *Speech) NotDNS() bool {
	for _, have := range s.services {
		if have&broken != 0 && protocols[have&^marks-1].name == "dns" {
			return true
		}
	}
	return false
}
