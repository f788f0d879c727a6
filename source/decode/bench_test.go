package decode

import (
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

var (
	four = decodetest.From("10.0.0.1", "10.0.0.2")
	six  = decodetest.From("2001:db8::1", "2001:db8::2")
	seg  = decodetest.TCP{SrcPort: 40000, DstPort: 443, Seq: 1, Ack: 2, Flags: 0x10, Win: 512}
)

// benchmark decodes frame again and again, as far as captured bytes.
func benchmark(b *testing.B, frame []byte, captured int) {
	var p packet.Packet
	var in Inside
	wire := uint32(len(frame))
	frame = frame[:captured]
	if drop := Decode(1, frame, wire, &p, &in); drop != packet.DropNone || p.Flags&packet.BadChecksum != 0 {
		b.Fatalf("drop %v, flags %x", drop, p.Flags)
	}
	b.ReportAllocs()
	for b.Loop() {
		Decode(1, frame, wire, &p, &in)
	}
	perPacket := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(perPacket, "ns/packet")
	b.ReportMetric(1e9/perPacket, "packets/s")
}

// The smallest frame, checksums of both headers included: no padding.
func BenchmarkDecodeTCP4Small(b *testing.B) {
	frame := decodetest.Ether(four.TCP(seg, nil))[:54]
	benchmark(b, frame, len(frame))
}

// The same headers of a packet cut short, so that only the IP checksum is summed.
func BenchmarkDecodeTCP4Headers(b *testing.B) {
	benchmark(b, decodetest.Ether(four.TCP(seg, make([]byte, 1460))), 54)
}

func BenchmarkDecodeTCP4Full(b *testing.B) {
	frame := decodetest.Ether(four.TCP(seg, make([]byte, 1460)))
	benchmark(b, frame, len(frame))
}

func BenchmarkDecodeUDP6(b *testing.B) {
	frame := decodetest.Ether(six.UDP(5000, 53, make([]byte, 40)))
	benchmark(b, frame, len(frame))
}

func BenchmarkDecodeUDP6Extensions(b *testing.B) {
	ip := six
	ip.Ext = []decodetest.Extension{{Type: extHopByHop}, {Type: extDestination}}
	frame := decodetest.Ether(ip.UDP(5000, 53, make([]byte, 40)))
	benchmark(b, frame, len(frame))
}

func BenchmarkChecksum(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"60", 60}, {"1500", 1500}} {
		b.Run(c.name, func(b *testing.B) {
			buf := make([]byte, c.size)
			b.SetBytes(int64(c.size))
			var s uint64
			for b.Loop() {
				s = add(s, buf)
			}
			if s != 0 {
				b.Fatal("zeros do not sum to zero")
			}
		})
	}
}
