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

// flow is what every connection has, without pointers: two cache lines that every
// packet touches, to find it, to count and for its timers, and half a line for what
// rarely changes. Behind it lies what only its transport has: see flowSlab.
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

	first    packet.Time // own stamp of the first packet
	rare     uint32      // the Tracker's oddities of it, if there are any
	histNext uint32      // letters beyond hist
	histMore uint16      // how many
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

// flip exchanges originator and responder. Counters and states move with their
// side; letters that were written stay, and their once-only marks with them.
func (t *Tracker) flip(f *flow) {
	swap(&f.addr)
	swap(&f.port)
	swap(&f.pkts)
	swap(&f.ip)
	f.speech.Swap()
	if f.proto != packet.TCP {
		swap(f.bytes())
	} else {
		s := f.stream()
		swap(&s.end)
		s.mark(midway, false)
		if f.rare != 0 {
			swap(&t.tcpRares.at(f.rare).badChecksums)
			swap(&t.tcpRares.at(f.rare).side)
		}
	}
	t.addHistory(f, '^')
}

func swap[T any](pair *[2]T) { pair[0], pair[1] = pair[1], pair[0] }
