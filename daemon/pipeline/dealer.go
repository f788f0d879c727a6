package pipeline

import (
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
	all      bool // wrong checksums do not matter
}

// Route implements source.Router.
func (d *dealer) Route(p *packet.Packet) int {
	if p.DataPort() != 0 && (d.all || p.Flags&packet.BadChecksum == 0) {
		d.expected.Note(p)
	}
	return d.Hasher.Route(p)
}
