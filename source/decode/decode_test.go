package decode

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

var (
	addr4a, addr4b = addr("10.0.0.1"), addr("10.0.0.2")
	addr6a, addr6b = addr("2001:db8::1"), addr("2001:db8::2")
	addr6c         = addr("2001:db8::3")
)

func addr(s string) packet.Addr { return packet.Addr(netip.MustParseAddr(s).As16()) }

// put is b with bytes overwritten at off, in a copy.
func put(b []byte, off int, with ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[off:], with)
	return b
}

// resum is an IPv4 packet with its header checksum made right again.
func resum(ip []byte) []byte {
	ip = put(ip, 10, 0, 0)
	binary.BigEndian.PutUint16(ip[10:], decodetest.Sum(ip[:int(ip[0]&0xf)*4]))
	return ip
}

// ext is an IPv6 header with extension headers.
func ext(e ...decodetest.Extension) decodetest.IP {
	ip := six
	ip.Ext = e
	return ip
}

// route is a routing header to the addresses.
func route(kind, left uint8, to ...packet.Addr) decodetest.Extension {
	body := []byte{kind, left, 0, 0, 0, 0}
	for _, a := range to {
		body = append(body, a[:]...)
	}
	return decodetest.Extension{Type: extRouting, Body: body}
}

// home is a destination option that carries a home address.
func home(a packet.Addr) []byte { return append([]byte{optHome, 16}, a[:]...) }

// decode is Decode of a record that was captured whole, at the end of its
// buffer, into a packet full of rubbish from before.
func decode(linkType uint16, data []byte) packet.Packet {
	return decodeWire(linkType, data, uint32(len(data)))
}

func decodeWire(linkType uint16, data []byte, wire uint32) packet.Packet {
	p := packet.Packet{
		Eff: 1, TS: 2, Rank: 3, Rec: 4, Hash: 5, Src: addr6c, Dst: addr6c, SrcPort: 7, DstPort: 7, Proto: 7,
		TTL: 7, TCPFlags: 0xff, Drop: 1, App: 7, Flags: 0xffff, UDPLen: 7, Win: 7, Seq: 7, Ack: 7, IPLen: 7, PayLen: 7,
		CapLen: 7, WireLen: 7,
	}
	var in Inside
	if drop := Decode(linkType, bytes.Clone(data)[:len(data):len(data)], wire, &p, &in); drop != p.Drop {
		panic("Decode returns another drop than it sets")
	}
	if p.Eff != 1 || p.TS != 2 || p.Rank != 3 || p.Rec != 4 || p.Hash != 5 {
		panic("Decode sets what is not its own")
	}
	p.Eff, p.TS, p.Rank, p.Rec, p.Hash = 0, 0, 0, 0, 0
	return p
}

