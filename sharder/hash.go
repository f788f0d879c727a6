package sharder

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"pcapdir/source/packet"
)

// Mode says what decides a packet's shard. No log depends on it.
type Mode uint8

// The modes. Protocols without ports, and ICMP, go by the pair in every mode,
// so that all they have to say about each other meets on one shard.
const (
	Pair      Mode = iota // both addresses
	FourTuple             // addresses and ports
	FiveTuple             // addresses, ports and protocol
)

// ParseMode reads a mode as the configuration writes it.
func ParseMode(s string) (Mode, error) {
	switch s {
	case "2-tuple":
		return Pair, nil
	case "4-tuple":
		return FourTuple, nil
	case "5-tuple":
		return FiveTuple, nil
	default:
		return 0, fmt.Errorf("unknown hash %q: use 2-tuple, 4-tuple or 5-tuple", s)
	}
}

// Hasher deals packets to shards. Both directions of a connection get the same
// hash and the same shard.
type Hasher struct {
	Mode   Mode
	Shards int
	// Seed keeps an attacker from aiming traffic at one shard or at one chain
	// of a table. It is secret, and kept, so that a restart deals alike.
	Seed uint64
}

// Odd constants of wyhash's family: any with well-mixed bits would do.
const (
	mixPorts = 0xa0761d6478bd642f
	mixProto = 0xe7037ed1a0b428db
)

// Route fills p.Hash and returns the shard, 0 <= shard < Shards. Packets whose
// headers do not hold (p.Drop) are dealt by the hash of their content, which
// their reader left in p.Hash.
func (h *Hasher) Route(p *packet.Packet) int {
	if p.Drop != packet.DropNone {
		return h.deal(mix(p.Hash^h.Seed, mixPorts))
	}
	pair := h.pair(p)
	four := pair
	if p.Proto == packet.TCP || p.Proto == packet.UDP {
		four = mix(pair^symmetricPorts(p), mixPorts)
	}
	p.Hash = mix(four^uint64(p.Proto), mixProto)
	switch {
	case h.Mode == Pair || four == pair:
		return h.deal(pair)
	case h.Mode == FourTuple:
		return h.deal(four)
	default:
		return h.deal(p.Hash)
	}
}

// pair is the keyed hash of the two addresses, the lower first: 24 bytes for
// IPv4, since the xxhash of 40 costs three times as much.
func (h *Hasher) pair(p *packet.Packet) uint64 {
	ahi, alo := p.Src.Words()
	bhi, blo := p.Dst.Words()
	if p.Flags&packet.IPv6 == 0 {
		return sum24(h.Seed, min(alo, blo), max(alo, blo)) // no branch, see Decisive
	}
	if bhi < ahi || bhi == ahi && blo < alo {
		ahi, alo, bhi, blo = bhi, blo, ahi, alo
	}
	var b [40]byte
	binary.LittleEndian.PutUint64(b[:], h.Seed)
	binary.LittleEndian.PutUint64(b[8:], ahi)
	binary.LittleEndian.PutUint64(b[16:], alo)
	binary.LittleEndian.PutUint64(b[24:], bhi)
	binary.LittleEndian.PutUint64(b[32:], blo)
	return xxhash.Sum64(b[:])
}

// The primes of XXH64.
const (
	prime1 = 0x9e3779b185ebca87
	prime2 = 0xc2b2ae3d27d4eb4f
	prime3 = 0x165667b19e3779f9
	prime4 = 0x85ebca77c2b2ae63
	prime5 = 0x27d4eb2f165667c5
)

// sum24 is xxhash.Sum64 of three little-endian words that are in registers. Written to
// memory a byte or a field at a time, and read back as words, they cost three times as
// much as the hash.
func sum24(a, b, c uint64) uint64 {
	sum := uint64(prime5 + 24)
	for _, w := range [3]uint64{a, b, c} {
		sum ^= bits.RotateLeft64(w*prime2, 31) * prime1
		sum = bits.RotateLeft64(sum, 27)*prime1 + prime4
	}
	sum = (sum ^ sum>>33) * prime2
	sum = (sum ^ sum>>29) * prime3
	return sum ^ sum>>32
}

// symmetricPorts is the ports in the order of their addresses, so that both
// directions agree; between equal addresses, the lower first.
func symmetricPorts(p *packet.Packet) uint64 {
	src, dst := p.Src.Decisive(&p.Dst)
	ports, turned := uint64(p.SrcPort)<<16|uint64(p.DstPort), uint64(p.DstPort)<<16|uint64(p.SrcPort)
	if src == dst {
		return min(ports, turned)
	}
	if src > dst { // a move, no jump
		ports = turned
	}
	return ports
}

// mix folds the 128-bit product: every bit of a reaches every bit of the result.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// deal takes the high bits, which tables, that index by the low ones, leave alone.
func (h *Hasher) deal(hash uint64) int {
	hi, _ := bits.Mul64(hash, uint64(h.Shards))
	return int(hi)
}
