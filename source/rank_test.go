package source

import (
	"math/rand/v2"
	"testing"
)

// Every bit of the first bytes counts, and both lengths; what is behind does not.
func TestRankOfEveryBit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 130 {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		was := rankOf(data, 200)
		if rankOf(data, 201) == was {
			t.Errorf("%d bytes: the length on the wire does not count", n)
		}
		if rankOf(append(data, 0), 200) == was {
			t.Errorf("%d bytes: the captured length does not count", n)
		}
		for bit := range 8 * n {
			data[bit/8] ^= 1 << (bit % 8)
			if counts := rankOf(data, 200) != was; counts != (bit/8 < rankBytes) {
				t.Errorf("%d bytes: bit %d of byte %d counts: %v", n, bit%8, bit/8, counts)
			}
			data[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// Records that look alike have ranks that do not.
func TestRanksAreSpread(t *testing.T) {
	const records = 1 << 20
	seen := make(map[uint64]struct{}, records)
	var data [60]byte
	for i := range records {
		data[26], data[30], data[38], data[54] = byte(i), byte(i>>8), byte(i>>16), byte(i>>4)
		seen[rankOf(data[:], 60)] = struct{}{}
	}
	if len(seen) < records {
		t.Errorf("%d of %d ranks are different", len(seen), records)
	}
}

func BenchmarkRank(b *testing.B) {
	data := make([]byte, 67)
	for b.Loop() {
		data[3]++
		rankOf(data, 67)
	}
}
