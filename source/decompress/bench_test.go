package decompress

import (
	"bytes"
	"io"
	"testing"
)

func BenchmarkGzip(b *testing.B) { benchmark(b, Gzip, gzipped(b, sample(4<<20))) }
func BenchmarkZstd(b *testing.B) { benchmark(b, Zstd, zstded(b, sample(4<<20))) }

func benchmark(b *testing.B, f Format, src []byte) {
	b.SetBytes(4 << 20)
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(f, bytes.NewReader(src))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
