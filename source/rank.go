package source

import (
	"encoding/binary"
	"math/bits"
)

// rankBytes is how much of a record decides its rank: the headers, with the
// transport checksum, which sums up the rest.
const rankBytes = 96

// rankOf is the rank of a record: a number that the same captured bytes and length on the
// wire always have, whatever file they are in, and others hardly ever. It decides nothing
// but which of several records of one instant comes first. Whoever makes two that share a
// rank has left their order to their files, which is an order, too: so it need not be
// hard to do, and every packet pays for it.
func rankOf(data []byte, wire uint32) uint64 {
	le := binary.LittleEndian
	sum := uint64(len(data))<<32 ^ uint64(wire)
	b := data[:min(len(data), rankBytes)]
	if len(b) < 16 {
		var short [16]byte
		copy(short[:], b)
		b = short[:]
	}
	last := b[len(b)-16:]
	for ; len(b) > 16; b = b[16:] {
		sum = fold(le.Uint64(b)^rankKey0, le.Uint64(b[8:])^rankKey1^sum)
	}
	return fold(le.Uint64(last)^rankKey1, le.Uint64(last[8:])^rankKey0^sum)
}

// The fractions of the square roots of 2 and 3.
const (
	rankKey0 = 0x6a09e667f3bcc908
	rankKey1 = 0xbb67ae8584caa73b
)

// fold is the 128-bit product as one word.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
