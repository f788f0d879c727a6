package pcapfile

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pcapdir/source/packet"
)

// resolved is an interface as readInterface leaves it.
func resolved(resol byte, offset int64) iface {
	f := iface{units: unitsPerSecond(resol), offset: offset}
	f.setScale()
	return f
}

func TestStamp(t *testing.T) {
	for _, c := range []struct {
		resol  byte
		offset int64
		units  uint64
		want   packet.Time
	}{
		{6, 0, 0, 0},
		{6, 0, 1_600_000_000_123456, packet.Unix(1_600_000_000, 123456000)},
		{6, -1_600_000_000, 1_600_000_000_123456, packet.Unix(0, 123456000)},
		{6, -1_600_000_001, 1_600_000_000_123456, packet.Unix(-1, 123456000)},
		{0, 0, 1_600_000_000, packet.Unix(1_600_000_000, 0)},
		{0, 5, 1_600_000_000, packet.Unix(1_600_000_005, 0)},
		{9, 0, 1_600_000_000_123456789, packet.Unix(1_600_000_000, 123456789)},
		{10, 0, 16_000_000_009, packet.Unix(1, 600_000_000)}, // tenths of a nanosecond are cut
		{19, 0, 15_000_000_000_000_000_000, packet.Unix(1, 500_000_000)},
		{0x80, 0, 7, packet.Unix(7, 0)},
		{0x80 | 1, 0, 7, packet.Unix(3, 500_000_000)},
		{0x80 | 20, 0, 1<<20 + 1, packet.Unix(1, 953)},
		{0x80 | 63, 0, 3 << 62, packet.Unix(1, 500_000_000)},
		{6, 0, math.MaxUint64, maxStamp},
		{9, 0, math.MaxUint64, maxStamp},
		{9, 0, maxStamp, maxStamp},
		{9, 0, maxStamp + 1, maxStamp},
		{0, 0, math.MaxUint64, maxStamp},
		{0, math.MaxInt64, math.MaxUint64, maxStamp},
		{0, math.MinInt64, 0, -maxStamp},
		{0, math.MinInt64, math.MaxUint64, maxStamp},
		{0, math.MinInt64, 1 << 63, 0},
		{9, math.MaxInt64, 0, maxStamp},
	} {
		f := resolved(c.resol, c.offset)
		if got := f.stamp(c.units); got != c.want {
			t.Errorf("resolution %#x, offset %d: stamp(%d) = %d, want %d", c.resol, c.offset, c.units, got, c.want)
		}
	}
}

// Against exact arithmetic: any units, any resolution, any offset.
func TestStampIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	inside := 0
	for range 200_000 {
		resol := byte(rng.IntN(20))
		if rng.IntN(2) == 0 {
			resol = 0x80 | byte(rng.IntN(64))
		}
		offset := rng.Int64() >> rng.IntN(64)
		if rng.IntN(2) == 0 {
			offset = -offset
		}
		f, units := resolved(resol, offset), rng.Uint64()>>rng.IntN(64)
		want := exactStamp(units, f.units, offset)
		got := f.stamp(units)
		if !want.IsInt64() || want.Int64() > maxStamp-2e9 || want.Int64() < -maxStamp+2e9 {
			if abs := int64(got) * int64(want.Sign()); abs < maxStamp-4e9 {
				t.Fatalf("resolution %#x, offset %d: stamp(%d) = %d, want about %v", resol, offset, units, got, want)
			}
			continue
		}
		if inside++; int64(got) != want.Int64() {
			t.Fatalf("resolution %#x, offset %d: stamp(%d) = %d, want %v", resol, offset, units, got, want)
		}
	}
	if inside < 10_000 {
		t.Errorf("only %d stamps were in range: the test is blunt", inside)
	}
}

// exactStamp is floor(t*1e9/units) + offset*1e9.
func exactStamp(t, units uint64, offset int64) *big.Int {
	ns := new(big.Int).SetUint64(t)
	ns.Mul(ns, big.NewInt(1e9))
	ns.Div(ns, new(big.Int).SetUint64(units))
	return ns.Add(ns, new(big.Int).Mul(big.NewInt(offset), big.NewInt(1e9)))
}

func TestUnitsPerSecond(t *testing.T) {
	for resol := range 256 {
		got := unitsPerSecond(byte(resol))
		want := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(resol)), nil)
		if resol >= 0x80 {
			want = new(big.Int).Exp(big.NewInt(2), big.NewInt(int64(resol-0x80)), nil)
		}
		if !want.IsUint64() {
			want.SetUint64(0)
		}
		if got != want.Uint64() {
			t.Errorf("resolution %#x: %d units, want %v", resol, got, want)
		}
	}
}
