package pcapfile_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// mixed is n records of odd and even lengths, empty ones among them, some cut at a
// snaplen, with stamps in steps of a microsecond and link types from links.
func mixed(n int, links ...uint16) []pcapfile.Record {
	rng := rand.New(rand.NewPCG(7, 7))
	recs := make([]pcapfile.Record, n)
	for i := range recs {
		b := make([]byte, rng.IntN(200))
		if i%5 == 0 {
			b = nil
		}
		for j := range b {
			b[j] = byte(rng.Uint32())
		}
		recs[i] = pcapfile.Record{
			TS:       packet.Unix(1_600_000_000+int64(i), rng.Int64N(1e6)*1000),
			Wire:     uint32(len(b) + i%3*100),
			LinkType: links[i%len(links)],
			Data:     b,
		}
	}
	return recs
}

func same(a, b pcapfile.Record) bool {
	return a.TS == b.TS && a.Wire == b.Wire && a.LinkType == b.LinkType && bytes.Equal(a.Data, b.Data)
}

func diff(got, want []pcapfile.Record) string {
	for i := range min(len(got), len(want)) {
		if !same(got[i], want[i]) {
			return fmt.Sprintf("record %d is %v, want %v", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%d records, want %d", len(got), len(want))
	}
	return ""
}

// container is a way of writing records that keeps all of them.
type container struct {
	name   string
	format string
	write  func(w io.Writer, recs []pcapfile.Record) error
}

func pcap(name string, o pcaptest.PcapOptions) container {
	return container{"pcap " + name, "pcap", func(w io.Writer, recs []pcapfile.Record) error {
		return pcaptest.WritePcap(w, o, recs)
	}}
}

func snoop(name string, o pcaptest.SnoopOptions) container {
	return container{"snoop " + name, "snoop", func(w io.Writer, recs []pcapfile.Record) error {
		return pcaptest.WriteSnoop(w, o, recs)
	}}
}

func pcapng(name string, o pcaptest.PcapngOptions) container {
	return container{"pcapng " + name, "pcapng", func(w io.Writer, recs []pcapfile.Record) error {
		return pcaptest.WritePcapng(w, o, recs)
	}}
}

func containers() []container {
	return []container{
		pcap("micro", pcaptest.PcapOptions{}),
		pcap("micro big", pcaptest.PcapOptions{BigEndian: true}),
		pcap("nano", pcaptest.PcapOptions{Nano: true}),
		pcap("nano big", pcaptest.PcapOptions{Nano: true, BigEndian: true}),
		pcap("FCS bits", pcaptest.PcapOptions{FCS: 0x4400}),
		pcap("2.3 caplen first", pcaptest.PcapOptions{Minor: 3}),
		pcap("2.3 wirelen first", pcaptest.PcapOptions{Minor: 3, WireFirst: true}),
		pcap("2.1", pcaptest.PcapOptions{Minor: 1, WireFirst: true, BigEndian: true}),
		pcap("patched", pcaptest.PcapOptions{Patched: true}),
		pcap("patched big", pcaptest.PcapOptions{Patched: true, BigEndian: true}),
		snoop("", pcaptest.SnoopOptions{}),
		snoop("padded", pcaptest.SnoopOptions{Pad: 20}),
		pcapng("plain", pcaptest.PcapngOptions{}),
		pcapng("big", pcaptest.PcapngOptions{BigEndian: true}),
		pcapng("noise", pcaptest.PcapngOptions{Noise: true}),
		pcapng("noise big", pcaptest.PcapngOptions{Noise: true, BigEndian: true}),
		pcapng("nano", pcaptest.PcapngOptions{Resol: 9}),
		pcapng("10^-10", pcaptest.PcapngOptions{Resol: 10}),
		pcapng("2^-30", pcaptest.PcapngOptions{Resol: 0x80 | 30}),
		pcapng("2^-32 offset", pcaptest.PcapngOptions{Resol: 0x80 | 32, Offset: 1_000_000_000}),
		pcapng("offset back", pcaptest.PcapngOptions{Offset: -86400, BigEndian: true}),
		pcapng("interfaces", pcaptest.PcapngOptions{Interfaces: 3}),
		pcapng("sections", pcaptest.PcapngOptions{SectionEvery: 7, Noise: true}),
		pcapng("sections of both orders", pcaptest.PcapngOptions{SectionEvery: 5, Interfaces: 2, Alternate: true}),
		pcapng("obsolete", pcaptest.PcapngOptions{Blocks: pcaptest.Obsolete, Interfaces: 2}),
		pcapng("obsolete big", pcaptest.PcapngOptions{Blocks: pcaptest.Obsolete, Interfaces: 2, BigEndian: true, Noise: true}),
		pcapng("snaplen below captured", pcaptest.PcapngOptions{SnapLen: 10}),
	}
}

func (c container) bytes(t testing.TB, recs []pcapfile.Record) []byte {
	return written(t, func(w io.Writer) error { return c.write(w, recs) })
}

// The same records come out of every container, however its bytes arrive.
func TestEveryContainerGivesTheSameRecords(t *testing.T) {
	want := mixed(60, 10)
	for _, c := range containers() {
		capture := c.bytes(t, want)
		for _, size := range []int{0, 1, 100, 1000} {
			for kind, src := range map[string]io.Reader{
				"at once":    bytes.NewReader(capture),
				"in bytes":   iotest.OneByteReader(bytes.NewReader(capture)),
				"EOF at end": iotest.DataErrReader(bytes.NewReader(capture)),
			} {
				r, err := pcapfile.NewReader(src, size)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				got, err := pcaptest.Rest(r)
				if err != nil || diff(got, want) != "" {
					t.Fatalf("%s %s, buffer %d: %s, error %v", c.name, kind, size, diff(got, want), err)
				}
				if r.Format() != c.format || r.Offset() != int64(len(capture)) || !slices.Equal(r.LinkTypes(), []uint16{10}) {
					t.Errorf("%s: format %s, offset %d of %d, link types %v", c.name, r.Format(), r.Offset(), len(capture), r.LinkTypes())
				}
			}
		}
	}
}

func TestLinkTypesInOrderOfAppearance(t *testing.T) {
	want := mixed(30, 276, 1, 0xffff, 1, 0)
	for _, c := range containers() {
		if c.format != "pcapng" {
			continue
		}
		r, err := pcapfile.NewReader(bytes.NewReader(c.bytes(t, want)), 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pcaptest.Rest(r)
		if err != nil || diff(got, want) != "" {
			t.Errorf("%s: %s, error %v", c.name, diff(got, want), err)
		}
		if !slices.Equal(r.LinkTypes(), []uint16{276, 1, 0xffff, 0}) {
			t.Errorf("%s: link types %v", c.name, r.LinkTypes())
		}
	}
}

// Simple packet blocks have no stamp, and their captured length is a conclusion.
func TestSimplePacketBlocks(t *testing.T) {
	recs := mixed(40, 1)
	for _, snaplen := range []uint32{0, 50} {
		capture := pcapng("", pcaptest.PcapngOptions{Blocks: pcaptest.Simple, SnapLen: snaplen, Noise: true}).bytes(t, recs)
		got, err := pcaptest.ReadAll(bytes.NewReader(capture))
		if err != nil || len(got) != len(recs) {
			t.Fatalf("%d records, %v", len(got), err)
		}
		for i, rec := range recs {
			// Where the wire length is beyond the block, padding cannot be told from bytes.
			n := min(int(rec.Wire), (len(rec.Data)+3)&^3)
			if snaplen > 0 {
				n = min(n, int(snaplen))
			}
			if got[i].TS != 0 || got[i].Wire != rec.Wire || len(got[i].Data) != n ||
				!bytes.HasPrefix(append(rec.Data, 0, 0, 0), got[i].Data) {
				t.Errorf("record %d: %v, want %d bytes of %v", i, got[i], n, rec)
			}
		}
	}
}

// Large records make the buffer grow, and small ones after them make it shrink.
func TestBufferGrowsForOneRecord(t *testing.T) {
	var want []pcapfile.Record
	for i, n := range []int{10, pcapfile.MaxCaplen, 10, 300_000, pcapfile.DefaultBuf - 16, pcapfile.DefaultBuf, 0, pcapfile.MaxCaplen, 1} {
		b := bytes.Repeat([]byte{byte(i)}, n)
		want = append(want, pcapfile.Record{TS: packet.Unix(1_600_000_000, 0), Wire: uint32(n), LinkType: 1, Data: b})
	}
	for _, c := range containers() {
		for _, size := range []int{0, 64} {
			r, err := pcapfile.NewReader(bytes.NewReader(c.bytes(t, want)), size)
			if err != nil {
				t.Fatal(c.name, err)
			}
			if got, err := pcaptest.Rest(r); err != nil || diff(got, want) != "" {
				t.Errorf("%s, buffer %d: %.100s, error %v", c.name, size, diff(got, want), err)
			}
		}
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	recs := uniform(3000, 67)
	for _, c := range containers() {
		r, err := pcapfile.NewReader(bytes.NewReader(c.bytes(t, recs)), 4096)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var rec pcapfile.Record
		if err := r.Next(&rec); err != nil { // describes the interfaces
			t.Fatal(c.name, err)
		}
		allocs := testing.AllocsPerRun(2000, func() {
			if err := r.Next(&rec); err != nil {
				t.Fatal(c.name, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations per record", c.name, allocs)
		}
	}
}
