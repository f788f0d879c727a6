package decode

import (
	"net/netip"
	"slices"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// Every tunnel gives the packet that is in it, whole or not at all.
func TestTunnels(t *testing.T) {
	const macs = "001122334455 66778899aabb "
	outer := decodetest.IP{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2")}
	four := decodetest.IP{Src: netip.MustParseAddr("192.168.0.1"), Dst: netip.MustParseAddr("192.168.0.2")}.UDP(1000, 2000, []byte("payload"))
	six := decodetest.IP{Src: netip.MustParseAddr("2001:0:1::1"), Dst: netip.MustParseAddr("2001:db8::2")}.UDP(1000, 2000, []byte("payload"))
	for _, c := range []struct {
		name   string
		proto  uint8  // of IP, or 0:
		port   uint16 // of UDP
		header string
		inner  []byte
	}{
		{"IP in IP", 4, 0, "", four},
		{"6in4", 41, 0, "", six},
		{"GRE", 47, 0, "0000 0800", four},
		{"GRE with everything", 47, 0, "b000 86dd 00000000 00000001 00000002", six},
		{"GRE, Ethernet", 47, 0, "0000 6558" + macs + "0800", four},
		{"GRE, MPLS", 47, 0, "0000 8847 000011ff", four},
		{"PPTP", 47, 0, "3081 880b 0040 0001 00000001 00000002 ff03 0021", four},
		{"ERSPAN I", 47, 0, "0000 88be" + macs + "0800", four},
		{"ERSPAN II", 47, 0, "1000 88be 00000001 1000000000000000" + macs + "0800", four},
		{"ERSPAN III", 47, 0, "1000 22eb 00000001 200000000000000000000000" + macs + "0800", four},
		{"ERSPAN III with a sub-header", 47, 0, "1000 22eb 00000001 200000000000000000000001 0000000000000000" + macs + "0800", four},
		{"Aruba", 47, 0, "0000 8200 0801 0000 0000000000aa 0000000000bb 0000000000cc 0000 aaaa03000000 0800", four},
		{"VXLAN", 0, 4789, "08000000 00000700" + macs + "0800", four},
		{"VXLAN-GPE, IPv6", 0, 4790, "0c000002 00000700", six},
		{"Geneve, Ethernet and an option", 0, 6081, "0100 6558 00000700 00000000" + macs + "86dd", six},
		{"Geneve, IPv4", 0, 6081, "0000 0800 00000700", four},
		{"GTP-U", 0, 2152, "30ff 0023 00000001", four},
		{"GTP-U with an extension", 0, 2152, "34ff 002b 00000001 00000085 01000000", four},
		{"Teredo", 0, 3544, "", six},
		{"Teredo with authentication and origin", 0, 3544, "0001 0000 0000000000000000 00 0000 1111 22222222", six},
		{"Teredo on another port", 0, 7777, "", six},
		{"AYIYA", 0, 5072, "4452 1129 00000000" + "00112233445566778899aabbccddeeff" + "0000000000000000000000000000000000000000", six},
		{"GRE in UDP", 0, 4754, "0000 0800", four},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := slices.Concat(unhex(t, c.header), c.inner)
			ip := outer.Proto(c.proto, body)
			if c.port != 0 {
				ip = outer.UDP(5000, c.port, body)
			}
			var p packet.Packet
			var in Inside
			drop := Decode(101, ip, uint32(len(ip)), &p, &in)
			if drop != packet.DropNone || p.Flags&packet.Carrier == 0 || !in.Carries() {
				t.Fatalf("%v, carries %v: %+v", drop, in.Carries(), p)
			}
			if drop := in.Next(&p); drop != packet.DropNone || p.SrcPort != 1000 || p.DstPort != 2000 || p.PayLen != 7 || p.Flags&packet.BadChecksum != 0 {
				t.Errorf("inside: %v, %+v", drop, p)
			}
		})
	}
}

// A packet in a thousand tunnels is taken apart to the limit and no further.
func TestNestedTunnels(t *testing.T) {
	outer := decodetest.IP{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2")}
	ip := outer.UDP(1000, 2000, nil)
	for range 1000 {
		ip = outer.Proto(4, ip)
	}
	var p packet.Packet
	var in Inside
	Decode(101, ip, uint32(len(ip)), &p, &in)
	n := 0
	for ; in.Carries(); n++ {
		in.Next(&p)
	}
	if n != 1000 || p.SrcPort != 1000 {
		t.Errorf("%d packets inside, %+v", n, p)
	}
}
