package links

import (
	"sync"
	"testing"

	"pcapdir/source/packet"
)

func at(n int) packet.Link {
	return packet.Link{Src: [6]byte{byte(n), byte(n >> 8), 1}, VLAN: uint16(n)}
}

func TestNumbers(t *testing.T) {
	table := New(true, 3)
	cache := NewCache(table)
	for i, n := range []int{1, 2, 1, 3, 2, 1, 4, 4, 1} {
		want := uint32(n)
		if n > 3 {
			want = 0
		}
		if got := cache.ID(at(n)); got != want {
			t.Errorf("step %d: %d, want %d", i, got, want)
		}
		if want > 0 && table.Link(want) != at(n) {
			t.Errorf("step %d: another link", i)
		}
	}
	if table.Lost() != 2 {
		t.Errorf("lost %d, want 2", table.Lost())
	}
	if table.ID(packet.Link{}) != 0 || cache.ID(packet.Link{}) != 0 {
		t.Error("no link has a number")
	}
}

// Readers come at the same links at the same time; each has one number.
func TestConcurrent(t *testing.T) {
	table := New(true, Max)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			cache := NewCache(table)
			for n := range 1000 {
				if id := cache.ID(at(n + 1)); table.Link(id) != at(n+1) {
					t.Errorf("%d is another link", id)
				}
			}
		})
	}
	readers.Wait()
	if got := len(table.links); got != 1001 {
		t.Errorf("%d links, want 1001", got)
	}
}

// VLANs need no table: none is ever lost.
func TestVLANs(t *testing.T) {
	table := New(false, 0)
	cache := NewCache(table)
	for _, l := range []packet.Link{{}, {VLAN: 1}, {VLAN: 4095, Inner: 4095}, {Inner: 7}} {
		seen := l
		seen.Src, seen.Dst = [6]byte{1}, [6]byte{2}
		if got := table.Link(cache.ID(seen)); got != l {
			t.Errorf("%+v became %+v", l, got)
		}
	}
	if table.Lost() != 0 {
		t.Error("lost some")
	}
}
