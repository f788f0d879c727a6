package conn

import "unsafe"

// tcpFlow is a flow with its stream behind it: one place in memory, so that a
// packet waits for one cache miss and not for two, one after the other.
type tcpFlow struct {
	flow
	stream stream
}

// plainFlow is a flow of any other transport.
type plainFlow struct {
	flow
	bytes [2]int64 // payload as UDP and ICMP count it
}

// stream is the TCP state of f, whose protocol is TCP: flowSlab puts no such flow
// anywhere but into a tcpFlow, of which it is the first field.
func (f *flow) stream() *stream { return &(*tcpFlow)(unsafe.Pointer(f)).stream }

// bytes are those of f, whose protocol is not TCP: it lies in a plainFlow.
func (f *flow) bytes() *[2]int64 { return &(*plainFlow)(unsafe.Pointer(f)).bytes }

// flowSlab holds the flows. An index says by its top bit which of the two kinds
// it names: TCP flows are larger by half, and DNS is most of the rest.
type flowSlab struct {
	plain slab[plainFlow]
	tcp   slab[tcpFlow]
}

// tcpIndex marks the index of a tcpFlow.
const tcpIndex = 1 << 31

func (s *flowSlab) at(i uint32) *flow {
	if i >= tcpIndex {
		return &s.tcp.at(i - tcpIndex).flow
	}
	return &s.plain.at(i).flow
}

func (s *flowSlab) alloc(tr transport) (uint32, *flow) {
	if tr == tcp {
		i, x := s.tcp.alloc()
		return i + tcpIndex, &x.flow
	}
	i, x := s.plain.alloc()
	return i, &x.flow
}

func (s *flowSlab) release(i uint32) {
	if i >= tcpIndex {
		s.tcp.release(i - tcpIndex)
	} else {
		s.plain.release(i)
	}
}

// each calls do for every index ever used.
func (s *flowSlab) each(do func(i uint32)) {
	for i := uint32(1); i < s.plain.used; i++ {
		do(i)
	}
	for i := uint32(1); i < s.tcp.used; i++ {
		do(i + tcpIndex)
	}
}
