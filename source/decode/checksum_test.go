package decode

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pcapdir/source/decode/decodetest"
)

// The fast sum agrees with the plain one at every length, over zeros, ones (the
// words that carry most) and noise.
func TestAddAgreesWithPlainSum(t *testing.T) {
	noise := make([]byte, 300)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for name, b := range map[string][]byte{
		"zeros": make([]byte, 300), "ones": bytes.Repeat([]byte{0xff}, 300), "noise": noise,
	} {
		for n := 2; n <= len(b); n++ {
			// A packet whose first two bytes are its checksum sums to zero; with
			// another bit set it does not.
			p := append([]byte{0, 0}, b[:n]...)
			sum := decodetest.Sum(p)
			p[0], p[1] = byte(sum>>8), byte(sum)
			if !zero(add(0, p)) {
				t.Fatalf("%s, %d bytes: right checksum refused", name, n)
			}
			p[n] ^= 0x10
			if zero(add(0, p)) {
				t.Fatalf("%s, %d bytes: wrong checksum taken", name, n)
			}
		}
	}
}

func TestAddCarriesOverItsStart(t *testing.T) {
	ones := bytes.Repeat([]byte{0xff}, 128)
	for n := range len(ones) + 1 {
		if !zero(add(^uint64(0), ones[:n&^1])) {
			t.Errorf("all ones over %d bytes of ones is not zero", n&^1)
		}
	}
}
