package traffic

import "encoding/binary"

// IP protocol numbers.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// fate is how a TCP conversation goes.
type fate uint8

const (
	normal fate = iota
	unanswered
	refused
	reset
)

// profile is what stays the same for all packets of a conversation. It is derived
// from its number: cheaper than the cache lines that keeping it would cost.
type profile struct {
	hash    uint64
	proto   uint8
	fate    fate
	v6      bool
	stamps  bool   // TCP timestamps option
	vlan    uint16 // 0: untagged
	hosts   [2]uint32
	ports   [2]uint16
	initial [2]uint32 // sequence numbers
}

var (
	tcpPorts = [...]uint16{443, 443, 443, 80, 80, 22, 25, 993, 3306, 8080, 5432, 445}
	udpPorts = [...]uint16{53, 53, 53, 53, 123, 443, 514, 161}
)

func (g *Generator) profile(id uint64) profile {
	h := mix64(id*golden ^ g.seed)
	h2, h3 := mix64(h+golden), mix64(h^golden)
	s := g.shape
	p := profile{
		hash:    h,
		hosts:   [2]uint32{uint32(h2 % s.clients), uint32(h2 >> 32 % s.servers)},
		initial: [2]uint32{uint32(h3), uint32(h3 >> 32)},
		v6:      h>>16%100 < s.v6,
	}
	if h>>24%100 < s.vlan {
		p.vlan = uint16(100 + h>>32%4)
	}
	client := uint16(32768 + h>>40%28000)
	switch kind := h % 100; {
	case kind < s.tcp:
		p.proto = protoTCP
		p.ports = [2]uint16{client, tcpPorts[h3>>8%uint64(len(tcpPorts))]}
		p.stamps = h3%100 < s.stamps
		p.fate = s.fateOf(h3 >> 16 % 100)
	case kind < s.tcp+s.udp:
		p.proto = protoUDP
		p.ports = [2]uint16{client, udpPorts[h3>>8%uint64(len(udpPorts))]}
	case p.v6:
		p.proto, p.ports = protoICMPv6, [2]uint16{client}
	default:
		p.proto, p.ports = protoICMP, [2]uint16{client}
	}
	return p
}

func (s *shape) fateOf(percent uint64) fate {
	switch {
	case percent < s.unanswered:
		return unanswered
	case percent < s.unanswered+s.refused:
		return refused
	case percent < s.unanswered+s.refused+s.reset:
		return reset
	}
	return normal
}

// The networks: clients in 10.0.0.0/8 and 2001:db8:a::/48, servers in 198.18.0.0/15
// (RFC 2544) and 2001:db8:b::/48 (RFC 3849), which no one owns.
func host4(side int, host uint32) uint32 {
	if side == 0 {
		return 10<<24 | (host+1)&0xffffff
	}
	return 198<<24 | 18<<16 | (host+1)&0x1ffff
}

func putHost6(b []byte, side int, host uint32) {
	binary.BigEndian.PutUint64(b, 0x20010db8_000a0000+uint64(side)<<16)
	binary.BigEndian.PutUint64(b[8:], uint64(host)+1)
}
