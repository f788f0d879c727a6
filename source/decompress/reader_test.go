package decompress

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// sample is n bytes that compress somewhat, the same for equal n.
func sample(n int) []byte {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.IntN(7)) * byte(rng.IntN(3))
	}
	return b
}

func gzipped(t testing.TB, plain []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "a.pcap", "a comment", []byte("extra")
	write(t, w, plain)
	return b.Bytes()
}

// write writes all of plain to a compressor.
func write(t testing.TB, w io.WriteCloser, plain []byte) {
	t.Helper()
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// zstded is plain as a frame with a checksum. Each KiB is a block.
func zstded(t testing.TB, plain []byte) []byte {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderCRC(true), zstd.WithWindowSize(1<<10))
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, plain)
	return b.Bytes()
}

func lz4ed(t testing.TB, plain []byte) []byte {
	var b bytes.Buffer
	w := lz4.NewWriter(&b)
	if err := w.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(true)); err != nil {
		t.Fatal(err)
	}
	write(t, w, plain)
	return b.Bytes()
}

// fixture is sample(n) as the xz or bzip2 command compresses it, since there is no
// library that does: xz -C crc64 --block-size=50000, bzip2 -1.
func fixture(t testing.TB, n int, suffix string) []byte {
	b, err := os.ReadFile(fmt.Sprintf("testdata/sample-%d%s", n, suffix))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const skippable = "\x52\x2a\x4d\x18\x03\x00\x00\x00abc"

// stream is a compressed stream in one of the shapes that files have.
type stream struct {
	name   string
	format Format
	parts  [][]byte // a cut between two is none
	copies int      // of the plain part, inflated
}

func (s stream) bytes() []byte { return bytes.Join(s.parts, nil) }

func streams(t testing.TB, part []byte) []stream {
	gz, zs, none := gzipped(t, part), zstded(t, part), gzipped(t, nil)
	l4, x, bz := lz4ed(t, part), fixture(t, len(part), ".xz"), fixture(t, len(part), ".bz2")
	return []stream{
		{"gzip", Gzip, [][]byte{gz}, 1},
		{"gzip members", Gzip, [][]byte{gz, none, gz}, 2},
		{"gzip padded with zeros", Gzip, [][]byte{gz, {0}, {0}, {0}, gz, {0}, {0}}, 2},
		{"zstd", Zstd, [][]byte{zs}, 1},
		{"zstd frames", Zstd, [][]byte{zs, zs}, 2},
		{"zstd skippable frames", Zstd, [][]byte{[]byte(skippable), zs, []byte(skippable)}, 1},
		{"lz4", Lz4, [][]byte{l4}, 1},
		{"lz4 frames", Lz4, [][]byte{l4, []byte(skippable), lz4ed(t, nil), l4}, 2},
		{"xz", Xz, [][]byte{x}, 1},
		{"xz streams", Xz, [][]byte{x, fixture(t, 0, ".xz"), x}, 2},
		{"bzip2", Bzip2, [][]byte{bz}, 1},
		{"bzip2 streams", Bzip2, [][]byte{bz, fixture(t, 0, ".bz2"), bz}, 2},
	}
}

func inflate(f Format, src io.Reader) ([]byte, error) {
	r, err := NewReader(f, src)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestDetect(t *testing.T) {
	for head, want := range map[string]Format{
		"":                     Plain,
		"\x1f":                 Plain,
		"\xd4\xc3\xb2\xa1\x02": Plain,
		"\x0a\x0d\x0d\x0a\x1c": Plain,
		"\x1f\x8b\x08\x00":     Gzip,
		"\x28\xb5\x2f\xfd":     Zstd,
		"\x50\x2a\x4d\x18":     Zstd,
		"\x5f\x2a\x4d\x18":     Zstd,
		"\x6f\x2a\x4d\x18":     Plain,
		"\x28\xb5\x2f\xfc":     Plain,
		"\x04\x22\x4d\x18":     Lz4,
		"\x02\x21\x4c\x18":     Lz4,
		"\x04\x22\x4d":         Plain,
		"\xfd7zXZ\x00":         Xz,
		"\xfd7zXZ":             Plain,
		"BZh9":                 Bzip2,
		"BZh0":                 Plain,
		"BZh":                  Plain,
	} {
		if got := Detect([]byte(head)); got != want {
			t.Errorf("Detect(%q) = %q, want %q", head, got, want)
		}
	}
}

func TestPlainPassesThrough(t *testing.T) {
	got, err := inflate(Plain, strings.NewReader("as it is"))
	if err != nil || string(got) != "as it is" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestInflate(t *testing.T) {
	for _, n := range []int{0, 1, 100, 150_000} {
		part := sample(n)
		for _, s := range streams(t, part) {
			all, want := s.bytes(), bytes.Repeat(part, s.copies)
			if got := Detect(all); got != s.format {
				t.Errorf("%s: detected %q", s.name, got)
			}
			for kind, src := range map[string]io.Reader{
				"at once":    bytes.NewReader(all),
				"in bytes":   iotest.OneByteReader(bytes.NewReader(all)),
				"EOF at end": iotest.DataErrReader(bytes.NewReader(all)),
			} {
				got, err := inflate(s.format, src)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s of %d bytes %s: %d bytes, want %d, error %v", s.name, n, kind, len(got), len(want), err)
				}
			}
		}
	}
}

// Streams of xz are padded to whole words, as tapes and block devices have them.
func TestXzPadding(t *testing.T) {
	x, zeros := fixture(t, 100, ".xz"), make([]byte, 12)
	got, err := inflate(Xz, io.MultiReader(bytes.NewReader(x), bytes.NewReader(zeros), bytes.NewReader(x), bytes.NewReader(zeros)))
	if want := bytes.Repeat(sample(100), 2); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
	}
	var corrupt *CorruptError
	if got, err := inflate(Xz, bytes.NewReader(append(bytes.Clone(x), 0, 0, 0))); !errors.As(err, &corrupt) || len(got) != 100 {
		t.Errorf("half a word: %d bytes, %v", len(got), err)
	}
}

// A cut anywhere is named as one, after everything that could be decoded.
func TestTruncatedAtEveryByte(t *testing.T) {
	part := sample(3000)
	for _, s := range streams(t, part) {
		all, whole := s.bytes(), bytes.Repeat(part, s.copies)
		ends, at := map[int]bool{}, 0
		for _, p := range s.parts {
			at += len(p)
			ends[at] = true
		}
		got := make([][]byte, len(all))
		for cut := 1; cut < len(all); cut++ {
			var err error
			got[cut], err = inflate(s.format, bytes.NewReader(all[:cut]))
			if !bytes.HasPrefix(whole, got[cut]) || len(got[cut]) < len(got[cut-1]) {
				t.Fatalf("%s cut at %d: wrong bytes, or %d after %d", s.name, cut, len(got[cut]), len(got[cut-1]))
			}
			var corrupt *CorruptError
			if ends[cut] {
				if err != nil {
					t.Errorf("%s cut between parts at %d: %v", s.name, cut, err)
				}
			} else if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &corrupt) {
				t.Fatalf("%s cut at %d of %d: error %v", s.name, cut, len(all), err)
			}
			if least := decodable(s, cut); len(got[cut]) < least {
				t.Fatalf("%s cut at %d of %d: %d bytes, at least %d can be decoded", s.name, cut, len(all), len(got[cut]), least)
			}
		}
	}
}

