package anomaly

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"pcapdir/analysis/flowvec"
)

const (
	d         = flowvec.NumFeatures
	clip      = 6.0   // a deviation counts at most so much
	normal95  = 1.645 // deviations from median to 95 % quantile of a normal distribution
	leastHome = 5     // vectors that make a service's own scale
	blend     = 20.0  // vectors at which it counts half
	evidence  = 4.0   // packets that scarce evidence is topped up with
)

var features = flowvec.Features()

// row is one vector in deviations from normal.
type row [d]float64

// spread is where a column lies: its median, and how far its 95 % and 5 %
// quantiles are from it, as deviations. Medians of deviations would
// underestimate the heavy tails of sizes.
type spread struct {
	mid, up, down float64
	per           [2]float64 // 1/up, 1/down
}

func spreadFrom(mid, up, down float64) spread {
	return spread{mid, up, down, [2]float64{1 / up, 1 / down}}
}

// deviation looks its side up by the sign: no processor could guess a branch.
func (s *spread) deviation(x float64) float64 {
	x -= s.mid
	return x * s.per[math.Float64bits(x)>>63]
}

func (s *spread) value(z float64) float64 {
	if z > 0 {
		return s.mid + z*s.up
	}
	return s.mid + z*s.down
}

// home is the scale of one service's vectors.
type home [d]spread

// scale turns vectors into deviations, by what the baseline holds.
type scale struct {
	all    home // of the plain vectors, all services
	homes  map[flowvec.Service]*home
	second home // of what the first stage leaves
}

func newScale(samples []*sample) *scale {
	s := &scale{homes: map[flowvec.Service]*home{}}
	column := make([]float64, 0, len(samples))
	for j := range d {
		column = column[:0]
		for i := range samples {
			column = append(column, samples[i].vector[j])
		}
		s.all[j] = spreadOf(column, features[j].Floor)
	}
	s.findHomes(samples, column)
	stage := make([]float64, len(samples)*d)
	for i, p := range samples {
		s.relate(&p.vector, p.packets, s.homeOf(p.service), (*row)(stage[i*d:]))
	}
	for j := range d {
		column = column[:0]
		for i := range samples {
			column = append(column, stage[i*d+j])
		}
		floor := features[j].Floor
		if features[j].Rel {
			floor = 1 // it is in deviations already
		}
		s.second[j] = spreadOf(column, floor)
	}
	return s
}

// findHomes gives each service with enough vectors its own scale, blended with
// that of all, which weighs as much as 20 vectors.
func (s *scale) findHomes(samples []*sample, column []float64) {
	order := make([]int32, len(samples))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(samples[a].service, samples[b].service), cmp.Compare(a, b))
	})
	for lo := 0; lo < len(order); {
		service, hi := samples[order[lo]].service, lo
		for hi < len(order) && samples[order[hi]].service == service {
			hi++
		}
		if hi-lo >= leastHome {
			s.homes[service] = s.blended(samples, order[lo:hi], column)
		}
		lo = hi
	}
}

func (s *scale) blended(samples []*sample, members []int32, column []float64) *home {
	h := s.all
	w := float64(len(members)) / (float64(len(members)) + blend)
	for j := range d {
		if !features[j].Rel && features[j].Shrink != flowvec.ShrinkHome {
			continue
		}
		column = column[:0]
		for _, i := range members {
			column = append(column, samples[i].vector[j])
		}
		own := spreadOf(column, features[j].Floor)
		h[j] = spreadFrom(mix(w, own.mid, h[j].mid), mix(w, own.up, h[j].up), mix(w, own.down, h[j].down))
	}
	return &h
}

func mix(w, a, b float64) float64 { return w*a + (1-w)*b }

func (s *scale) homeOf(service flowvec.Service) *home {
	if h := s.homes[service]; h != nil {
		return h
	}
	return &s.all
}

// relate is the first stage: scarce evidence is topped up with what is usual,
// and what is relative to the service is made so.
func (s *scale) relate(v *flowvec.Vector, packets float64, h *home, out *row) {
	own := packets / (packets + evidence)
	for j := range d {
		f, x := &features[j], v[j]
		switch f.Shrink {
		case flowvec.ShrinkHome:
			x = mix(own, x, h[j].mid)
		case flowvec.ShrinkZero:
			x *= own
		}
		if f.Rel {
			x = h[j].deviation(x)
		}
		out[j] = x
	}
}

// apply turns a vector into deviations, clipped.
func (s *scale) apply(v *flowvec.Vector, packets float64, h *home, out *row) {
	s.relate(v, packets, h, out)
	for j := range d {
		out[j] = max(-clip, min(clip, s.second[j].deviation(out[j])))
	}
}

// unclipped turns a vector into deviations, however large.
func (s *scale) unclipped(v *flowvec.Vector, packets float64, h *home, out *row) {
	s.relate(v, packets, h, out)
	for j := range d {
		out[j] = s.second[j].deviation(out[j])
	}
}

// natural is deviation z of column j, for that service, in natural units.
func (s *scale) natural(j int, z float64, service flowvec.Service) float64 {
	x := s.second[j].value(z)
	if features[j].Rel {
		x = s.homeOf(service)[j].value(x)
	}
	return features[j].Natural(x)
}

// spreadOf reads column's quantiles; it is left in another order. No deviation
// is below floor, so a column that is constant does not divide by zero.
func spreadOf(column []float64, floor float64) spread {
	if len(column) == 0 {
		return spreadFrom(0, floor, floor)
	}
	last := float64(len(column) - 1)
	half, above := int(.5*last), int(.95*last)
	mid := valueAt(column, 0, len(column), .5*last) // is at half now, or between that and the least above
	low := valueAt(column, 0, max(1, half), .05*last)
	high := valueAt(column, min(half+1, above), len(column), .95*last)
	return spreadFrom(mid, math.Max((high-mid)/normal95, floor), math.Max((mid-low)/normal95, floor))
}

// quantile reads the number at q of the way from the least to the largest,
// between two of them in proportion. It leaves them in another order.
func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	return valueAt(xs, 0, len(xs), q*float64(len(xs)-1))
}

// valueAt is what sorting would put at place at, which lies in xs[lo:hi]: between two
// places, in proportion. None before lo is larger than those from there on, none from hi
// on smaller than those before it. What is in xs[lo:hi] is left so for the place.
func valueAt(xs []float64, lo, hi int, at float64) float64 {
	i := int(at)
	nth(xs[lo:hi], i-lo)
	above := xs[i+1 : hi]
	if len(above) == 0 {
		above = xs[hi:]
	}
	if len(above) == 0 {
		return xs[i]
	}
	return mix(at-float64(i), slices.Min(above), xs[i])
}

// nth puts the number that sorting would put at n there, none that is larger
// before it and none that is smaller behind it (Hoare's FIND). Where halving
// goes badly it sorts.
func nth(xs []float64, n int) {
	lo, hi := 0, len(xs)
	for rounds := 2 * bits.Len(uint(len(xs))); hi-lo > 16 && rounds > 0; rounds-- {
		pivot := middle(xs[lo], xs[lo+(hi-lo)/2], xs[hi-1])
		i, j := lo, hi-1
		for i <= j {
			for xs[i] < pivot {
				i++
			}
			for xs[j] > pivot {
				j--
			}
			if i <= j {
				xs[i], xs[j] = xs[j], xs[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			hi = j + 1
		case n >= i:
			lo = i
		default:
			return
		}
	}
	slices.Sort(xs[lo:hi])
}

func middle(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }
