package decode

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// FuzzDecode holds the decoder to its own promises for every link type, and to
// gopacket where both understand a frame.
func FuzzDecode(f *testing.F) {
	for _, c := range drops {
		f.Add(c.linkType, c.data, uint16(0))
	}
	for _, ip := range [][]byte{
		four.TCP(seg, []byte("data")), six.TCP(seg, nil), four.UDP(1, 53, []byte("q")), six.UDP(1, 2, nil),
		four.ICMP(8, 0, nil), six.ICMP(128, 0, nil), four.Proto(132, nil),
		ext(route(2, 1, addr6c), decodetest.Extension{Type: extDestination, Body: home(addr6c)}).TCP(seg, nil),
		ext(decodetest.Extension{Type: extFragment}, decodetest.Extension{Type: extAH}).UDP(1, 2, nil),
		ext(decodetest.Extension{Type: extHopByHop}, decodetest.Extension{Type: extFragment, Body: []byte{0, 9}}).UDP(1, 2, nil),
	} {
		f.Add(uint16(1), decodetest.Ether(ip), uint16(4))
		f.Add(uint16(1), decodetest.Ether(ip, 5, 6), uint16(0))
		f.Add(uint16(101), ip, uint16(0))
		f.Add(uint16(101), decodetest.IP{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2")}.Proto(4, ip), uint16(0))
	}
	f.Fuzz(func(t *testing.T, linkType uint16, data []byte, more uint16) {
		promises(t, linkType, data, uint32(len(data))+uint32(more))
		if more == 0 {
			compare(t, data)
		}
	})
}

// promises checks what holds for every record. data's capacity ends with its
// length, so that a read past it panics.
func promises(t *testing.T, linkType uint16, data []byte, wire uint32) {
	data = bytes.Clone(data)[:len(data):len(data)]
	before := bytes.Clone(data)
	p := decodeWire(linkType, data, wire)
	switch {
	case !bytes.Equal(data, before):
		t.Error("the record was written to")
	case p.Drop >= packet.NumDrops:
		t.Errorf("drop is %d", p.Drop)
	case p.Drop != packet.DropNone && p != packet.Packet{Drop: p.Drop, WireLen: wire}:
		t.Errorf("dropped for %v with headers %+v", p.Drop, p)
	case p.CapLen > p.PayLen || p.WireLen != wire || int(p.CapLen) > len(data):
		t.Errorf("captured %d of %d, wire %d of %d, %d bytes", p.CapLen, p.PayLen, p.WireLen, wire, len(data))
	case p.IPLen > wire:
		t.Errorf("IP packet of %d on a wire of %d", p.IPLen, wire)
	case p.Flags&packet.BadChecksum != 0 && p.CapLen != p.PayLen:
		t.Error("bad checksum of a packet that was cut")
	}
	fragmentPromises(t, linkType, data, wire)
	tunnelPromises(t, linkType, data, wire)
	// The same record with padding is the same packet: nothing behind the IP
	// packet counts, where the packet says its length and holds its headers.
	vague := unsaid(&p) || p.Flags&packet.BadTCPHeader != 0 || extends(p.Proto)
	if p.Drop == packet.DropNone && p.CapLen == p.PayLen && !vague {
		q := decodeWire(linkType, append(data, 0xee, 0xee), wire+2)
		if q.WireLen -= 2; q != p {
			t.Errorf("padding changes %+v\nto %+v", p, q)
		}
	}
}

// fragmentPromises checks what holds for fragments: they are taken apart, if they
// were captured whole, without a byte lost.
func fragmentPromises(t *testing.T, linkType uint16, data []byte, wire uint32) {
	var p packet.Packet
	var in Inside
	if drop := Decode(linkType, data, wire, &p, &in); (drop == packet.DropFragment) != (in.Fragment != nil) {
		t.Errorf("%v with a fragment of %d bytes", drop, len(in.Fragment))
	}
	f, ok := Fragment(in.Fragment)
	if !ok {
		return
	}
	n := len(f.Header) + len(f.Payload)
	if f.IPv6 {
		n += 8
		if f.NextAt >= len(f.Header) || f.Header[f.NextAt] != extFragment {
			t.Errorf("the fragment header is not named at %d of % x", f.NextAt, f.Header)
		}
	}
	if n != len(in.Fragment) || f.Offset == 0 && !f.More {
		t.Errorf("%d bytes of %d: %+v", n, len(in.Fragment), f)
	}
}

// oracle is gopacket's view of one Ethernet frame. Only decoders that have no
// known panics take part.
type oracle struct {
	eth    layers.Ethernet
	tag    layers.Dot1Q
	ip4    layers.IPv4
	ip6    layers.IPv6
	tcp    layers.TCP
	udp    layers.UDP
	icmp   layers.ICMPv4
	icmp6  layers.ICMPv6
	parsed []gopacket.LayerType
}

func (o *oracle) parse(data []byte) error {
	p := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet,
		&o.eth, &o.tag, &o.ip4, &o.ip6, &o.tcp, &o.udp, &o.icmp, &o.icmp6)
	p.IgnoreUnsupported = true
	return p.DecodeLayers(data, &o.parsed)
}

// compare decodes an Ethernet frame both ways, and compares what both accept.
func compare(t *testing.T, data []byte) {
	p := decode(1, data)
	var o oracle
	if err := o.parse(data); err != nil || p.Drop != packet.DropNone || len(o.parsed) < 3 {
		return
	}
	if tunnelled(o.parsed) {
		return // the parser's layers then hold the inner headers
	}
	for i, kind := range o.parsed {
		if kind == layers.LayerTypeEthernet && o.eth.EthernetType == layers.EthernetTypeLLC {
			return // 802.3: gopacket trims by its length, Zeek does not
		}
		if i < len(o.parsed)-1 && (kind == layers.LayerTypeIPv4 || kind == layers.LayerTypeIPv6) {
			if (kind == layers.LayerTypeIPv6) != (p.Flags&packet.IPv6 != 0) {
				return // gopacket believes the EtherType, whatever the version
			}
			if kind == layers.LayerTypeIPv6 && (o.ip6.HopByHop != nil || o.ip6.Length == 0) {
				return // jumbograms differ
			}
			o.network(t, kind, &p)
			o.transport(t, o.parsed[i+1], &p)
			return
		}
	}
}

// tunnelled says whether there is more than one IP header.
func tunnelled(parsed []gopacket.LayerType) bool {
	n := 0
	for _, kind := range parsed {
		if kind == layers.LayerTypeIPv4 || kind == layers.LayerTypeIPv6 {
			n++
		}
	}
	return n > 1
}

func (o *oracle) network(t *testing.T, kind gopacket.LayerType, p *packet.Packet) {
	src, dst, ttl, length := o.ip4.SrcIP, o.ip4.DstIP, o.ip4.TTL, uint32(o.ip4.Length)
	if kind == layers.LayerTypeIPv6 {
		src, dst, ttl, length = o.ip6.SrcIP, o.ip6.DstIP, o.ip6.HopLimit, 40+uint32(o.ip6.Length)
	}
	if !bytes.Equal(src.To16(), p.Src[:]) || !bytes.Equal(dst.To16(), p.Dst[:]) || ttl != p.TTL || length != p.IPLen {
		t.Errorf("gopacket: %v > %v ttl %d len %d\nhere %+v", src, dst, ttl, length, p)
	}
}

func (o *oracle) transport(t *testing.T, kind gopacket.LayerType, p *packet.Packet) {
	if p.Flags&packet.BadTCPHeader != 0 {
		t.Errorf("bad TCP header, which gopacket takes: %+v", o.tcp)
	}
	var src, dst, payload int
	switch kind {
	case layers.LayerTypeTCP:
		src, dst, payload = int(o.tcp.SrcPort), int(o.tcp.DstPort), len(o.tcp.Payload)
		if o.tcp.Seq != p.Seq || o.tcp.Ack != p.Ack || o.tcp.Window != p.Win || tcpFlags(&o.tcp) != p.TCPFlags {
			t.Errorf("gopacket: %+v\nhere %+v", o.tcp, p)
		}
	case layers.LayerTypeUDP:
		// gopacket trims the payload by the UDP length; here the IP length counts.
		src, dst, payload = int(o.udp.SrcPort), int(o.udp.DstPort), int(p.PayLen)
		if o.udp.Length != p.UDPLen {
			t.Errorf("gopacket: %+v\nhere %+v", o.udp, p)
		}
	case layers.LayerTypeICMPv4:
		src, dst, payload = int(o.icmp.TypeCode.Type()), int(o.icmp.TypeCode.Code()), len(o.icmp.Payload)
	case layers.LayerTypeICMPv6:
		// Its header is 4 bytes in gopacket, 8 here.
		src, dst, payload = int(o.icmp6.TypeCode.Type()), int(o.icmp6.TypeCode.Code()), len(o.icmp6.Payload)-4
	default:
		return
	}
	if src != int(p.SrcPort) || dst != int(p.DstPort) || payload != int(p.PayLen) {
		t.Errorf("gopacket: %d > %d, %d bytes\nhere %+v", src, dst, payload, p)
	}
}

func tcpFlags(h *layers.TCP) packet.TCPFlags {
	var f packet.TCPFlags
	for i, set := range []bool{h.FIN, h.SYN, h.RST, h.PSH, h.ACK, h.URG, h.ECE, h.CWR} {
		if set {
			f |= 1 << i
		}
	}
	return f
}

// tunnelPromises checks what holds for packets in tunnels: each is smaller than
// the one that carries it, so that there is an end.
func tunnelPromises(t *testing.T, linkType uint16, data []byte, wire uint32) {
	var p packet.Packet
	var in Inside
	Decode(linkType, data, wire, &p, &in)
	for left := len(data); in.Carries(); {
		if p.Flags&packet.Carrier == 0 || p.Drop != packet.DropNone {
			t.Errorf("%+v carries a packet and does not say so", p)
		}
		if len(in.data) >= left {
			t.Fatalf("%d bytes in a packet of %d", len(in.data), left)
		}
		left = len(in.data)
		if drop := in.Next(&p); drop != p.Drop || int(p.CapLen) > left {
			t.Errorf("%v, %+v in %d bytes", drop, p, left)
		}
	}
}
