package flowvec

import "math/bits"

// Squares of flow sizes can pass 64 bits: {high, low}.

func square(v uint64) [2]uint64 {
	hi, lo := bits.Mul64(v, v)
	return [2]uint64{hi, lo}
}

func add128(a, b [2]uint64) [2]uint64 {
	lo, carry := bits.Add64(a[1], b[1], 0)
	hi, _ := bits.Add64(a[0], b[0], carry)
	return [2]uint64{hi, lo}
}

func float128(v [2]uint64) float64 { return float64(v[0])*0x1p64 + float64(v[1]) }
