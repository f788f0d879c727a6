package conn

import (
	"time"

	"pcapdir/source/packet"
)

// oddities are what few flows have. They lie apart; flow.rare says where.
type oddities struct {
	badChecksums [2]uint32     // behind C
	lift         time.Duration // from the own stamp of the first packet to its effective time
	late         uint32        // packets
	n            uint32        // direct replacements of this tuple's flow in the instant that it began
}

// tcpOddities are those of a TCP flow. A clean one has none before its end.
type tcpOddities struct {
	oddities
	missed uint64 // octets that were acknowledged, but not seen
	side   [2]sideOddities
}

// sideOddities are those of one side.
type sideOddities struct {
	finSeq uint64 // relative, behind the FIN

	synAt, finAt, rstAt uint32 // relative numbers of the last SYN, FIN and RST: only another one makes another letter

	retransmitted, zeroWindows, gaps uint32 // counts behind T, W and G
}

// odd are the oddities of f, made when there is the first.
func (t *Tracker) odd(f *flow) *oddities {
	if f.proto == packet.TCP {
		return &t.oddTCP(f).oddities
	}
	if f.rare == 0 {
		f.rare, _ = t.rares.alloc()
	}
	return t.rares.at(f.rare)
}

// oddTCP are those of a TCP flow, likewise.
func (t *Tracker) oddTCP(f *flow) *tcpOddities {
	if f.rare == 0 {
		f.rare, _ = t.tcpRares.alloc()
	}
	return t.tcpRares.at(f.rare)
}

// clean are the oddities of a flow that has none. It is only read.
var clean tcpOddities

// known are the oddities of f, only to be read.
func (t *Tracker) known(f *flow) *oddities {
	switch {
	case f.rare == 0:
		return &clean.oddities
	case f.proto == packet.TCP:
		return &t.tcpRares.at(f.rare).oddities
	}
	return t.rares.at(f.rare)
}

// knownTCP are those of a TCP flow, likewise.
func (t *Tracker) knownTCP(f *flow) *tcpOddities {
	if f.rare == 0 {
		return &clean
	}
	return t.tcpRares.at(f.rare)
}

// forgetOddities frees those of f.
func (t *Tracker) forgetOddities(f *flow) {
	switch {
	case f.rare == 0:
	case f.proto == packet.TCP:
		t.tcpRares.release(f.rare)
	default:
		t.rares.release(f.rare)
	}
}

// firstEff is the effective time of f's first packet.
func (t *Tracker) firstEff(f *flow) packet.Time { return f.first.Add(t.known(f).lift) }
