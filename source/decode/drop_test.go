package decode

import (
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// drops has at least one record for every reason.
var drops = []struct {
	name     string
	want     packet.Drop
	linkType uint16
	data     []byte
	wire     int // 0: the length of data; -1: zero
}{
	{"nothing captured", packet.DropEmpty, 1, nil, 60},
	{"nothing on the wire", packet.DropEmpty, 1, decodetest.Ether(four.TCP(seg, nil)), -1},

	{"frame of 16 bytes", packet.DropLinkTruncated, 1, make([]byte, 16), 60},
	{"802.3 length beyond the capture", packet.DropLinkTruncated, 1, decodetest.EtherType(40, []byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}), 0},
	{"vlan tag cut", packet.DropLinkTruncated, 1, decodetest.EtherType(0x8100, []byte{0, 5, 8, 0}), 0},
	{"inner vlan tag cut", packet.DropLinkTruncated, 1, decodetest.EtherType(0x8100, []byte{0, 5, 8, 0}, 5), 0},
	{"vlan without LLC", packet.DropLinkTruncated, 1, decodetest.EtherType(1, []byte{0xaa}, 5), 0},
	{"snap cut", packet.DropLinkTruncated, 1, decodetest.EtherType(7, []byte{0xaa, 0xaa, 3, 0, 0, 0, 8}), 0},
	{"snap with long control cut", packet.DropLinkTruncated, 1, decodetest.EtherType(8, []byte{0xaa, 0xaa, 0, 0, 0, 0, 0, 8}), 0},
	{"null cut", packet.DropLinkTruncated, 0, []byte{2, 0, 0, 0}, 60},
	{"loop cut", packet.DropLinkTruncated, 108, []byte{0, 0, 0, 2}, 60},
	{"sll cut", packet.DropLinkTruncated, 113, make([]byte, 16), 60},
	{"sll2 cut", packet.DropLinkTruncated, 276, make([]byte, 20), 60},
	{"ppp cut", packet.DropLinkTruncated, 9, []byte{0, 0x21}, 60},
	{"ppp in hdlc cut", packet.DropLinkTruncated, 9, []byte{0xff, 3, 0}, 60},
	{"ppp serial cut", packet.DropLinkTruncated, 50, []byte{0xff, 3, 0, 0x21}, 60},

	{"arp", packet.DropNotIP, 1, decodetest.EtherType(0x0806, make([]byte, 46)), 0},
	{"lldp behind vlan", packet.DropNotIP, 1, decodetest.EtherType(0x88cc, make([]byte, 46), 5), 0},
	{"spanning tree", packet.DropNotIP, 1, decodetest.EtherType(3, []byte{0x42, 0x42, 3}), 0},
	{"novell", packet.DropNotIP, 1, decodetest.EtherType(3, []byte{0xff, 0xff, 0}), 0},
	{"type between length and type", packet.DropNotIP, 1, decodetest.EtherType(1501, make([]byte, 46)), 0},
	{"snap of a vendor", packet.DropNotIP, 1, decodetest.EtherType(8, []byte{0xaa, 0xaa, 3, 0, 0, 12, 8, 0}), 0},
	{"snap arp", packet.DropNotIP, 1, decodetest.EtherType(8, []byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 6}), 0},
	{"tags and nothing else", packet.DropLinkTruncated, 1, decodetest.Ether(four.TCP(seg, nil), 1, 2, 3, 4, 5, 6, 7, 8, 9)[:14+36], 0},
	{"null of AppleTalk", packet.DropNotIP, 0, []byte{16, 0, 0, 0, 0}, 0},
	{"loop in host order", packet.DropNotIP, 108, []byte{2, 0, 0, 0, 0}, 0},
	{"sll arp", packet.DropNotIP, 113, append(make([]byte, 14), 8, 6, 0), 0},
	{"sll small type", packet.DropNotIP, 113, append(make([]byte, 14), 0, 4, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), 0},
	{"sll2 arp", packet.DropNotIP, 276, append([]byte{8, 6}, make([]byte, 20)...), 0},
	{"ppp lcp", packet.DropNotIP, 9, []byte{0xc0, 0x21, 0}, 0},

	{"token ring", packet.DropLinkType, 6, make([]byte, 60), 0},
	{"number beyond the table", packet.DropLinkType, 65535, make([]byte, 60), 0},

	{"version 5", packet.DropIPVersion, 101, put(four.TCP(seg, nil), 0, 0x55), 0},

	{"19 bytes", packet.DropIPTruncated, 101, four.TCP(seg, nil)[:19], 40},
	{"link header only", packet.DropIPTruncated, 113, append(make([]byte, 14), 8, 0, 0x45), 60},
	{"39 bytes of version 6", packet.DropIPTruncated, 101, six.TCP(seg, nil)[:39], 60},

	{"header of 16 bytes", packet.DropIPHeaderLen, 101, put(four.TCP(seg, nil), 0, 0x44), 0},
	{"header beyond total", packet.DropIPHeaderLen, 101, resum(put(four.Proto(99, make([]byte, 2)), 0, 0x46)), 0},
	{"header beyond capture", packet.DropIPHeaderLen, 101, put(four.TCP(seg, nil), 0, 0x4a)[:30], 40},
	{"extensions beyond payload length", packet.DropIPHeaderLen, 101, put(ext(decodetest.Extension{Type: extHopByHop}).TCP(seg, nil), 4, 0, 0), 0},

	{"total 0", packet.DropIPLength, 101, resum(put(four.TCP(seg, nil), 2, 0, 0)), 0},
	{"total beyond wire", packet.DropIPLength, 101, four.TCP(seg, nil)[:39], 0},
	{"total beyond wire less link header", packet.DropIPLength, 1, decodetest.Ether(four.TCP(seg, make([]byte, 99))), 152},
	{"wire less than link header", packet.DropIPLength, 1, decodetest.Ether(four.TCP(seg, nil)), 3},
	{"payload beyond wire", packet.DropIPLength, 101, six.TCP(seg, nil)[:59], 0},

	{"header checksum", packet.DropIPChecksum, 101, put(four.TCP(seg, nil), 8, 63), 0},
	{"header checksum with options", packet.DropIPChecksum, 101, put(decodetest.IP{Src: four.Src, Dst: four.Dst, Options: make([]byte, 4)}.TCP(seg, nil), 23, 1), 0},

	{"first fragment", packet.DropFragment, 101, decodetest.IP{Src: four.Src, Dst: four.Dst, Frag: 0x2000}.TCP(seg, nil), 0},
	{"last fragment", packet.DropFragment, 101, decodetest.IP{Src: four.Src, Dst: four.Dst, Frag: 1}.TCP(seg, nil), 0},
	{"later fragment cut", packet.DropFragment, 101, decodetest.IP{Src: four.Src, Dst: four.Dst, Frag: 0x2001}.TCP(seg, nil)[:30], 40},
	{"first fragment v6", packet.DropFragment, 101, ext(decodetest.Extension{Type: extFragment, Body: []byte{0, 1}}).TCP(seg, nil), 0},
	{"last fragment v6", packet.DropFragment, 101, ext(decodetest.Extension{Type: extFragment, Body: []byte{0, 8}}).TCP(seg, nil), 0},

	{"no next header", packet.DropNoNextHeader, 101, six.Proto(noNextHeader, nil), 0},
	{"no next header behind one", packet.DropNoNextHeader, 101, ext(decodetest.Extension{Type: extHopByHop}).Proto(noNextHeader, nil), 0},
	{"no next header v4", packet.DropNoNextHeader, 101, four.Proto(noNextHeader, nil), 0},

	{"esp", packet.DropNotTransport, 101, six.Proto(extESP, make([]byte, 20)), 0},
	{"mobility", packet.DropNotTransport, 101, six.Proto(extMobility, make([]byte, 8)), 0},
	{"too many extension headers", packet.DropNotTransport, 101, ext(make([]decodetest.Extension, maxExtensions)...).TCP(seg, nil), 0},

	{"tcp of 19 bytes", packet.DropTransport, 101, four.Proto(6, make([]byte, 19)), 0},
	{"tcp of 19 bytes, padded", packet.DropTransport, 1, decodetest.Ether(four.Proto(6, make([]byte, 19))), 0},
	{"tcp cut", packet.DropTransport, 101, four.TCP(seg, nil)[:39], 40},
	{"udp of 7 bytes", packet.DropTransport, 101, four.Proto(17, make([]byte, 7)), 0},
	{"udp cut", packet.DropTransport, 101, six.UDP(1, 2, nil)[:47], 48},
	{"icmp of 7 bytes", packet.DropTransport, 101, four.Proto(1, make([]byte, 7)), 0},
	{"icmp6 cut", packet.DropTransport, 101, six.ICMP(128, 0, nil)[:47], 48},
	{"no payload, padded", packet.DropTransport, 1, decodetest.Ether(four.Proto(6, nil)), 0},
	{"no payload, padded, udp", packet.DropTransport, 1, decodetest.Ether(four.Proto(17, nil)), 0},
}

func TestDrops(t *testing.T) {
	var seen [packet.NumDrops]bool
	for _, c := range drops {
		t.Run(c.name, func(t *testing.T) {
			wire := c.wire
			if wire == 0 {
				wire = len(c.data)
			}
			wire = max(wire, 0)
			want := packet.Packet{Drop: c.want, WireLen: uint32(wire)}
			if got := decodeWire(c.linkType, c.data, uint32(wire)); got != want {
				t.Errorf("got  %v %+v\nwant %v", got.Drop, got, c.want)
			}
		})
		seen[c.want] = true
	}
	for d := packet.DropNone + 1; d < packet.NumDrops; d++ {
		if !seen[d] {
			t.Errorf("no record is dropped for %v", d)
		}
	}
}
