package flowvec

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// plainBursts is bursts by their definition, from all slots at once.
func plainBursts(slots []int64, quiet int64) (b bursts) {
	slices.Sort(slots)
	var starts []int64
	for i, s := range slots {
		if i == 0 || s-slots[i-1] >= quiet {
			starts = append(starts, s)
		}
	}
	if len(starts) == 0 {
		return b
	}
	b = bursts{n: uint64(len(starts)), first: starts[0], last: starts[len(starts)-1], end: slots[len(slots)-1]}
	for i := 1; i < len(starts); i++ {
		b.addGap(starts[i] - starts[i-1])
	}
	return b
}

// Bursts of panes joined in time order are the bursts of the whole, wherever
// the borders fall.
func TestBurstsJoinAcrossPanes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	for round := range 2000 {
		var slots []int64
		joined := bursts{}
		for pane := range int64(5) {
			var a activity
			any := false
			for range r.IntN(1 + round%12) {
				s := r.IntN(slotsPerPane)
				a.add(uint(s))
				slots = append(slots, pane*slotsPerPane+int64(s))
				any = true
			}
			if any {
				b := burstsOf(&a, pane*slotsPerPane, 11)
				joined.join(&b, 11)
			}
		}
		want := plainBursts(slots, 11)
		joined.second = 0 // only joining needs it
		if joined != want {
			t.Fatalf("slots %v: joined %+v, whole %+v", slots, joined, want)
		}
	}
}

func TestActivityCountsStop(t *testing.T) {
	var a, b activity
	a[3] = (mostCounts-1)<<slotsPerCounter | 1
	b[3] = 5<<slotsPerCounter | 2
	c := a
	a.merge(&b)
	b.merge(&c)
	if a != b || a.peak() != mostCounts || a[3]&slotBits != 3 {
		t.Errorf("merged %x and %x", a[3], b[3])
	}
	a.add(39)
	if a.peak() != mostCounts || a[3]&slotBits != 3|1<<9 {
		t.Errorf("one more packet makes %x", a[3])
	}
}

func TestPortSetMergesInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 500 {
		n := 1 + r.IntN(9)
		var whole portSet
		parts := make([]portSet, 3)
		distinct := map[Service]bool{}
		for range 3 * n {
			v, b := serviceOf(6, uint16(r.IntN(n))), r.Uint64N(1000)
			whole.add(v, b)
			parts[r.IntN(3)].add(v, b)
			distinct[v] = true
		}
		r.Shuffle(3, func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var merged portSet
		for i := range parts {
			merged.merge(&parts[i])
		}
		if merged != whole {
			t.Fatalf("merged %+v, whole %+v", merged, whole)
		}
		if got := whole.len(); len(distinct) <= exactPorts && got != float64(len(distinct)) ||
			len(distinct) > exactPorts && (got < float64(manyPorts) || got > 12) {
			t.Fatalf("%d services count as %v", len(distinct), got)
		}
	}
	var many portSet
	for port := range 400 {
		many.add(serviceOf(17, uint16(port)), 1)
	}
	if got := many.len(); got < 300 || got > 500 {
		t.Errorf("400 services are estimated as %v", got)
	}
}

func TestTopService(t *testing.T) {
	from := serviceOf(packet.TCP, 21)
	var s portSet
	if got := s.top(from); got != serviceOf(6, 21) {
		t.Errorf("nothing heard: %v", got)
	}
	s.add(serviceOf(6, 443), 10)
	s.add(serviceOf(6, 80), 10)
	if got := s.top(from); got.Port() != 80 || got.Proto() != 6 {
		t.Errorf("of equals not the lowest: %v", got)
	}
	s.add(serviceOf(6, 443), 1)
	if got := s.top(from); got.Port() != 443 {
		t.Errorf("not the one with most bytes: %v", got)
	}
	for port := range uint16(4) {
		s.add(serviceOf(6, port), 1000)
	}
	if got := s.top(from); got.Port() != 21 {
		t.Errorf("of many not what it began with: %v", got)
	}
	if serviceOf(packet.ICMP, 8).Port() != 0 {
		t.Error("an ICMP code is taken for a port")
	}
}

// The list is the five least of all (tick, uid), each uid at its earliest.
func TestUIDListKeepsTheLeast(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		least := map[logs.UID]uint32{}
		var l uidList
		for range r.IntN(20) {
			u, since := logs.UID{11: byte(1 + r.IntN(9))}, r.Uint32N(6)
			l.add(since, u)
			if old, ok := least[u]; !ok || since < old {
				least[u] = since
			}
		}
		var want []logs.UID
		for u := range least {
			want = append(want, u)
		}
		slices.SortFunc(want, func(a, b logs.UID) int {
			if least[a] != least[b] {
				return int(least[a]) - int(least[b])
			}
			return int(a[11]) - int(b[11])
		})
		want = want[:min(maxUIDs, len(want))]
		if !slices.Equal(l.uids[:l.n], want) {
			t.Fatalf("list %v, want %v of %v", l.uids[:l.n], want, least)
		}
	}
}

func TestFlagCounts(t *testing.T) {
	for flags, want := range map[packet.TCPFlags][3]uint8{
		packet.SYN:                           {1, 0, 0},
		packet.SYN | packet.ECE | packet.CWR: {1, 0, 0},
		packet.SYN | packet.ACK:              {0, 0, 0},
		packet.RST | packet.ACK:              {0, 1, 0},
		0:                                    {0, 0, 1},
		packet.ECE:                           {0, 0, 1},
		packet.FIN:                           {0, 0, 1},
		packet.FIN | packet.ACK:              {0, 0, 0},
		packet.FIN | packet.PSH | packet.URG: {0, 0, 1},
		packet.FIN | packet.SYN:              {1, 0, 1},
		packet.PSH | packet.ACK:              {0, 0, 0},
		packet.FIN | packet.PSH | packet.URG | packet.ACK: {0, 0, 1},
		packet.FIN | packet.PSH | packet.ACK | packet.SYN: {0, 0, 1},
	} {
		s, r, w := flagCounts(flags)
		if got := [3]uint8{s, r, w}; got != want {
			t.Errorf("flags %08b: SYN, RST, weird %v, want %v", flags, got, want)
		}
	}
}