// decodable is how many bytes a cut stream must give. The gzip decoder wants as
// many bits as its longest code has before it decodes one, so it may miss what
// is in the last two bytes. A zstd block is decoded whole or not at all, but a
// block whose frame lacks only the checksum is whole. So it is with lz4 and bzip2,
// whose ends take 8 and 10 bytes; xz gives what it has.
func decodable(s stream, cut int) int {
	if end := map[Format]int{Lz4: 8, Bzip2: 9, Xz: 28}[s.format]; end > 0 {
		if cut >= len(s.bytes())-end {
			return s.copies * 3000
		}
		return 0
	}
	if s.format == Zstd {
		last := s.parts[len(s.parts)-1]
		if last[0] == skippable[0] {
			return 0
		}
		if cut >= len(s.bytes())-4 {
			return s.copies * 3000
		}
		return 0
	}
	r, err := stdgzip.NewReader(bytes.NewReader(s.bytes()[:max(cut-2, 0)]))
	if err != nil {
		return 0
	}
	n, _ := io.Copy(io.Discard, r)
	return int(n)
}

// A disk that fails is not a damaged file, wherever it fails.
func TestReadErrorIsNotDamage(t *testing.T) {
	for _, s := range streams(t, sample(1000)) {
		all := s.bytes()
		for cut := range all {
			src := io.MultiReader(bytes.NewReader(all[:cut]), iotest.ErrReader(syscall.EIO))
			_, err := inflate(s.format, src)
			var corrupt *CorruptError
			if !errors.Is(err, syscall.EIO) || errors.As(err, &corrupt) {
				t.Fatalf("%s failing at %d: %v", s.name, cut, err)
			}
		}
	}
}

