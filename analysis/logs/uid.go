package logs

import (
	"encoding/binary"
	"math/bits"
)

// UID identifies a connection in every log: 96 bits, printed as Zeek does.
// The zero UID is no connection.
type UID [12]byte

const (
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	lowDigits = 10
	lowPower  = 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 // 62^lowDigits, below 2^60
)

// base62Pairs are two digits each.
var base62Pairs = func() (t [2 * 62 * 62]byte) {
	for i := range 62 * 62 {
		t[2*i], t[2*i+1] = base62[i/62], base62[i%62]
	}
	return t
}()

// Append appends "C" and u in base 62, without leading zeros, to dst.
func (u UID) Append(dst []byte) []byte {
	const pair = 62 * 62
	var digits [18]byte // 62^17 > 2^96
	high, low := bits.Div64(uint64(binary.BigEndian.Uint32(u[:4])), binary.BigEndian.Uint64(u[4:]), lowPower)
	n := len(digits)
	for ; low != 0 || high != 0 && n > len(digits)-lowDigits; low /= pair {
		n -= 2
		digits[n], digits[n+1] = base62Pairs[2*(low%pair)], base62Pairs[2*(low%pair)+1]
	}
	for ; high != 0; high /= pair {
		n -= 2
		digits[n], digits[n+1] = base62Pairs[2*(high%pair)], base62Pairs[2*(high%pair)+1]
	}
	if n < len(digits) && digits[n] == base62[0] {
		n++
	}
	return append(append(dst, 'C'), digits[n:]...)
}

// String is u as logs print it.
func (u UID) String() string { return string(u.Append(nil)) }
