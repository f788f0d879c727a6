package anomaly

import (
	"math/rand/v2"
	"testing"
)

// heaps is rows around so many centres, far apart, in turns.
func heaps(n, centres int, seed uint64) (rows []float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	var at []row
	for range centres {
		var c row
		for j := range c {
			c[j] = float64(r.IntN(13) - 6)
		}
		at = append(at, c)
	}
	for range n {
		c := &at[r.IntN(centres)]
		for j := range c {
			rows = append(rows, c[j]+.2*r.NormFloat64())
		}
	}
	return rows
}

func TestSearchFindsAsManyAsThereAre(t *testing.T) {
	cfg := DefaultConfig()
	cfg.K = Search
	for _, c := range []struct{ n, centres, least, most int }{
		{3000, 2, 4, 4}, {3000, 16, 16, 32}, {3000, 50, 64, 64},
		{100, 50, 4, 20}, // a fifth of the rows at most
		{3, 3, 4, 4}, {0, 1, 4, 4},
	} {
		if k := cfg.choose(heaps(c.n, c.centres, 7)); k < c.least || k > c.most {
			t.Errorf("%d rows around %d centres: k is %d, want %d to %d", c.n, c.centres, k, c.least, c.most)
		}
	}
	cfg.K = 9
	if k := cfg.choose(heaps(3000, 16, 7)); k != 9 {
		t.Errorf("a fixed k became %d", k)
	}
}
