package flowvec

import (
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"pcapdir/source/packet"
)

// The heaviest are those that sorting all of them finds, in any split, also where many
// have as much.
func TestHeaviest(t *testing.T) {
	for seed := range uint64(20) {
		packets := traffic(3000, seed)
		if seed == 3 || seed == 5 {
			packets = crowd(1, seed)
		}
		if seed%3 == 0 { // nearly all are equal
			for i := range packets {
				packets[i].IPLen, packets[i].PayLen = 40, 0
			}
		}
		for i := range packets {
			packets[i].Eff = packets[i].Eff.Floor(time.Second) % minute
		}
		var want []Heavy
		for shards := range 3 {
			w := NewWindows(time.Minute, 3*time.Minute)
			w.Push(minute, closed(packets, shards+1, func(_ int, p *packet.Packet) int { return int(p.Hash % uint64(shards+1)) }), true)
			all := read(w, time.Minute)
			for _, n := range []int{0, 1, 7, 40, len(all) + 1} {
				got := w.Heaviest(n)
				if len(got) != min(n, len(all)) {
					t.Fatalf("seed %d: %d of %d asked for", seed, len(got), n)
				}
				checkHeaviest(t, all, got)
				if n == 40 && shards == 0 {
					want = got
				} else if n == 40 && !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d: %d shards have others", seed, shards+1)
				}
			}
		}
	}
	if got := NewWindows(time.Minute, time.Minute).Heaviest(3); got != nil {
		t.Errorf("of no pane: %v", got)
	}
}

func checkHeaviest(t *testing.T, all []Conversation, got []Heavy) {
	t.Helper()
	size := func(s, r Totals) uint64 { return s.Bytes + r.Bytes }
	slices.SortFunc(all, func(a, b Conversation) int { return cmp.Compare(size(b.Totals()), size(a.Totals())) })
	seen := map[[2]packet.Addr]bool{}
	for i, h := range got {
		if size(h.Sent, h.Received) != size(all[i].Totals()) {
			t.Fatalf("place %d: %d bytes, want %d", i, size(h.Sent, h.Received), size(all[i].Totals()))
		}
		if ends := [2]packet.Addr{h.Source, h.Target}; seen[ends] {
			t.Fatalf("%v twice", ends)
		} else {
			seen[ends] = true
		}
		at := slices.IndexFunc(all, func(c Conversation) bool {
			s, d := c.Ends()
			return s == h.Source && d == h.Target
		})
		if at < 0 {
			t.Fatalf("no conversation of %v and %v", h.Source, h.Target)
		}
		if s, r := all[at].Totals(); s != h.Sent || r != h.Received || all[at].Service() != h.Service {
			t.Fatalf("%+v, and the conversation %v %v %v", h, s, r, all[at].Service())
		}
	}
}
