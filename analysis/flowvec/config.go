// Package flowvec reduces traffic to numbers per <source, destination>: it
// accumulates what one shard sees of a pane of event time, merges the shards'
// parts into conversations, slides windows over whole panes, and turns each
// conversation of a window into a vector of features.
//
// State that leaves a shard consists of integers that merge by add, min, max
// and or, so any number of shards, any hash mode and any order of parts give
// the same conversations, bit for bit. The one thing that must not be split is
// a connection's 5-tuple (ICMP: the pair), which no hash mode does.
package flowvec

import (
	"math/bits"
	"time"
)

// Config bounds and shapes one table.
type Config struct {
	// Pane is the grain of event time: panes end at its multiples.
	Pane time.Duration
	// MaxPairs and MaxFlows bound the entries of one shard and pane. A
	// conversation takes 192 bytes and its slots of the index, and 320 more for each direction that
	// is busy; of conversations with several flows each takes 43 to 85.
	//
	// Where pairs overflow, a share of all conversations is dropped whole:
	// those whose rank by seeded hash is highest, an eighth of what is left each time.
	// What remains is a fair sample that depends on neither order nor volume.
	// Where flows overflow, a new flow still counts in its pair's totals, but
	// not among its flows, ports and connections.
	MaxPairs, MaxFlows int

	// Seed ranks conversations when pairs overflow. It must be the same for all
	// shards, and better be a secret: who knows it can choose addresses that
	// push all others out.
	Seed uint64
}

// DefaultConfig is one-minute panes of up to a million pairs per shard.
func DefaultConfig() Config {
	return Config{Pane: time.Minute, MaxPairs: 1 << 20, MaxFlows: 1 << 21}
}

// The resolution of a direction's activity within a pane: slots of 100 ms, and
// counters of 10 slots, a second, for panes up to a minute. Longer panes have
// proportionally longer slots.
const (
	slotsPerPane    = 600
	slotsPerCounter = 10
	leastSlot       = 100 * time.Millisecond
	silence         = time.Second // what ends a burst
)

// ranks are the seeds of the hash that decides which conversations stay when a table
// overflows: those that it ranks lowest.
func (c Config) ranks() (s seeds) {
	for i := range s {
		s[i] = mix(c.Seed^0x9fb21c651e98df25, 0xd6e8feb86659fd93+2*uint64(i)) ^ c.Seed
	}
	return s
}

func (c Config) slot() time.Duration {
	return max(leastSlot, (c.Pane+slotsPerPane-1)/slotsPerPane)
}

// tickShift makes nanoseconds ticks: the finest power of two of which a pane
// has no more than 32 bits, 16 ns in a minute.
func (c Config) tickShift() uint { return uint(max(0, bits.Len64(uint64(c.Pane-1))-32)) }
