package decode

import (
	"bytes"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// fragmentOf is what Decode finds in a raw IP packet, taken apart.
func fragmentOf(t *testing.T, ip []byte) (f packet.Fragment, ok bool) {
	t.Helper()
	var p packet.Packet
	var in Inside
	if drop := Decode(101, ip, uint32(len(ip)), &p, &in); drop != packet.DropFragment {
		t.Fatalf("decoded as %v", drop)
	}
	return Fragment(in.Fragment)
}

func TestFragmentV4(t *testing.T) {
	ip := four
	ip.ID, ip.Frag, ip.Options = 0x1234, 0x6002, []byte{1, 1, 1, 0}
	b := ip.Proto(17, []byte("sixteen bytes ab"))
	f, ok := fragmentOf(t, append(b, 0xee, 0xee)) // padded
	if !ok || f.IPv6 || f.ID != 0x1234 || !f.More || !f.DF || f.Proto != 17 || f.Offset != 16 ||
		!bytes.Equal(f.Header, b[:24]) || string(f.Payload) != "sixteen bytes ab" ||
		f.Src.String() != four.Src.String() || f.Dst.String() != four.Dst.String() {
		t.Errorf("%v %+v", ok, f)
	}
}

func TestFragmentV6(t *testing.T) {
	b := ext(
		decodetest.Extension{Type: extHopByHop},
		decodetest.Extension{Type: extFragment, Body: []byte{0, 0x11, 1, 2, 3, 4}},
	).Proto(17, []byte("sixteen bytes ab"))
	f, ok := fragmentOf(t, b)
	if !ok || !f.IPv6 || f.ID != 0x01020304 || !f.More || f.DF || f.Proto != 17 || f.Offset != 16 ||
		!bytes.Equal(f.Header, b[:48]) || f.NextAt != 40 || string(f.Payload) != "sixteen bytes ab" {
		t.Errorf("%v %+v", ok, f)
	}
}

// What was not captured cannot be put together.
func TestFragmentCapturedShort(t *testing.T) {
	later := four
	later.Frag = 0x2001
	for name, b := range map[string][]byte{
		"v4": later.Proto(17, make([]byte, 64)),
		"v6": ext(decodetest.Extension{Type: extFragment, Body: []byte{0, 9}}).Proto(17, make([]byte, 64)),
	} {
		if _, ok := Fragment(b); !ok {
			t.Errorf("%s: not a fragment", name)
		}
		for n := range b {
			if _, ok := Fragment(b[:n:n]); ok {
				t.Fatalf("%s: %d bytes of %d are taken for all of it", name, n, len(b))
			}
		}
	}
}

// In what was put together, a fragment header does not make a fragment: as in
// Zeek, the packet is of what that header announces, or of the header itself.
func TestDatagramIsNoFragment(t *testing.T) {
	b := ext(decodetest.Extension{Type: extFragment, Body: []byte{0, 9}}).Proto(132, make([]byte, 64))
	var p packet.Packet
	var in Inside
	if drop := Datagram(b, &p, &in); drop != packet.DropNone || p.Proto != 132 || in.Fragment != nil {
		t.Errorf("%v %+v", drop, p)
	}
}
