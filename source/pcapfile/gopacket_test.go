package pcapfile_test

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// gopacket's own readers agree on what they accept at all.
func TestAgreesWithGopacket(t *testing.T) {
	want := mixed(60, 1)
	for _, c := range []container{
		pcap("micro", pcaptest.PcapOptions{SnapLen: 65535}),
		pcap("nano big", pcaptest.PcapOptions{SnapLen: 65535, Nano: true, BigEndian: true}),
		snoop("", pcaptest.SnoopOptions{}),
		pcapng("micro", pcaptest.PcapngOptions{}),
		pcapng("nano big sections", pcaptest.PcapngOptions{Resol: 9, BigEndian: true, SectionEvery: 9, Interfaces: 2, Noise: true}),
		pcapng("obsolete", pcaptest.PcapngOptions{Blocks: pcaptest.Obsolete, Interfaces: 3}),
	} {
		want := want
		if c.format == "snoop" { // of cut packets gopacket takes as many bytes as were on the wire, and panics
			want = slices.Clone(want)
			for i := range want {
				want[i].Wire = uint32(len(want[i].Data))
			}
		}
		capture := c.bytes(t, want)
		got, err := pcaptest.ReadAll(bytes.NewReader(capture))
		if err != nil {
			t.Fatal(c.name, err)
		}
		oracle, err := gopacketReads(c.format, capture)
		if err != nil || diff(got, oracle) != "" {
			t.Errorf("%s: %s, gopacket's error %v", c.name, diff(got, oracle), err)
		}
	}
}

func gopacketReads(format string, capture []byte) ([]pcapfile.Record, error) {
	type reader interface {
		gopacket.PacketDataSource
		LinkType() layers.LinkType
	}
	var r reader
	var err error
	switch format {
	case "pcap":
		r, err = pcapgo.NewReader(bytes.NewReader(capture))
	case "snoop":
		var s *pcapgo.SnoopReader
		if s, err = pcapgo.NewSnoopReader(bytes.NewReader(capture)); err == nil {
			r = sunReader{s}
		}
	default:
		r, err = pcapgo.NewNgReader(bytes.NewReader(capture), pcapgo.NgReaderOptions{})
	}
	if err != nil {
		return nil, err
	}
	var recs []pcapfile.Record
	for {
		b, ci, err := r.ReadPacketData()
		if err == io.EOF {
			return recs, nil
		}
		if err != nil {
			return recs, err
		}
		recs = append(recs, pcapfile.Record{
			TS: packet.Time(ci.Timestamp.UnixNano()), Wire: uint32(ci.Length), LinkType: uint16(r.LinkType()), Data: b,
		})
	}
}

// sunReader is gopacket's reader of snoop with the method of the others.
type sunReader struct{ *pcapgo.SnoopReader }

func (r sunReader) LinkType() layers.LinkType {
	link, err := r.SnoopReader.LinkType()
	if err != nil {
		return layers.LinkTypeNull
	}
	return *link
}
