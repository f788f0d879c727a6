package traffic

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func generator(t testing.TB, c Config) *Generator {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// digest is of a capture of c in microseconds.
func digest(t testing.TB, c Config) string {
	t.Helper()
	h := sha256.New()
	if _, err := Write(h, generator(t, c), Container{Link: Ethernet}); err != nil {
		t.Fatal(err)
	}
	return sum(h)
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// Figures that people compare across machines and years rest on equal bytes.
func TestSameSeedSameBytes(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Kind: "small", Flows: 2000, Packets: 50_000}, "3b945b76499bb6aa"},
		{Config{Kind: "small", Flows: 2000, Packets: 50_000, Seed: 7}, "cac08834f48717da"},
		{Config{Kind: "mix", Flows: 500, Packets: 50_000}, "e6dd533621473674"},
		{Config{Kind: "mix", Flows: 500, Packets: 50_000, Snap: 96}, "5d4c95fa851286b9"},
	} {
		if got := digest(t, c.config); got != c.want {
			t.Errorf("%+v: digest %s, want %s", c.config, got, c.want)
		}
	}
}

func TestUnknownKindAndAbsurdFlows(t *testing.T) {
	for _, c := range []Config{{}, {Kind: "large"}, {Kind: "mix", Flows: -1}, {Kind: "mix", Flows: maxFlows + 1}, {Kind: "mix", Snap: 63}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
	g := generator(t, Config{Kind: "small"})
	if c := g.Config(); c.Flows != 1_000_000 || c.Packets != 12_900_000 {
		t.Errorf("defaults %+v", c)
	}
}

// What the kinds promise, and the order that everything else rests on.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kind               string
		flows              int // 77 500: as many packets a flow as by default
		mean, tolerance    float64
		longest            int
		perFlow, perFlowTo float64
	}{
		{"small", 77_500, 67, 1.5, 100, 8.2, 9.2},
		{"mix", 2_000, 612, 8, 1518, 9, 40},
	} {
		g := generator(t, Config{Kind: c.kind, Flows: c.flows, Packets: 1_000_000})
		var s Summary
		last := int64(0)
		for f := g.Next(); f != nil; f = g.Next() {
			s.Add(f, len(f.Bytes))
			if f.Nanos < last || f.Wire > c.longest || len(f.Bytes) != f.Wire {
				t.Fatalf("%s: %d bytes, %d captured at %d behind %d", c.kind, f.Wire, len(f.Bytes), f.Nanos, last)
			}
			last = f.Nanos
		}
		mean, perFlow := float64(s.Wire)/float64(s.Packets), float64(s.Packets)/float64(g.Started()-uint64(c.flows)/2)
		if s.Packets != 1_000_000 || mean < c.mean-c.tolerance || mean > c.mean+c.tolerance {
			t.Errorf("%s: %d packets, mean %.1f bytes, want %.0f", c.kind, s.Packets, mean, c.mean)
		}
		if perFlow < c.perFlow || perFlow > c.perFlowTo {
			t.Errorf("%s: %.1f packets a conversation", c.kind, perFlow)
		}
		t.Logf("%s: mean %.1f bytes, %.2f packets a conversation, %.0f packets/s", c.kind, mean, perFlow,
			float64(s.Packets)/(float64(s.Last-s.First)/1e9))
	}
}

// An independent decoder must find every length and checksum right, and all that
// the kinds should hold.
func TestFramesDecode(t *testing.T) {
	for _, kind := range []string{"small", "mix"} {
		g := generator(t, Config{Kind: kind, Flows: 300, Packets: 30_000, Seed: 3})
		seen := map[string]int{}
		for f := g.Next(); f != nil; f = g.Next() {
			checkFrame(t, f, seen)
		}
		want := []string{"IPv4", "TCP", "UDP", "ICMPv4", "SYN", "FIN", "RST", "odd"}
		if kind == "mix" {
			want = append(want, "IPv6", "ICMPv6", "Dot1Q")
		}
		for _, name := range want {
			if seen[name] == 0 {
				t.Errorf("%s: no %s", kind, name)
			}
		}
	}
}

