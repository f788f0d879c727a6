package conn

import (
	"unsafe"

	"pcapdir/source/packet"
)

// How a bound on memory is kept. Memory of the slabs never goes back, and each kind
// of flow has a slab of its own, so each has a bound of its own: two thirds of all are
// for TCP. When a flow is to be opened and its kind has no room, another one of the
// kind ends early; its record says so.
const (
	tcpShare, allShares = 2, 3

	// What a flow takes besides itself and its oddities: its slots in the table and in
	// the wheel, its place among the free ones. And what it takes besides that where links are kept,
	// or connections are shown while they are open.
	besides, besidesLink, besidesOpen = 8*8/5*2 + 8 + 4, 64, 64

	// In percent of the whole: what is left for tables and slabs, which grow by
	// doubling; and for what few connections have.
	slackPercent, spansPercent, lettersPercent, tunnelsPercent = 20, 5, 5, 5

	// plainTunnelBytes is what a tunnel without connection takes in its map.
	plainTunnelBytes = 80
)

// bounds are how many of each may be there, 0: any number.
type bounds struct {
	plain, tcp     room
	spans, letters int // of all connections: ranges above holes, pieces of histories
	tunnels        int // without connection

	evicted, gaveUp uint64
	at              packet.Time // when the last one was evicted in the instant that it began
	sameTime        uint32      // how many were then
}

// room is what flows of a kind have.
type room struct {
	most    int // open flows
	victims victims
}

// boundsFor divides c.Memory.
func boundsFor(c *Config) (b bounds) {
	if c.Memory <= 0 {
		return b
	}
	percent := c.Memory / 100
	b.spans = max(maxRanges, int(percent*spansPercent/int64(unsafe.Sizeof(span{}))))
	b.letters = max(maxHistory, int(percent*lettersPercent/int64(unsafe.Sizeof(letters{}))))
	b.tunnels = max(minPlain, int(percent*tunnelsPercent/plainTunnelBytes))
	extra := int64(besides)
	if c.VLAN || c.MAC {
		extra += besidesLink
	}
	if c.OpenInterval > 0 {
		extra += besidesOpen
	}
	flows := percent * (100 - slackPercent - spansPercent - lettersPercent - tunnelsPercent)
	tcpSize := unsafe.Sizeof(tcpFlow{}) + unsafe.Sizeof(tcpOddities{})
	plainSize := unsafe.Sizeof(plainFlow{}) + unsafe.Sizeof(oddities{})
	b.tcp.most = max(1, int(flows/allShares*tcpShare/(int64(tcpSize)+extra)))
	b.plain.most = max(1, int(flows/allShares*(allShares-tcpShare)/(int64(plainSize)+extra)))
	return b
}

// Evicted is how many connections ended early for want of room, and GaveUp of how many
// sides reassembly was given up for it.
func (t *Tracker) Evicted() uint64 { return t.bounds.evicted }

// GaveUp is explained at Evicted.
func (t *Tracker) GaveUp() uint64 { return t.bounds.gaveUp }
