package pipeline

import (
	"sync/atomic"

	"pcapdir/analysis/conn"
	"pcapdir/sharder"
	"pcapdir/source/packet"
)

// dealer deals the packets of a timeline to its shards. Every packet passes here before
// any shard hears of its instant, so here it is noted which connections packets announce:
// they may be another shard's.
type dealer struct {
	sharder.Hasher
	expected conn.Expected
	noted    atomic.Uint64
	lost     *atomic.Uint64     // announcements for which there was no room
	passed   func() packet.Time // where all shards are: what they have begun, they have
	all      bool               // wrong checksums do not matter
}

// forgetEvery is after how many announcements those are dropped that are over.
const forgetEvery = 1 << 8

// Route implements source.Router.
func (d *dealer) Route(p *packet.Packet) int {
	if p.DataPort() != 0 && (d.all || p.Flags&packet.BadChecksum == 0) {
		d.note(p)
	}
	return d.Hasher.Route(p)
}

func (d *dealer) note(p *packet.Packet) {
	if d.noted.Add(1)%forgetEvery == 0 {
		d.expected.Forget(d.passed())
	}
	if !d.expected.Note(p) {
		d.lost.Add(1)
	}
}
