package decode

import (
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

func TestLinkOf(t *testing.T) {
	ip := four.UDP(1, 2, []byte("x"))
	plain := decodetest.Ether(ip)
	want := packet.Link{Src: [6]byte(plain[6:]), Dst: [6]byte(plain)}
	with := func(outer, inner uint16) packet.Link {
		l := want
		l.VLAN, l.Inner = outer, inner
		return l
	}
	cooked := append([]byte{0, 0, 0, 1, 0, 6, 2, 3, 4, 5, 6, 7, 0, 0, 8, 0}, ip...)
	for _, c := range []struct {
		name string
		link uint16
		data []byte
		want packet.Link
	}{
		{"Ethernet", 1, plain, want},
		{"a tag", 1, decodetest.Ether(ip, 7), with(7, 0)},
		{"two tags", 1, decodetest.Ether(ip, 7, 4095), with(7, 4095)},
		{"three tags", 1, decodetest.Ether(ip, 7, 8, 9), with(7, 9)},
		{"a tag of priority alone", 1, decodetest.Ether(ip, 0, 8), with(8, 0)},
		{"cut in the tag", 1, decodetest.Ether(ip, 7)[:17], want},
		{"too short", 1, plain[:16], packet.Link{}},
		{"raw IP", 101, ip, packet.Link{}},
		{"cooked", 113, cooked, packet.Link{Src: [6]byte{2, 3, 4, 5, 6, 7}}},
		{"cooked, of no Ethernet", 113, put(cooked, 5, 0), packet.Link{}},
		{"cooked, with a tag", 113, append(append(append([]byte{}, cooked[:14]...), 0x81, 0, 0, 5, 8, 0), ip...), packet.Link{Src: [6]byte{2, 3, 4, 5, 6, 7}, VLAN: 5}},
		{"cooked, version 2, with a tag", 276, append([]byte{0x81, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 3, 4, 5, 6, 7, 0, 0, 0, 5, 8, 0}, ip...), packet.Link{Src: [6]byte{2, 3, 4, 5, 6, 7}, VLAN: 5}},
		{"a VN-tag and a tag", 1, append(append(append([]byte{}, plain[:12]...), 0x89, 0x26, 1, 2, 3, 4, 0x81, 0, 0, 7, 8, 0), ip...), with(7, 0)},
		{"empty", 1, nil, packet.Link{}},
	} {
		if got := LinkOf(c.link, c.data); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
