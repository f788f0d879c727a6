package sharder

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// runMarked plays two groups of files with a flush between them, the second
// admitted before any shard can have seen the mark, and returns all ends.
func runMarked(t *testing.T, groups [][][]packet.Packet, shards int, epoch time.Duration, seed uint64) (ends []closing, up packet.Time) {
	ends = play(t, groups, func(f *merge.Frontier) {
		ok := false
		for up, ok = f.Mark(true); !ok; up, ok = f.Mark(true) {
			time.Sleep(time.Microsecond)
		}
	}, shards, epoch, clock{ownKey: true, sweep: true}, seed)
	return ends, up
}

// A flush is one point of event time for all shards: whatever their number and
// speed, and however soon the next file comes, the same ends there, nothing that
// came later with it, and the same begins anew.
func TestFlushIsOnePointForAllShards(t *testing.T) {
	for seed := range count(t) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		groups := [][][]packet.Packet{randomFiles(rnd), randomFiles(rnd)}
		want, up := runMarked(t, groups, 1, 10*time.Nanosecond, seed)
		flushed := 0
		for _, e := range want {
			if e.at == up-1 {
				flushed++
			}
		}
		if flushed == 0 {
			t.Fatalf("seed %d: nothing ends at the flush, %d: %v", seed, up-1, want)
		}
		for _, c := range []struct {
			shards int
			epoch  time.Duration
		}{{2, 10}, {3, 1}, {7, 1000}} {
			if got, at := runMarked(t, groups, c.shards, c.epoch, seed); at != up || !slices.Equal(got, want) {
				t.Fatalf("seed %d, %d shards, epochs of %d: flushed at %d, want %d; ends are\n%v, want\n%v", seed, c.shards, c.epoch, at, up, got, want)
			}
		}
	}
}
