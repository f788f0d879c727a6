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

// Append appends "C" and u in base 62 to dst.
func (u UID) Append(dst []byte) []byte {
	var digits [17]byte // 62^17 > 2^96
	high, low := bits.Div64(uint64(binary.BigEndian.Uint32(u[:4])), binary.BigEndian.Uint64(u[4:]), lowPower)
	n := len(digits)
	for ; low != 0 || high != 0 && n > len(digits)-lowDigits; low /= 62 {
		n--
		digits[n] = base62[low%62]
	}
	for ; high != 0; high /= 62 {
		n--
		digits[n] = base62[high%62]
	}
	return append(append(dst, 'C'), digits[n:]...)
}

// String is u as logs print it.
func (u UID) String() string { return string(u.Append(nil)) }
