package conn

import (
	"pcapdir/analysis/logs"
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// Roles index whatever a connection has twice.
const (
	orig = 0
	resp = 1
)

// flow is one connection: three cache lines without pointers. The first two are
// what every packet touches, to find it, to count and for its timers; the third is
// for UDP's and ICMP's bytes and for what rarely changes. A TCP flow has
// its stream behind it.
type flow struct {
	addr     [2]packet.Addr
	port     [2]uint16
	proto    uint8
	marks    marks
	idle     idleClass
	histLen  uint8 // letters in hist
	deadline packet.Time
	tag      uint32 // the table's
	uid      logs.UID

	lastSeen packet.Time // clock of the last packet that counts as activity
	last     packet.Time // own stamp of that packet, for the duration
	due      packet.Time // next periodic check: TCP and DNS
	pkts     [2]uint64
	ip       [2]uint64 // bytes of the IP packets
	roster   uint32    // where the wheel has it, in its bucket
	bucket   uint16
	seat     uint8

	bytes    [2]int64    // payload as UDP and ICMP count it
	first    packet.Time // own stamp of the first packet
	firstEff packet.Time
	sums     uint32 // UDP: its counters of wrong checksums, if any
	n        uint32 // direct replacements of this tuple's flow at firstEff
	late     uint32
	histNext uint32 // letters beyond hist
	histMore uint16 // how many
	speech   dpd.Speech
	hist     [8]byte
}

// marks are properties of a flow.
type marks uint8

const (
	markOneWay   marks = 1 << iota
	markDNS            // the DNS check applies
	markData           // history has D
	_                  // history has d: markData, shifted by the role
	markUnknown        // history has X
	markCarrier        // it was said that it is a tunnel
	markTunneled       // it has parents
	markEvicted        // it ends early, to make room
)

func (f *flow) transport() transport { return transportOf(f.proto) }

// role is the sender's role in f of a packet with the tuple k, if k is f's. The
// originator is tried first: a packet to its own address and port is from there.
func (f *flow) role(k *tuple) (int, bool) {
	if f.proto != k.proto {
		return 0, false
	}
	if f.addr[orig] == k.src && f.addr[resp] == k.dst && f.port[orig] == k.srcPort && f.port[resp] == k.dstPort {
		return orig, true
	}
	if f.addr[orig] == k.dst && f.addr[resp] == k.src && f.port[orig] == k.dstPort && f.port[resp] == k.srcPort {
		return resp, f.marks&markOneWay == 0 && !k.oneWay
	}
	return 0, false
}

// count adds a packet that reached the transport analyzer to the sender's counters.
func (f *flow) count(role int, p *packet.Packet) {
	f.pkts[role]++
	f.ip[role] += uint64(p.IPLen)
}

// swap exchanges originator and responder in everything that a flow itself holds.
func (f *flow) swap() {
	f.addr[0], f.addr[1] = f.addr[1], f.addr[0]
	f.port[0], f.port[1] = f.port[1], f.port[0]
	f.pkts[0], f.pkts[1] = f.pkts[1], f.pkts[0]
	f.ip[0], f.ip[1] = f.ip[1], f.ip[0]
	f.bytes[0], f.bytes[1] = f.bytes[1], f.bytes[0]
	f.speech.Swap()
}
