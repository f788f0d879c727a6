package decode

import (
	"net/netip"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

// Whatever stands between the IPv6 header and the segment, the segment is found
// and its checksum is right with the addresses that the packet ends up with.
func TestExtensions(t *testing.T) {
	final := netip.AddrFrom16(addr6c)
	opts := func(body []byte) decodetest.Extension { return decodetest.Extension{Type: extDestination, Body: body} }
	pads := append([]byte{optPad1, 1, 2, 0, 0}, home(addr6c)...)
	hop := decodetest.Extension{Type: extHopByHop, Body: make([]byte, 14)}
	for _, c := range []struct {
		name     string
		ext      []decodetest.Extension
		src, dst bool // replaced by addr6c
	}{
		{"hop by hop", []decodetest.Extension{hop}, false, false},
		{"AH", []decodetest.Extension{{Type: extAH, Body: make([]byte, 22)}}, false, false},
		{"all but fragment", []decodetest.Extension{hop, opts(nil), route(4, 1, addr6c), {Type: extAH}, opts(nil)}, false, false},
		{"routing 0", []decodetest.Extension{route(0, 1, addr6b, addr6c)}, false, true},
		{"routing 0 done", []decodetest.Extension{route(0, 0, addr6c)}, false, false},
		{"routing 0 of odd length", []decodetest.Extension{{Type: extRouting, Body: make([]byte, 30)}}, false, false},
		{"routing 0 odd, segments left", []decodetest.Extension{{Type: extRouting, Body: append([]byte{0, 1}, make([]byte, 28)...)}}, false, false},
		{"routing 0 empty", []decodetest.Extension{route(0, 1)}, false, false},
		{"routing 2", []decodetest.Extension{route(2, 1, addr6c)}, false, true},
		{"routing 2 of two", []decodetest.Extension{route(2, 1, addr6b, addr6c)}, false, false},
		{"segment routing", []decodetest.Extension{route(4, 1, addr6c)}, false, false},
		{"first routing wins", []decodetest.Extension{route(0, 1, addr6c), route(2, 1, addr6a)}, false, true},
		{"home address", []decodetest.Extension{opts(pads)}, true, false},
		{"first home address wins", []decodetest.Extension{opts(append(home(addr6c), home(addr6b)...))}, true, false},
		{"home address of 15 bytes", []decodetest.Extension{opts(append([]byte{optHome, 15}, addr6c[:]...))}, false, false},
		{"option past the header", []decodetest.Extension{opts([]byte{1, 200, 0, 0, 0, 0})}, false, false},
		{"option without length", []decodetest.Extension{opts([]byte{1, 3, 0, 0, 0, 1})}, false, false},
		{"home and final", []decodetest.Extension{opts(pads), route(2, 1, addr6c)}, true, true},
		{"most", make([]decodetest.Extension, maxExtensions-1), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ip, src, dst := ext(c.ext...), addr6a, addr6b
			if c.src {
				ip.SumSrc, src = final, addr6c
			}
			if c.dst {
				ip.SumDst, dst = final, addr6c
			}
			b := ip.TCP(seg, []byte("hello"))
			want := packet.Packet{
				Src: src, Dst: dst, SrcPort: 40000, DstPort: 443, Proto: packet.TCP, TTL: 64, TCPFlags: packet.ACK, Flags: packet.IPv6,
				Win: 512, Seq: 1, Ack: 2, IPLen: uint32(len(b)), PayLen: 5, CapLen: 5, WireLen: uint32(len(b)), App: dpd.Stream([]byte("hello"), 40000, 443),
			}
			if got := decode(101, b); got != want {
				t.Errorf("got  %v %+v\nwant %+v", got.Drop, got, want)
			}
		})
	}
}

// An atomic fragment counts as the packet that reassembly makes of it: without
// its fragment header. What follows that header is walked on.
func TestAtomicFragment(t *testing.T) {
	b := ext(decodetest.Extension{Type: extFragment}, decodetest.Extension{Type: extDestination}).TCP(seg, []byte("hello"))
	p := decode(101, b)
	if p.Drop != packet.DropNone || p.Flags != packet.IPv6 || p.IPLen != uint32(len(b)-8) || p.PayLen != 5 || p.CapLen != 5 {
		t.Errorf("got %v %+v", p.Drop, p)
	}
	// A second fragment header ends the walk, even where it says that it is a later
	// fragment, and where an extension header follows.
	b = ext(decodetest.Extension{Type: extFragment}, decodetest.Extension{Type: extFragment, Body: []byte{0, 8}}, decodetest.Extension{Type: extHopByHop}).TCP(seg, nil)
	p = decode(101, b)
	if p.Drop != packet.DropNone || p.Proto != extHopByHop || p.IPLen != uint32(len(b)-8) || p.PayLen != 28 {
		t.Errorf("two fragment headers: %v %+v", p.Drop, p)
	}
}

// A chain that does not fit ends before the header that does not: the packet is
// of that protocol.
func TestExtensionCutShort(t *testing.T) {
	hop := decodetest.Extension{Type: extHopByHop}
	for _, c := range []struct {
		name  string
		ip    []byte
		cut   int
		proto uint8
		pay   uint32
	}{
		{"before its length", ext(hop).TCP(seg, nil), 41, extHopByHop, 28},
		{"in its body", ext(hop, route(0, 1, addr6c)).TCP(seg, nil), 60, extRouting, 44},
		{"behind what the packet has", put(ext(hop).Proto(99, nil), 41, 1), 48, extHopByHop, 8},
		{"esp", six.Proto(extESP, make([]byte, 20)), 47, extESP, 20},
	} {
		p := decodeWire(101, c.ip[:c.cut], uint32(len(c.ip)))
		if p.Drop != packet.DropNone || p.Proto != c.proto || p.PayLen != c.pay || p.CapLen != min(c.pay, uint32(c.cut-int(uint32(len(c.ip))-c.pay))) {
			t.Errorf("%s: %v %+v", c.name, p.Drop, p)
		}
	}
}
