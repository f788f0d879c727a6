package flowvec

import (
	"math"
	"math/bits"
	"strconv"

	"pcapdir/source/packet"
)

// Service is an IP protocol and, for TCP and UDP, a destination port.
type Service uint32

func serviceOf(proto uint8, port uint16) Service {
	if proto != packet.TCP && proto != packet.UDP {
		port = 0 // ICMP's type and code are not ports
	}
	return Service(proto)<<16 | Service(port)
}

// Proto is the IP protocol number.
func (s Service) Proto() uint8 { return uint8(s >> 16) }

// Port is the destination port, 0 where the protocol has none.
func (s Service) Port() uint16 { return uint16(s) }

// ProtoName is the transport as Zeek names it.
func (s Service) ProtoName() string {
	switch s.Proto() {
	case packet.TCP:
		return "tcp"
	case packet.UDP:
		return "udp"
	case packet.ICMP, packet.ICMPv6:
		return "icmp"
	default:
		return "unknown_transport"
	}
}

// String is "tcp/22", or "icmp", or "ip/47" for other protocols.
func (s Service) String() string {
	switch s.Proto() {
	case packet.TCP, packet.UDP:
		return s.ProtoName() + "/" + strconv.Itoa(int(s.Port()))
	case packet.ICMP, packet.ICMPv6:
		return "icmp"
	default:
		return "ip/" + strconv.Itoa(int(s.Proto()))
	}
}

// exactPorts is how many services of a direction are kept as they are.
const exactPorts = 4

// manyPorts is portSet.n of a set that holds a bitmap.
const manyPorts = exactPorts + 1

// portSet is the services that one direction was sent to: up to 4 of them
// exactly, with the bytes of each, in rising order; beyond that a bitmap of
// 256 bits, from which their number is estimated (linear counting, Whang 1990).
// Which of the two it is depends only on what was added, never on the order.
type portSet struct {
	words    [exactPorts]uint64 // bytes per service; when there are many, the bitmap
	services [exactPorts]Service
	n        uint8
}

func (s *portSet) add(v Service, bytes uint64) {
	if s.n == manyPorts {
		s.set(v)
		return
	}
	at := 0
	for at < int(s.n) && s.services[at] < v {
		at++
	}
	switch {
	case at < int(s.n) && s.services[at] == v:
		s.words[at] += bytes
	case s.n == exactPorts:
		s.overflow()
		s.set(v)
	default:
		copy(s.services[at+1:], s.services[at:s.n])
		copy(s.words[at+1:], s.words[at:s.n])
		s.services[at], s.words[at], s.n = v, bytes, s.n+1
	}
}

func (s *portSet) overflow() {
	old := s.services
	*s = portSet{n: manyPorts}
	for _, v := range old {
		s.set(v)
	}
}

func (s *portSet) set(v Service) {
	bit := mix(uint64(v)^0xa0761d6478bd642f, 0xe7037ed1a0b428db) >> 56
	s.words[bit/64] |= 1 << (bit % 64)
}

func (s *portSet) merge(o *portSet) {
	if o.n != manyPorts {
		for i := range o.n {
			s.add(o.services[i], o.words[i])
		}
		return
	}
	if s.n != manyPorts {
		few := *s
		*s = *o
		for i := range few.n {
			s.set(few.services[i])
		}
		return
	}
	for i := range s.words {
		s.words[i] |= o.words[i]
	}
}

// len is the number of services, estimated when there are many.
func (s *portSet) len() float64 {
	if s.n != manyPorts {
		return float64(s.n)
	}
	zero := 256
	for _, w := range s.words {
		zero -= bits.OnesCount64(w)
	}
	return max(manyPorts, 256*math.Log(256/max(float64(zero), 0.5)))
}

// top is the service with the most bytes, the lowest of equals; where there
// are many, or none is known, it is what the first packet asked for.
func (s *portSet) top(began Service) Service {
	if s.n == manyPorts || s.n == 0 {
		return began
	}
	best := 0
	for i := range s.n {
		if s.words[i] > s.words[best] {
			best = int(i)
		}
	}
	return s.services[best]
}
