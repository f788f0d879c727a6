package decompress

import (
	"bytes"
	"io"
	"testing"
)

// fixed is the largest sample that there is of formats without an encoder.
const fixed = 150_000

func BenchmarkGzip(b *testing.B)  { benchmark(b, Gzip, 4<<20, gzipped(b, sample(4<<20))) }
func BenchmarkZstd(b *testing.B)  { benchmark(b, Zstd, 4<<20, zstded(b, sample(4<<20))) }
func BenchmarkLz4(b *testing.B)   { benchmark(b, Lz4, 4<<20, lz4ed(b, sample(4<<20))) }
func BenchmarkXz(b *testing.B)    { benchmark(b, Xz, fixed, fixture(b, fixed, ".xz")) }
func BenchmarkBzip2(b *testing.B) { benchmark(b, Bzip2, fixed, fixture(b, fixed, ".bz2")) }

func benchmark(b *testing.B, f Format, size int64, src []byte) {
	b.SetBytes(size)
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
