package decode

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// unhex is what the words of s say in hexadecimal.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every way in which a link layer wraps IP gives the packet that is in it.
func TestLinkHeaders(t *testing.T) {
	ip := decodetest.IP{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2")}.UDP(1000, 2000, []byte("payload"))
	const macs = "001122334455 66778899aabb "
	const llc = "aaaa03000000 0800 "
	const three = "0000000000aa 0000000000bb 0000000000cc 0000 " // addresses, and a sequence number
	for _, c := range []struct {
		name     string
		linkType uint16
		header   string
	}{
		{"MPLS", 1, macs + "8847 00001 0ff 000021ff"},
		{"MPLS alone", 219, "000011ff"},
		{"PPPoE", 1, macs + "8864 1100 0001 0040 0021"},
		{"VLAN and PPPoE", 1, macs + "8100 0005 8864 1100 0001 0040 0021"},
		{"PPP in PPPoE alone", 51, "1100 0001 0040 0021"},
		{"PPP with MPLS", 9, "ff03 0281 000011ff"},
		{"802.1ah", 1, macs + "88e7 00000001 " + macs + "0800"},
		{"VN-tag", 1, macs + "8926 00000001 0800"},
		{"FabricPath", 1, macs + "8903 0000 " + macs + "0800"},
		{"FDDI", 10, "50 " + macs + llc},
		{"IP over Fibre Channel", 122, "1000001122334455 1000001122334456 " + llc},
		{"Cisco HDLC", 104, "0f00 0800"},
		{"frame relay, IP", 107, "1841 03 cc"},
		{"frame relay, SNAP", 107, "1841 03 00 80 000000 0800"},
		{"frame relay, Cisco", 107, "1841 0800"},
		{"802.11", 105, "0801 0000 " + three + llc},
		{"802.11 QoS", 105, "8801 0000 " + three + "0000" + llc},
		{"802.11 QoS, four addresses", 105, "8803 0000 " + three + "000000000000 0000" + llc},
		{"802.11 QoS, aggregated", 105, "8801 0000 " + three + "8000" + macs + "0040" + llc},
		{"radiotap", 127, "0000 0800 00000000 0801 0000 " + three + llc},
		{"PPI, 802.11", 192, "0000 0800 69000000 0801 0000 " + three + llc},
		{"PPI, Ethernet", 192, "0000 0800 01000000 " + macs + "0800"},
		{"Prism", 119, "44000000 0c000000 00000000 0801 0000 " + three + llc},
		{"AVS", 163, "80211001 0000000c 00000000 0801 0000 " + three + llc},
		{"NFLOG", 239, "02000000 0800 0100 00000000 0500 0200 00000000 2b00 0900"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := unhex(t, c.header)
			p := decodeWire(c.linkType, slices.Concat(header, ip), uint32(len(header)+len(ip)))
			if p.Drop != packet.DropNone || p.SrcPort != 1000 || p.DstPort != 2000 || p.PayLen != 7 || p.Flags&packet.BadChecksum != 0 {
				t.Errorf("%+v", p)
			}
			for n := range header { // cut anywhere it is dropped, and nothing is read behind it
				if p := decodeWire(c.linkType, header[:n], uint32(n)); p.Drop == packet.DropNone {
					t.Errorf("cut at %d it is taken", n)
				}
			}
		})
	}
}
