package traffic

// block is the text that all payloads are cut out of: letters that compress to
// about three quarters, as real traffic does, and the sums of its 16-bit words, so
// that a checksum costs two look-ups however long the payload.
type block struct {
	text []byte
	sums []uint64 // sums[i]: of the words before i
}

const blockBytes = 1 << 16

func newBlock(seed uint64) *block {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 /"
	b := &block{text: make([]byte, blockBytes), sums: make([]uint64, blockBytes/2+1)}
	r := random(seed)
	for i := range b.text {
		b.text[i] = letters[r.next()%64]
	}
	for i := range blockBytes / 2 {
		b.sums[i+1] = b.sums[i] + uint64(be.Uint16(b.text[2*i:]))
	}
	return b
}

// payload writes the payload of s to dst and returns the sum of its words.
func (g *Generator) payload(dst []byte, s *segment, hash uint64) uint64 {
	at := int((hash + uint64(s.seq) + g.made) % (blockBytes/2 - maxFrame))
	text := g.block.text[2*at : 2*at+s.payload]
	copy(dst, text)
	words := s.payload / 2
	sum := g.block.sums[at+words] - g.block.sums[at]
	if s.payload%2 == 1 {
		sum += uint64(text[s.payload-1]) << 8
	}
	return sum
}

// sum16 adds up the 16-bit words of b, whose length is a multiple of 4. Adding
// 32-bit words gives the same in the end (RFC 1071).
func sum16(b []byte) uint64 {
	var sum uint64
	for ; len(b) >= 4; b = b[4:] {
		sum += uint64(be.Uint32(b))
	}
	return sum>>32 + sum&0xffffffff
}

// checksum folds a sum of words to the checksum that makes it zero.
func checksum(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