func TestDamage(t *testing.T) {
	plain := sample(5000)
	gz, zs, l4 := gzipped(t, plain), zstded(t, plain), lz4ed(t, plain)
	x, bz := fixture(t, len(plain), ".xz"), fixture(t, len(plain), ".bz2")
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 0x40
		return b
	}
	for _, c := range []struct {
		name   string
		format Format
		src    []byte
		bytes  int // that come before the error
		reason string
	}{
		{"gzip checksum", Gzip, flip(gz, len(gz)-8), len(plain), "checksum"},
		{"gzip trailing text", Gzip, append(bytes.Clone(gz), "more than ten bytes"...), len(plain), "header"},
		{"gzip header", Gzip, flip(gz, 2), 0, "header"},
		{"zstd checksum", Zstd, flip(zs, len(zs)-1), len(plain), "CRC"},
		{"zstd trailing text", Zstd, append(bytes.Clone(zs), "text"...), len(plain), "magic"},
		{"lz4 checksum", Lz4, flip(l4, len(l4)-1), len(plain), "checksum"},
		{"lz4 trailing text", Lz4, append(bytes.Clone(l4), "text"...), len(plain), "magic"},
		{"xz checksum", Xz, flip(x, len(x)-40), len(plain), "corrupt"},
		{"xz index", Xz, flip(x, len(x)-20), len(plain), "corrupt"},
		{"xz trailing text", Xz, append(bytes.Clone(x), "text of some length"...), len(plain), "format"},
		{"xz dictionary of 4 GiB", Xz, xzDictionary(40), 0, "more than 64 MiB"},
		{"bzip2 checksum", Bzip2, flip(bz, len(bz)-2), len(plain), "checksum"},
		{"bzip2 trailing text", Bzip2, append(bytes.Clone(bz), "text"...), len(plain), "magic"},
		{"zstd window of 128 MiB", Zstd, []byte("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"), 0, "more than 64 MiB"},
		{"zstd single segment of 16 GiB", Zstd, []byte("\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x04\x00\x00\x00"), 0, "--long=26"},
	} {
		got, err := inflate(c.format, bytes.NewReader(c.src))
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.Format != c.format || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v, want one of %q", c.name, err, c.reason)
		}
		if len(got) != c.bytes {
			t.Errorf("%s: %d bytes before the error, want %d", c.name, len(got), c.bytes)
		}
	}
}

// xzDictionary is an xz stream up to the header of a block that asks for the
// dictionary of that code (section 5.3.1).
func xzDictionary(code byte) []byte {
	head := []byte("\xfd7zXZ\x00\x00\x00")
	head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(head[6:]))
	block := []byte{2, 0, 0x21, 1, code, 0, 0, 0}
	return append(head, binary.LittleEndian.AppendUint32(block, crc32.ChecksumIEEE(block))...)
}

// A stream may expand as far as captures do, and not without end: what came before
// is given.
func TestBomb(t *testing.T) {
	zeros := make([]byte, 1<<20)
	for format, src := range map[Format][]byte{Gzip: gzipped(t, zeros), Zstd: zstded(t, zeros), Lz4: lz4ed(t, zeros)} {
		expand := func(b bomb) (int, error) {
			r, err := newReader(format, bytes.NewReader(src), b)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			n, err := io.Copy(io.Discard, struct{ io.Reader }{r})
			return int(n), err
		}
		ratio := int64(len(zeros) / len(src))
		n, err := expand(bomb{free: 100_000, ratio: ratio / 10})
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "bomb") || n < 100_000 || n > 500_000 {
			t.Errorf("%s: %d bytes, %v", format, n, err)
		}
		for _, b := range []bomb{{free: 100_000, ratio: ratio + 1}, {free: 1 << 20, ratio: 1}, honest} {
			if n, err := expand(b); err != nil || n != len(zeros) {
				t.Errorf("%s, %+v: %d bytes, %v", format, b, n, err)
			}
		}
	}
}

// Whatever the bytes: no panic, and the same outcome however they arrive.
func FuzzNewReader(f *testing.F) {
	for _, s := range streams(f, sample(300)) {
		f.Add(s.bytes())
	}
	f.Add([]byte("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"))
	f.Add(xzDictionary(40))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range []Format{Gzip, Zstd, Lz4, Xz, Bzip2} {
			whole, err := inflateSome(format, bytes.NewReader(b))
			pieces, err2 := inflateSome(format, iotest.OneByteReader(bytes.NewReader(b)))
			if err != nil && format == Xz {
				// Of damaged data it gives what it had before the input in which it found the damage.
				whole = whole[:min(len(whole), len(pieces))]
				pieces = pieces[:len(whole)]
			}
			if !bytes.Equal(whole, pieces) || (err == nil) != (err2 == nil) {
				t.Errorf("%s: %d bytes, %v; byte by byte %d bytes, %v", format, len(whole), err, len(pieces), err2)
			}
			var corrupt *CorruptError
			if err != nil && !errors.As(err, &corrupt) {
				t.Errorf("%s: %v, though nothing failed to be read", format, err)
			}
		}
	})
}

// inflateSome stops after 1 MiB: a fuzzer finds bombs.
func inflateSome(f Format, src io.Reader) ([]byte, error) {
	r, err := NewReader(f, src)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, 1<<20))
}
