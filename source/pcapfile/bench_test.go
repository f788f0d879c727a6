package pcapfile_test

import (
	"bytes"
	"io"
	"testing"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/pcapfile/pcaptest"
)

// uniform is n records of size bytes each, a microsecond apart.
func uniform(n, size int) []pcapfile.Record {
	recs := make([]pcapfile.Record, n)
	for i := range recs {
		recs[i] = pcapfile.Record{
			TS: packet.Unix(1_700_000_000, int64(i)*1000), Wire: uint32(size), LinkType: 1,
			Data: bytes.Repeat([]byte{byte(i)}, size),
		}
	}
	return recs
}

func written(t testing.TB, write func(io.Writer) error) []byte {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// BenchmarkReaderSmall frames records of 67 bytes, the mean of a hard capture.
func BenchmarkReaderSmall(b *testing.B) { benchmarkReader(b, uniform(3000, 67)) }

// BenchmarkReaderLarge frames full Ethernet frames.
func BenchmarkReaderLarge(b *testing.B) { benchmarkReader(b, uniform(3000, 1514)) }

func benchmarkReader(b *testing.B, recs []pcapfile.Record) {
	for name, write := range map[string]func(io.Writer) error{
		"pcap":     func(w io.Writer) error { return pcaptest.WritePcap(w, pcaptest.PcapOptions{}, recs) },
		"pcap-big": func(w io.Writer) error { return pcaptest.WritePcap(w, pcaptest.PcapOptions{BigEndian: true}, recs) },
		"pcapng":   func(w io.Writer) error { return pcaptest.WritePcapng(w, pcaptest.PcapngOptions{}, recs) },
	} {
		b.Run(name, func(b *testing.B) { benchmarkCapture(b, written(b, write), len(recs)) })
	}
}

// benchmarkCapture reads one endless capture: all records but the first, which
// comes with the headers, come again and again.
func benchmarkCapture(b *testing.B, capture []byte, n int) {
	src := bytes.NewReader(capture)
	r, err := pcapfile.NewReader(src, 0)
	if err != nil {
		b.Fatal(err)
	}
	var rec pcapfile.Record
	if err := r.Next(&rec); err != nil {
		b.Fatal(err)
	}
	start := r.Offset()
	for n--; err == nil; {
		err = r.Next(&rec)
	}
	var sum int
	b.SetBytes(int64(len(capture)) - start)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := src.Seek(start, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		for range n {
			if err := r.Next(&rec); err != nil {
				b.Fatal(err)
			}
			sum += int(rec.Data[0])
		}
		if err := r.Next(&rec); err != io.EOF {
			b.Fatal(err)
		}
	}
	packets := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/packets, "ns/packet")
	b.ReportMetric(packets/b.Elapsed().Seconds(), "packets/s")
	_ = sum
}
