package packet

import (
	"slices"
	"testing"
	"testing/quick"
	"unsafe"
)

// Two cache lines: the hand-off copies packets, so growth here is paid per packet.
func TestPacketIsTwoCacheLines(t *testing.T) {
	if got := unsafe.Sizeof(Packet{}); got > 128 {
		t.Errorf("Packet is %d bytes, more than 128", got)
	}
}

func TestOrderLessAgreesWithCompare(t *testing.T) {
	f := func(a, b Order) bool { return a.Less(b) == (a.Compare(b) < 0) && a.Min(b).Compare(a.Max(b)) <= 0 }
	if err := quick.Check(f, nil); err != nil {
		t.Error(err)
	}
	// quick hardly ever makes ties: these share a prefix.
	keys := []Order{{1, 1, 1, 1}, {1, 1, 1, 2}, {1, 1, 2, 0}, {1, 2, 0, 0}, {2, 0, 0, 0}, MaxOrder}
	for i, a := range keys {
		for j, b := range keys {
			if a.Less(b) != (i < j) || (a.Compare(b) < 0) != (i < j) {
				t.Errorf("%v before %v: wrong", a, b)
			}
		}
	}
}

func TestSecondsAsZeek(t *testing.T) {
	for _, c := range []struct {
		t    Time
		want float64
	}{
		{Unix(1300475167, 96535_000), 1300475167 + 96535/1e6},
		{Unix(1300475167, 96535_999), 1300475167 + 96535/1e6}, // nanoseconds are cut
		{Unix(0, 0), 0},
	} {
		if got := c.t.Seconds(); got != c.want {
			t.Errorf("Seconds(%d) = %v, want %v", c.t, got, c.want)
		}
	}
}

func TestFloor(t *testing.T) {
	for _, c := range [][3]Time{{25, 10, 20}, {20, 10, 20}, {-1, 10, -10}, {0, 10, 0}} {
		if got := c[0].Floor(c[1].Sub(0)); got != c[2] {
			t.Errorf("%d floor %d = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestEveryDropHasItsOwnName(t *testing.T) {
	names := slices.Clone(dropNames[:])
	slices.Sort(names)
	if slices.Contains(names, "") || len(slices.Compact(names)) != int(endOfOdd) {
		t.Errorf("drop names are empty or repeated: %q", dropNames)
	}
}

func TestAddr(t *testing.T) {
	a := AddrFrom4([4]byte{10, 0, 0, 1})
	if !a.Is4() || a.String() != "10.0.0.1" {
		t.Errorf("v4-mapped address is %v, Is4 %v", a, a.Is4())
	}
	six := Addr{0: 0x20, 1: 1, 15: 1}
	if six.Is4() || six.String() != "2001::1" || a.Compare(six) != -1 {
		t.Errorf("IPv6 address is %v, Is4 %v, compare %d", six, six.Is4(), a.Compare(six))
	}
}
