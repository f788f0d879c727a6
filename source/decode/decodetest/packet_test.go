package decodetest

import (
	"bytes"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// What is built here is what gopacket builds of the same fields.
func TestPacketsAgreeWithGopacket(t *testing.T) {
	four, six := From("10.0.0.1", "10.0.0.2"), From("2001:db8::1", "2001:db8::2")
	ip4 := func(proto layers.IPProtocol) *layers.IPv4 {
		return &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: four.Src.AsSlice(), DstIP: four.Dst.AsSlice()}
	}
	ip6 := func(proto layers.IPProtocol) *layers.IPv6 {
		return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: six.Src.AsSlice(), DstIP: six.Dst.AsSlice()}
	}
	tcp := func(ip gopacket.NetworkLayer) *layers.TCP {
		l := &layers.TCP{SrcPort: 1, DstPort: 2, Seq: 3, Ack: 4, SYN: true, Window: 5}
		_ = l.SetNetworkLayerForChecksum(ip)
		return l
	}
	udp := func(ip gopacket.NetworkLayer) *layers.UDP {
		l := &layers.UDP{SrcPort: 1, DstPort: 2}
		_ = l.SetNetworkLayerForChecksum(ip)
		return l
	}
	icmp6 := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
	_ = icmp6.SetNetworkLayerForChecksum(ip6(58))
	seg := TCP{SrcPort: 1, DstPort: 2, Seq: 3, Ack: 4, Flags: 2, Win: 5}
	body := []byte("payload")
	for _, c := range []struct {
		name string
		got  []byte
		want []gopacket.SerializableLayer
	}{
		{"tcp4", four.TCP(seg, body), []gopacket.SerializableLayer{ip4(6), tcp(ip4(6))}},
		{"tcp6", six.TCP(seg, body), []gopacket.SerializableLayer{ip6(6), tcp(ip6(6))}},
		{"udp4", four.UDP(1, 2, body), []gopacket.SerializableLayer{ip4(17), udp(ip4(17))}},
		{"udp6", six.UDP(1, 2, body), []gopacket.SerializableLayer{ip6(17), udp(ip6(17))}},
		{"icmp", four.ICMP(8, 0, append(make([]byte, 4), body...)), []gopacket.SerializableLayer{
			ip4(1), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0)},
		}},
		{"icmp6", six.ICMP(128, 0, body), []gopacket.SerializableLayer{ip6(58), icmp6}},
	} {
		buf := gopacket.NewSerializeBuffer()
		opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
		if err := gopacket.SerializeLayers(buf, opts, append(c.want, gopacket.Payload(body))...); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(c.got, buf.Bytes()) {
			t.Errorf("%s:\n%x here\n%x in gopacket", c.name, c.got, buf.Bytes())
		}
	}
}