func checkFrame(t *testing.T, f *Frame, seen map[string]int) {
	t.Helper()
	p := gopacket.NewPacket(f.Bytes, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
	transport := p.TransportLayer() != nil || p.Layer(layers.LayerTypeICMPv4) != nil || p.Layer(layers.LayerTypeICMPv6) != nil
	if e := p.ErrorLayer(); e != nil && !transport { // payloads are letters, whatever the port says
		t.Fatalf("%v in %x", e.Error(), f.Bytes)
	}
	for _, l := range p.Layers() {
		seen[l.LayerType().String()]++
	}
	if tcp, ok := p.TransportLayer().(*layers.TCP); ok {
		for name, set := range map[string]bool{"SYN": tcp.SYN, "FIN": tcp.FIN, "RST": tcp.RST, "odd": len(tcp.Payload)%2 == 1} {
			if set {
				seen[name]++
			}
		}
	}
	ip, at, pseudo := f.Bytes[14:], 20, []byte(nil)
	if p.Layer(layers.LayerTypeDot1Q) != nil {
		ip = f.Bytes[18:]
	}
	proto := ip[9]
	if v6 := ip[0]>>4 == 6; v6 {
		at, proto, pseudo = 40, ip[6], append(pseudo, ip[8:40]...)
		if got := int(be.Uint16(ip[4:])); got != len(ip)-40 {
			t.Fatalf("payload length %d of %d", got, len(ip)-40)
		}
	} else {
		pseudo = append(pseudo, ip[12:20]...)
		if got := int(be.Uint16(ip[2:])); got != len(ip) || slowChecksum(ip[:20]) != 0 {
			t.Fatalf("total length %d of %d, or checksum wrong", got, len(ip))
		}
	}
	if pseudo = append(pseudo, 0, proto); proto == protoICMP {
		pseudo = nil
	} else {
		pseudo = be.AppendUint16(pseudo, uint16(len(ip)-at))
	}
	if sum := slowChecksum(append(pseudo, ip[at:]...)); sum != 0 {
		t.Fatalf("protocol %d: checksum off by %#x", proto, sum)
	}
}

// slowChecksum is RFC 1071 by the letter.
func slowChecksum(b []byte) uint16 {
	if len(b)%2 == 1 {
		b = append(b[:len(b):len(b)], 0)
	}
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// All files are used, and each holds one stretch of time that others overlap.
func TestSplit(t *testing.T) {
	for _, files := range []int{1, 2, 3, 4, 5, 16, 64} {
		g := generator(t, Config{Kind: "small", Flows: 1000, Packets: 40_000})
		s := Split{Files: files, Packets: 40_000}
		first, last, lane := make([]int64, files), make([]int64, files), map[uint64]int{}
		for n := uint64(0); ; n++ {
			f := g.Next()
			if f == nil {
				break
			}
			i := s.File(n, f)
			if first[i] == 0 {
				first[i] = f.Nanos
			}
			last[i] = f.Nanos
			if was, ok := lane[f.Flow]; ok && was != i%min(4, files) {
				t.Fatalf("%d files: conversation %d changed its interface", files, f.Flow)
			}
			lane[f.Flow] = i % min(4, files)
		}
		for i := range files {
			if first[i] == 0 {
				t.Errorf("%d files: none in %d", files, i)
			}
			if i >= 4 && first[i] < last[i-4] {
				t.Errorf("%d files: %d and %d of one interface overlap", files, i-4, i)
			}
			if files >= 8 && i%4 != 0 && i+3 < files && (first[i] > last[i-1] || last[i] < first[i-1]) {
				t.Errorf("%d files: %d and %d do not overlap", files, i-1, i)
			}
		}
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	g := generator(t, Config{Kind: "mix", Flows: 1000})
	buf := make([]byte, 0, 4096)
	c := Container{Link: Ethernet}
	if n := testing.AllocsPerRun(1000, func() { c.AppendFrame(buf, g.Next()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSmall(b *testing.B) { benchmark(b, Config{Kind: "small"}) }
func BenchmarkMix(b *testing.B)   { benchmark(b, Config{Kind: "mix"}) }

func benchmark(b *testing.B, config Config) {
	config.Packets = 1 << 40
	g := generator(b, config)
	c := Container{Link: Ethernet}
	buf := make([]byte, 0, 256<<10)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if len(buf) > 250<<10 {
			buf = buf[:0]
		}
		buf = c.AppendFrame(buf, g.Next())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}
