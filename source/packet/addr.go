package packet

import (
	"cmp"
	"encoding/binary"
	"net/netip"
)

// Addr is an IPv6 address, or an IPv4 address in its v4-mapped form
// (::ffff:a.b.c.d), as Zeek stores them. It is comparable and has no pointers.
type Addr [16]byte

// AddrFrom4 is the v4-mapped form of an IPv4 address in network byte order.
func AddrFrom4(b [4]byte) Addr {
	return Addr{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
}

// Is4 says whether a is a v4-mapped IPv4 address.
func (a *Addr) Is4() bool {
	hi, lo := a.Words()
	return hi == 0 && lo>>32 == 0xffff
}

// Words is a as two big-endian words, so that comparing (hi, lo) compares bytes.
func (a *Addr) Words() (hi, lo uint64) {
	return binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
}

// Decisive are the first words in which a and b differ, or equal ones: they compare as the
// addresses do. Of IPv4 addresses it is always the second, so that a hot path that compares
// them has no branch on which is the lower: every other packet goes the other way.
func (a *Addr) Decisive(b *Addr) (uint64, uint64) {
	ah, al := a.Words()
	bh, bl := b.Words()
	if ah != bh {
		return ah, bh
	}
	return al, bl
}

// Compare orders addresses by their bytes: -1, 0 or 1.
func (a Addr) Compare(b Addr) int { return cmp.Compare(a.Decisive(&b)) }

// Netip is a for printing: IPv4 where a is v4-mapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// String prints a as logs do.
func (a Addr) String() string { return a.Netip().String() }
