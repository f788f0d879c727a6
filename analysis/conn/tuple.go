package conn

import (
	"pcapdir/source/packet"
)

// tuple is what a packet says about its connection: Zeek's connection key, in
// the packet's direction.
type tuple struct {
	src, dst         packet.Addr
	srcPort, dstPort uint16
	proto            uint8
	oneWay           bool // an ICMP type without a counterpart: the reverse is another connection
	tag              uint32
}

// transport is how a protocol is tracked.
type transport uint8

const (
	other transport = iota
	tcp
	udp
	icmp
)

// transportNames are the values of proto in conn.log.
var transportNames = [...]string{other: "unknown_transport", tcp: "tcp", udp: "udp", icmp: "icmp"}

func transportOf(proto uint8) transport {
	switch proto {
	case packet.TCP:
		return tcp
	case packet.UDP:
		return udp
	case packet.ICMP, packet.ICMPv6:
		return icmp
	default:
		return other
	}
}

// set makes k the tuple of p.
func (k *tuple) set(p *packet.Packet) {
	k.src, k.dst = p.Src, p.Dst
	k.setRest(p)
}

// setRest leaves the addresses as they are. The placement tag comes from p.Hash, which
// covers ports only for TCP and UDP, so ICMP mixes its type pair in: else one sender
// could put all its ICMP connections into one run of the table.
func (k *tuple) setRest(p *packet.Packet) {
	k.proto, k.oneWay = p.Proto, false
	hash := p.Hash
	switch transportOf(p.Proto) {
	case tcp, udp:
		k.srcPort, k.dstPort = p.SrcPort, p.DstPort
	case icmp:
		counterpart, twoWay := icmpCounterpart(p.Proto, p.SrcPort)
		k.srcPort, k.dstPort = p.SrcPort, counterpart
		if !twoWay {
			k.dstPort, k.oneWay = p.DstPort, true
		}
		pair := uint64(min(k.srcPort, k.dstPort))<<16 | uint64(max(k.srcPort, k.dstPort))
		hash ^= (pair + 1) * 0xff51afd7ed558ccd
	default:
		k.srcPort, k.dstPort = 0, 0
		hash ^= uint64(p.Proto) * 0xc4ceb9fe1a85ec53
	}
	k.tag = tagOf(hash)
}

// icmpCounterpart is the type that answers an ICMP or ICMPv6 type, if there is one.
func icmpCounterpart(proto uint8, icmpType uint16) (uint16, bool) {
	pairs := icmp4Pairs[:]
	if proto == packet.ICMPv6 {
		pairs = icmp6Pairs[:]
	}
	for _, p := range pairs {
		switch icmpType {
		case p[0]:
			return p[1], true
		case p[1]:
			return p[0], true
		}
	}
	return 0, false
}

// Requests and their replies (RFC 792, 950, 1256, 4443, 2710, 4861, 4620, 6275).
var (
	icmp4Pairs = [...][2]uint16{{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}}
	icmp6Pairs = [...][2]uint16{{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}}
)

// canonical is the tuple with its ends ordered by address bytes, then port, so
// that both directions agree; a one-way tuple keeps its order.
func (k *tuple) canonical() (a, b *packet.Addr, aPort, bPort uint16) {
	c := k.src.Compare(k.dst)
	if k.oneWay || c < 0 || c == 0 && k.srcPort <= k.dstPort {
		return &k.src, &k.dst, k.srcPort, k.dstPort
	}
	return &k.dst, &k.src, k.dstPort, k.srcPort
}

// likelyServer says whether port is in Zeek's likely_server_ports for tr.
func likelyServer(tr transport, port uint16) bool {
	switch tr {
	case tcp:
		return serverPortsTCP.has(port)
	case udp:
		return serverPortsUDP.has(port)
	default:
		return false
	}
}

// portSet is a set of ports as bits.
type portSet [1024]uint64

func (s *portSet) has(port uint16) bool { return s[port/64]>>(port%64)&1 != 0 }

func ports(list ...uint16) *portSet {
	s := new(portSet)
	for _, p := range list {
		s[p/64] |= 1 << (p % 64)
	}
	return s
}

// Zeek 8's likely_server_ports, as the running program prints them; 3268/udp is LDAP's,
// which the printed build lacked and the laboratory's had.
var (
	serverPortsTCP = ports(21, 22, 25, 53, 79, 80, 81, 88, 135, 139, 143, 389, 443, 445, 502, 563, 585, 587,
		614, 631, 636, 989, 990, 992, 993, 995, 1080, 1883, 2811, 3128, 3268, 3389, 5222, 5223, 5269, 5432,
		6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000)
	serverPortsUDP = ports(53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3268, 3389, 3544, 4789,
		5060, 5072, 5353, 5355, 6081, 20000)
)

// dnsPort says whether Zeek's DNS analyzer claims a UDP port.
func dnsPort(port uint16) bool { return port == 53 || port == 137 || port == 5353 || port == 5355 }

// loginPort says whether a TCP responder port gets the long inactivity timeout.
func loginPort(port uint16) bool { return port == 21 || port == 22 || port == 23 || port == 513 }
