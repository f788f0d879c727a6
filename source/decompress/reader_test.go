package decompress

import (
	"bytes"
	stdgzip "compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
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
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zstded is plain as a frame with a checksum. Each KiB is a block.
func zstded(t testing.TB, plain []byte) []byte {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderCRC(true), zstd.WithWindowSize(1<<10))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
	return []stream{
		{"gzip", Gzip, [][]byte{gz}, 1},
		{"gzip members", Gzip, [][]byte{gz, none, gz}, 2},
		{"gzip padded with zeros", Gzip, [][]byte{gz, {0}, {0}, {0}, gz, {0}, {0}}, 2},
		{"zstd", Zstd, [][]byte{zs}, 1},
		{"zstd frames", Zstd, [][]byte{zs, zs}, 2},
		{"zstd skippable frames", Zstd, [][]byte{[]byte(skippable), zs, []byte(skippable)}, 1},
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
	for _, n := range []int{0, 1, 100, 300_000} {
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
// block whose frame lacks only the checksum is whole.
func decodable(s stream, cut int) int {
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
	gz, zs := gzipped(t, plain), zstded(t, plain)
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

// Whatever the bytes: no panic, and the same outcome however they arrive.
func FuzzNewReader(f *testing.F) {
	for _, s := range streams(f, sample(300)) {
		f.Add(s.bytes())
	}
	f.Add([]byte("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range []Format{Gzip, Zstd} {
			whole, err := inflateSome(format, bytes.NewReader(b))
			pieces, err2 := inflateSome(format, iotest.OneByteReader(bytes.NewReader(b)))
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
