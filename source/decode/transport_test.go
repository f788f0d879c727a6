package decode

import (
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/dpd"
	"pcapdir/source/packet"
)

func TestBadChecksum(t *testing.T) {
	data := []byte("nine data")
	long := make([]byte, 1001)
	for i := range long {
		long[i] = byte(i * 7)
	}
	for name, ip := range map[string][]byte{
		"tcp4": four.TCP(seg, data), "tcp6": six.TCP(seg, data), "udp4": four.UDP(1, 2, data), "udp6": six.UDP(1, 2, data),
		"icmp": four.ICMP(8, 0, data), "icmp6": six.ICMP(128, 0, data),
		"long tcp4": four.TCP(seg, long), "long udp6": six.UDP(1, 2, long), "long icmp": four.ICMP(8, 0, long),
	} {
		t.Run(name, func(t *testing.T) {
			if p := decode(101, ip); p.Flags&packet.BadChecksum != 0 || p.CapLen != p.PayLen {
				t.Fatalf("right checksum, flags %x, %d of %d captured", p.Flags, p.CapLen, p.PayLen)
			}
			last := len(ip) - 1
			broken := put(ip, last, ip[last]^1)
			if p := decode(101, broken); p.Flags&packet.BadChecksum == 0 {
				t.Errorf("wrong checksum is not flagged")
			}
			// Cut by one byte, nobody can tell.
			if p := decodeWire(101, broken[:last], uint32(len(ip))); p.Flags&packet.BadChecksum != 0 || p.CapLen != p.PayLen-1 {
				t.Errorf("cut: flags %x, %d of %d captured", p.Flags, p.CapLen, p.PayLen)
			}
		})
	}
}

// A checksum field of zero says that there is none: allowed in IPv4, and for
// VXLAN in IPv6.
func TestUDPWithoutChecksum(t *testing.T) {
	frame := make([]byte, 23)
	frame[0] = 0x08
	for _, c := range []struct {
		name string
		ip   []byte
		bad  bool
	}{
		{"IPv4", put(four.UDP(1, 2, []byte("x")), 26, 0, 0), false},
		{"IPv6", put(six.UDP(1, 2, []byte("x")), 46, 0, 0), true},
		{"VXLAN in IPv6", put(six.UDP(1, 4789, frame), 46, 0, 0), false},
		{"VXLAN without room", put(six.UDP(1, 4789, frame[:22]), 46, 0, 0), true},
		{"VXLAN without its flag", put(six.UDP(1, 4789, make([]byte, 23)), 46, 0, 0), true},
	} {
		if got := decode(101, c.ip).Flags&packet.BadChecksum != 0; got != c.bad {
			t.Errorf("%s: bad checksum %v", c.name, got)
		}
	}
	if p := decode(101, put(four.UDP(1, 2, nil), 24, 0, 0)); p.UDPLen != 0 || p.Flags&packet.BadChecksum == 0 {
		t.Errorf("UDP length 0: UDPLen %d, flags %x", p.UDPLen, p.Flags)
	}
}

func TestBadTCPHeader(t *testing.T) {
	offset := func(words uint8) decodetest.TCP {
		s := seg
		s.Offset = words
		return s
	}
	for _, c := range []struct {
		name string
		ip   []byte
		wire int
		bad  bool
	}{
		{"offset 4", four.TCP(offset(4), nil), 40, true},
		{"offset past the segment", four.TCP(offset(7), make([]byte, 4)), 44, true},
		{"offset past the capture", four.TCP(offset(6), make([]byte, 4))[:42], 44, true},
		{"offset at the end", four.TCP(offset(6), make([]byte, 4)), 44, false},
	} {
		p := decodeWire(101, c.ip, uint32(c.wire))
		if got := p.Flags&packet.BadTCPHeader != 0; p.Drop != packet.DropNone || got != c.bad || p.SrcPort != seg.SrcPort || p.PayLen != 0 {
			t.Errorf("%s: drop %v, flags %x, %d payload", c.name, p.Drop, p.Flags, p.PayLen)
		}
	}
}

// An IPv6 payload length of zero with a segment behind it is BIG TCP. As in Zeek,
// TCP then has a header past its end, and UDP is as long as what was captured.
func TestPayloadLengthZero(t *testing.T) {
	p := decode(101, put(six.TCP(seg, make([]byte, 100)), 4, 0, 0))
	if p.Drop != packet.DropNone || p.Flags != packet.IPv6|packet.BadTCPHeader || p.IPLen != 40 {
		t.Errorf("tcp: %v %+v", p.Drop, p)
	}
	p = decode(101, put(six.UDP(1, 2, make([]byte, 100)), 4, 0, 0))
	if p.Drop != packet.DropNone || p.Flags != packet.IPv6 || p.PayLen != 100 || p.IPLen != 40 {
		t.Errorf("udp: %v %+v", p.Drop, p)
	}
	p = decode(101, put(six.ICMP(128, 0, make([]byte, 100)), 4, 0, 0))
	if p.Drop != packet.DropNone || p.Flags != packet.IPv6 || p.PayLen != 96 || p.CapLen != 96 {
		t.Errorf("icmp: %v %+v", p.Drop, p)
	}
}

func TestFirstFragmentCutShortIsTaken(t *testing.T) {
	v4 := four
	v4.Frag = 0x2000
	for name, ip := range map[string][]byte{
		"v4": v4.UDP(1, 2, make([]byte, 100)),
		"v6": ext(decodetest.Extension{Type: extFragment, Body: []byte{0, 1}}).UDP(1, 2, make([]byte, 100)),
	} {
		p := decodeWire(101, ip[:len(ip)-1], uint32(len(ip)))
		if p.Drop != packet.DropNone || p.DstPort != 2 || p.PayLen != 100 || p.CapLen != 99 || p.IPLen != uint32(len(ip)) {
			t.Errorf("%s: %v %+v", name, p.Drop, p)
		}
	}
}

// What the payload looks like goes with the packet, from either side; what cannot
// be trusted to be a payload looks like nothing.
func TestApplications(t *testing.T) {
	request, query := []byte("GET / HTTP/1.1\r\n\r\n"), []byte{0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		name string
		ip   []byte
		want packet.App
	}{
		{"TCP", four.TCP(decodetest.TCP{SrcPort: 4000, DstPort: 80, Flags: 0x18}, request), dpd.Stream(request, 4000, 80)},
		{"TCP without a payload", four.TCP(decodetest.TCP{SrcPort: 4000, DstPort: 80, Flags: 0x10}, nil), packet.AppNone},
		{"UDP", six.UDP(4000, 53, query), dpd.Datagram(query, 4000, 53)},
		{"UDP, back", six.UDP(53, 4000, query), dpd.Datagram(query, 53, 4000)},
		{"UDP without a payload", four.UDP(4000, 53, nil), packet.AppNone},
		{"ICMP", four.ICMP(8, 0, query), packet.AppNone},
	} {
		if p := decode(101, c.ip); p.App != c.want {
			t.Errorf("%s: %d, want %d", c.name, p.App, c.want)
		}
	}
}