func TestFields(t *testing.T) {
	data := []byte("hello")
	tcp4 := packet.Packet{
		Src: addr4a, Dst: addr4b, SrcPort: 40000, DstPort: 443, Proto: packet.TCP, TTL: 64, TCPFlags: packet.ACK,
		Win: 512, Seq: 1, Ack: 2, IPLen: 45, PayLen: 5, CapLen: 5, WireLen: 60, App: dpd.Stream([]byte("hello"), 40000, 443),
	}
	with := func(p packet.Packet, change func(*packet.Packet)) packet.Packet {
		change(&p)
		return p
	}
	opts := seg
	opts.Options = []byte{1, 1, 1, 0}
	ttl := four
	ttl.TTL, ttl.Options = 3, []byte{1, 1, 1, 1, 1, 1, 1, 0}
	for _, c := range []struct {
		name  string
		frame []byte
		want  packet.Packet
	}{
		{"tcp4", decodetest.Ether(four.TCP(seg, data)), tcp4},
		{"tcp4 options in both headers", decodetest.Ether(ttl.TCP(opts, data)), with(tcp4, func(p *packet.Packet) {
			p.TTL, p.IPLen, p.WireLen = 3, 57, 71
		})},
		{"tcp6", decodetest.Ether(six.TCP(seg, data)), with(tcp4, func(p *packet.Packet) {
			p.Src, p.Dst, p.Flags, p.IPLen, p.WireLen = addr6a, addr6b, packet.IPv6, 65, 79
		})},
		{"udp4", decodetest.Ether(four.UDP(53, 54, data)), packet.Packet{
			Src: addr4a, Dst: addr4b, SrcPort: 53, DstPort: 54, Proto: packet.UDP, TTL: 64, UDPLen: 13,
			IPLen: 33, PayLen: 5, CapLen: 5, WireLen: 60,
		}},
		{"udp6", decodetest.Ether(six.UDP(53, 54, data)), packet.Packet{
			Src: addr6a, Dst: addr6b, SrcPort: 53, DstPort: 54, Proto: packet.UDP, TTL: 64, UDPLen: 13,
			Flags: packet.IPv6, IPLen: 53, PayLen: 5, CapLen: 5, WireLen: 67,
		}},
		{"icmp", decodetest.Ether(four.ICMP(3, 1, make([]byte, 9))), packet.Packet{
			Src: addr4a, Dst: addr4b, SrcPort: 3, DstPort: 1, Proto: packet.ICMP, TTL: 64,
			IPLen: 33, PayLen: 5, CapLen: 5, WireLen: 60,
		}},
		{"icmp6", decodetest.Ether(six.ICMP(128, 0, make([]byte, 9))), packet.Packet{
			Src: addr6a, Dst: addr6b, SrcPort: 128, DstPort: 0, Proto: packet.ICMPv6, TTL: 64, Flags: packet.IPv6,
			IPLen: 53, PayLen: 5, CapLen: 5, WireLen: 67,
		}},
		{"sctp: no ports, all payload", decodetest.Ether(four.Proto(132, data)), packet.Packet{
			Src: addr4a, Dst: addr4b, Proto: 132, TTL: 64, IPLen: 25, PayLen: 5, CapLen: 5, WireLen: 60,
		}},
		{"AH in IPv4 is a transport", decodetest.Ether(four.Proto(51, data)), packet.Packet{
			Src: addr4a, Dst: addr4b, Proto: 51, TTL: 64, IPLen: 25, PayLen: 5, CapLen: 5, WireLen: 60,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decode(1, c.frame); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// Every link layer in front of the same packet gives the same packet.
func TestLinkTypes(t *testing.T) {
	ip4, ip6 := four.TCP(seg, []byte("x")), six.TCP(seg, []byte("x"))
	sll := func(n int, at int, kind uint16) []byte {
		b := make([]byte, n)
		binary.BigEndian.PutUint16(b[at:], kind)
		return b
	}
	snap := []byte{0xaa, 0xaa, 3, 0, 0, 0}
	for _, c := range []struct {
		name     string
		linkType uint16
		v6       bool
		header   []byte
	}{
		{"ethernet", 1, false, decodetest.EtherType(0x0800, nil)},
		{"ethernet v6", 1, true, decodetest.EtherType(0x86dd, nil)},
		{"ethernet says v4, is v6", 1, true, decodetest.EtherType(0x0800, nil)},
		{"vlan", 1, false, decodetest.EtherType(0x0800, nil, 7)},
		{"qinq", 1, true, decodetest.EtherType(0x86dd, nil, 7, 8)},
		{"old qinq", 1, false, put(decodetest.EtherType(0x0800, nil, 7, 8), 12, 0x91, 0)},
		{"most tags", 1, false, decodetest.EtherType(0x0800, nil, 1, 2, 3, 4, 5, 6, 7, 8)},
		{"snap", 1, false, decodetest.EtherType(49, append(snap, 8, 0))},
		{"snap v6 behind vlan", 1, true, decodetest.EtherType(69, append(snap, 0x86, 0xdd), 5)},
		{"snap with long control", 1, false, decodetest.EtherType(50, []byte{0xaa, 0xaa, 0, 0, 0, 0, 0, 8, 0})},
		{"null little", 0, false, []byte{2, 0, 0, 0}},
		{"null big", 0, false, []byte{0, 0, 0, 2}},
		{"null v6 NetBSD", 0, true, []byte{24, 0, 0, 0}},
		{"null v6 FreeBSD", 0, true, []byte{28, 0, 0, 0}},
		{"null v6 macOS", 0, true, []byte{0, 0, 0, 30}},
		{"loop", 108, false, []byte{0, 0, 0, 2}},
		{"loop v6", 108, true, []byte{0, 0, 0, 24}},
		{"raw 12", 12, false, nil},
		{"raw 14", 14, true, nil},
		{"raw", 101, true, nil},
		{"ipv4", 228, false, nil},
		{"ipv6", 229, true, nil},
		{"sll", 113, false, sll(16, 14, 0x0800)},
		{"sll v6", 113, true, sll(16, 14, 0x86dd)},
		{"sll vlan", 113, false, append(sll(16, 14, 0x8100), 0, 5, 8, 0)},
		{"sll2", 276, false, sll(20, 0, 0x0800)},
		{"sll2 v6", 276, true, sll(20, 0, 0x86dd)},
		{"ppp", 9, false, []byte{0, 0x21}},
		{"ppp v6 in hdlc", 9, true, []byte{0xff, 3, 0, 0x57}},
		{"ppp serial", 50, false, []byte{0x0f, 0, 0, 0x21}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ip := ip4
			if c.v6 {
				ip = ip6
			}
			want := decode(101, ip)
			want.WireLen += uint32(len(c.header))
			record := append(bytes.Clone(c.header), ip...)
			if got := decode(c.linkType, record); got != want || got.Drop != packet.DropNone {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			// Padding behind the packet changes nothing but the length on the wire.
			want.WireLen += 6
			if got := decode(c.linkType, append(record, "padded"...)); got != want {
				t.Errorf("padded: got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestLinkTypeName(t *testing.T) {
	for linkType, want := range map[uint16]string{
		0: "NULL", 1: "EN10MB", 2: "2", 101: "RAW", 113: "LINUX_SLL", 147: "USER0", 220: "USB_LINUX_MMAPPED", 276: "LINUX_SLL2", 277: "277", 65535: "65535",
	} {
		if got := LinkTypeName(linkType); got != want || (want[0] <= '9' && Known(linkType)) {
			t.Errorf("LinkTypeName(%d) = %q, want %q; Known %v", linkType, got, want, Known(linkType))
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	frames := [][]byte{
		decodetest.Ether(four.TCP(seg, nil), 1, 2),
		decodetest.Ether(ext(route(0, 1, addr6c), decodetest.Extension{Type: extDestination, Body: home(addr6c)}).UDP(1, 2, nil)),
		decodetest.Ether(six.ICMP(128, 0, nil)),
		decodetest.EtherType(0x0806, make([]byte, 46)),
	}
	var p packet.Packet
	var in Inside
	if n := testing.AllocsPerRun(100, func() {
		for _, f := range frames {
			Decode(1, f, uint32(len(f)), &p, &in)
		}
	}); n != 0 {
		t.Errorf("Decode allocates %v times", n)
	}
}
