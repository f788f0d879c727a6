package traffic

// mix64 spreads the bits of x: the finalizer of splitmix64, integers alone, so that
// every machine makes the same bytes.
func mix64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

const golden uint64 = 0x9e3779b97f4a7c15

// random is the generator splitmix64.
type random uint64

func (r *random) next() uint64 {
	*r += random(golden)
	return mix64(uint64(*r))
}
