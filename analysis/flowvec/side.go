package flowvec

import "math"

// What is derived from one direction's accumulators. A direction without
// packets gives zeros, never NaN.

func (s *side) share(of uint32) float64 {
	if s.n == 0 {
		return 0
	}
	return float64(of) / float64(s.n)
}

func (s *side) meanPay() float64 {
	if s.npay == 0 {
		return 0
	}
	return float64(s.pay) / float64(s.npay)
}

func (s *side) payVariation() float64 {
	return variation(float64(s.npay), float64(s.pay), float64(s.pay2))
}

func (s *side) meanTTL() float64 {
	if s.n == 0 {
		return 0
	}
	return float64(s.ttlSum) / float64(s.n)
}

// span is the seconds from the first to the last packet.
func (s *side) span() float64 { return float64(s.last-s.first) / 1e9 }

// meanGap is the mean seconds between packets, 0 with less than two.
func (s *side) meanGap() float64 {
	if s.n < 2 {
		return 0
	}
	return s.span() / float64(s.n-1)
}

// sameSize is high for many flows of the same size: brute force, beacons, floods.
func (s *side) sameSize() float64 {
	if s.flows < 4 {
		return 0
	}
	n := float64(s.flows)
	return max(0, 1-variation(n, float64(s.bytes), s.squares)) * math.Log1p(n)
}

// regularity is high for bursts at equal distances: beacons and pollers.
func (b *bursts) regularity() float64 {
	if b.n < 4 {
		return 0
	}
	gaps := float64(b.n - 1)
	return max(0, 1-variation(gaps, float64(b.gaps), float64(b.gaps2))) * math.Log1p(gaps)
}

// failed says that a conversation looks like an attempt that came to nothing:
// no answer to a few packets, or nothing said but resets, or to an initiator that
// sent only SYN and RST, as scanners and spoofed sources do.
func failed(f, r *side) bool {
	if r.n == 0 {
		return f.n <= 8
	}
	return r.pay == 0 && (uint64(r.rst)*2 >= r.n || uint64(f.syn)+uint64(f.rst) == f.n)
}
