package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

func index(t *testing.T, path string) *spool.File {
	t.Helper()
	f, err := spool.Index(t.Context(), pool(spool.OS{}, 1), path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestIndex(t *testing.T) {
	five := pcap(t, 100, 101, 102, 103, 104)
	const fileHeader, record = 24, 16 + 60
	for _, c := range []struct {
		name    string
		bytes   []byte
		format  string
		comp    string
		first   int64 // seconds; 0: no records
		wantErr error
		errText string
	}{
		{name: "pcap", bytes: five, format: "pcap", first: 100},
		{name: "pcapng", bytes: pcapng(t, 100, 101), format: "pcapng", first: 100},
		{name: "gzip", bytes: gz(t, five), format: "pcap", comp: "gzip", first: 100},
		{name: "zstd", bytes: zst(t, pcapng(t, 100)), format: "pcapng", comp: "zstd", first: 100},
		{name: "neighbours swapped", bytes: pcap(t, 103, 102, 101, 100, 104), format: "pcap", first: 100},
		{name: "first stamp of 1970", bytes: pcap(t, 5, 1_700_000_000, 1_700_000_001), format: "pcap", first: 1_700_000_000},
		{name: "first stamp of 2106", bytes: pcap(t, 1<<32-1, 1_700_000_000, 1_700_000_001), format: "pcap", first: 1_700_000_000},
		{name: "first stamp two hours ahead", bytes: pcap(t, 1_700_007_200, 1_700_000_001, 1_700_000_000), format: "pcap", first: 1_700_000_000},
		{name: "header only", bytes: pcap(t), format: "pcap"},
		{name: "cut in the second record", bytes: five[:fileHeader+record+20], format: "pcap", first: 100},
		{name: "empty", wantErr: pcapfile.ErrEmpty},
		{name: "empty within", bytes: gz(t, nil), comp: "gzip", wantErr: pcapfile.ErrEmpty},
		{name: "text", bytes: []byte("not a capture at all"), wantErr: pcapfile.ErrNotCapture},
		{name: "two bytes", bytes: []byte("no"), wantErr: pcapfile.ErrNotCapture},
		{name: "cut in the header", bytes: five[:20], wantErr: io.ErrUnexpectedEOF},
		{name: "cut in the first record", bytes: five[:fileHeader+20], format: "pcap", wantErr: io.ErrUnexpectedEOF},
		{name: "gzip cut at once", bytes: gz(t, five)[:12], comp: "gzip", wantErr: io.ErrUnexpectedEOF},
		{name: "gzip header damaged", bytes: append([]byte{0x1f, 0x8b, 8, 0xff}, make([]byte, 3)...), comp: "gzip", errText: "gzip"},
		{name: "absurd length", bytes: append(bytes.Clone(five[:fileHeader]), bytes.Repeat([]byte{0xff}, 60)...), format: "pcap", errText: "length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := index(t, write(t, filepath.Join(t.TempDir(), "x"), c.bytes))
			if f.Format != c.format || f.Compression.String() != c.comp || f.Name != "x" || f.Size != int64(len(c.bytes)) {
				t.Errorf("got %+v", f)
			}
			if f.HasRecords != (c.first != 0) || f.First != packet.Unix(c.first, 0) {
				t.Errorf("first stamp %d (%v), want %d s", f.First, f.HasRecords, c.first)
			}
			if f.HasRecords && (f.Least > f.First || f.Latest < packet.Unix(1_700_000_000, 0)) {
				t.Errorf("least stamp %d, latest %d", f.Least, f.Latest)
			}
			switch {
			case c.wantErr == nil && c.errText == "":
				if f.Err != nil {
					t.Errorf("refused: %v", f.Err)
				}
			case f.Err == nil, c.wantErr != nil && !errors.Is(f.Err, c.wantErr), !strings.Contains(f.Err.Error(), c.errText):
				t.Errorf("error %v, want %v %q", f.Err, c.wantErr, c.errText)
			}
		})
	}
}

func TestContentIDIsOfTheContent(t *testing.T) {
	dir := t.TempDir()
	big := pcap(t, 1)
	for len(big) < 300<<10 {
		big = append(big, byte(rand.Uint32()))
	}
	id := func(name string, b []byte) uint64 { return index(t, write(t, filepath.Join(dir, name), b)).ContentID }
	want := id("a", big)
	if got := id("b", big); got != want {
		t.Error("the same bytes under two names have two ids")
	}
	for what, at := range map[string]int{"head": 100, "end of the head": 64<<10 - 1, "tail": len(big) - 64<<10, "last byte": len(big) - 1} {
		other := bytes.Clone(big)
		other[at]++
		if id("c", other) == want {
			t.Errorf("a change in the %s does not show", what)
		}
	}
	if id("d", append(bytes.Clone(big[:100<<10]), big[101<<10:]...)) == want {
		t.Error("a change of size alone does not show")
	}
	for n := range 40 { // head and tail meet and overlap
		small := big[:64<<10-20+n]
		other := bytes.Clone(small)
		other[len(other)-1]++
		if id("e", small) == id("f", other) {
			t.Errorf("the last of %d bytes does not show", len(small))
		}
	}
}

// A disk that fails is not a capture that is damaged: the file must stay.
func TestIndexTellsFaultsFromDamage(t *testing.T) {
	dir := t.TempDir()
	long := append(pcap(t, 1, 2), make([]byte, 400<<10)...)
	paths := []string{
		write(t, filepath.Join(dir, "plain"), long), write(t, filepath.Join(dir, "gz"), gz(t, long)),
		write(t, filepath.Join(dir, "zst"), zst(t, long)), write(t, filepath.Join(dir, "empty"), nil),
	}
	for _, path := range paths {
		for _, op := range []spooltest.Op{spooltest.Open, spooltest.Stat, spooltest.Read} {
			for _, fault := range []error{syscall.EIO, syscall.EACCES, syscall.EMFILE, syscall.ESTALE} {
				for nth := 1; ; nth++ {
					faults, n := &spooltest.Faults{}, 0
					hit := false
					faults.Fail(func(o spooltest.Op, _ string) error {
						if o == op {
							if n++; n == nth {
								hit = true
								return fault
							}
						}
						return nil
					})
					f, err := spool.Index(t.Context(), pool(faults, 1), path)
					if !hit {
						break
					}
					if !errors.Is(err, fault) {
						t.Errorf("%s, %s %d fails with %v: %v, %+v", filepath.Base(path), op, nth, fault, err, f)
					}
					if faults.NowOpen() != 0 {
						t.Fatal("a descriptor leaked")
					}
				}
			}
		}
	}
}

func TestIndexErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := spool.Index(t.Context(), pool(spool.OS{}, 1), filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	if f := index(t, filepath.Join(dir, "fifo")); !errors.Is(f.Err, spool.ErrNotRegular) || f.Ino == 0 {
		t.Errorf("a fifo: %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := write(t, filepath.Join(dir, "x"), pcap(t, 1))
	if _, err := spool.Index(ctx, pool(spool.OS{}, 1), path); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
	if _, err := spool.IndexAll(ctx, pool(spool.OS{}, 1), []string{path}); !errors.Is(err, context.Canceled) {
		t.Errorf("all after cancelling: %v", err)
	}
}

func TestIndexTenThousandFiles(t *testing.T) {
	const files, limit = 10_000, 64
	dir := t.TempDir()
	paths := make([]string, files)
	for i := range paths {
		paths[i] = write(t, filepath.Join(dir, fmt.Sprint(i)), pcap(t, int64(1+i)))
	}
	faults := &spooltest.Faults{}
	got, err := spool.IndexAll(t.Context(), pool(faults, limit), paths)
	must(t, err)
	for i, r := range got {
		if r.Err != nil || r.File.Err != nil || r.File.First != packet.Unix(int64(1+i), 0) || r.File.Path != paths[i] {
			t.Fatalf("file %d: %+v", i, r)
		}
	}
	if faults.MaxOpen() > limit || faults.NowOpen() != 0 {
		t.Errorf("%d files open at once, limit %d; %d at the end", faults.MaxOpen(), limit, faults.NowOpen())
	}
}

func BenchmarkIndex(b *testing.B) {
	path := write(b, filepath.Join(b.TempDir(), "x"), append(pcap(b, 1, 2, 3, 4, 5), make([]byte, 1<<20)...))
	d := pool(spool.OS{}, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spool.Index(b.Context(), d, path); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWalk(t *testing.T) {
	dir := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	one := pcap(t, 1)
	for _, name := range []string{"d/b", "d/a", "d/sub/deep/c", "d/.hidden", "d/x.tmp", "d/.git/y", "named.tmp", "target"} {
		write(t, at(name), one)
	}
	write(t, at("d/text"), []byte("hello"))
	must(t, os.Symlink(at("target"), at("link")))
	must(t, os.Symlink(at("target"), at("d/link")))
	must(t, os.Symlink("..", at("d/sub/loop")))
	must(t, os.Symlink(at("d/sub"), at("dirlink")))
	must(t, os.Symlink("dangling", at("nowhere")))
	must(t, syscall.Mkfifo(at("d/fifo"), 0o644))

	paths := []string{at("named.tmp"), at("d"), at("link"), at("target"), at("d/a"), at("dirlink"), at("none"), at("nowhere"), at("d/fifo")}
	walk := func() []string {
		files, err := spool.Walk(t.Context(), pool(spool.OS{}, 2), paths)
		must(t, err)
		var got []string
		for _, f := range files {
			s := strings.TrimPrefix(f.Path, dir+"/") + " " + f.Source
			switch {
			case errors.Is(f.Err, spool.ErrNotRegular):
				s += " irregular"
			case errors.Is(f.Err, fs.ErrNotExist):
				s += " missing"
			case errors.Is(f.Err, pcapfile.ErrNotCapture):
				s += " text"
			case f.Err != nil || !f.HasRecords:
				s += " " + fmt.Sprint(f.Err)
			}
			got = append(got, s)
		}
		return got
	}
	want := []string{
		"named.tmp ", "d/a ", "d/b ", "d/fifo  irregular", "d/link  irregular",
		"d/sub/deep/c sub/deep", "d/sub/loop sub irregular", "d/text  text",
		"target ", "none  missing", "nowhere  missing", "d/fifo  irregular",
	}
	for range 2 {
		if got := walk(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

func TestWalkReportsWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub/a"), pcap(t, 1))
	b := write(t, filepath.Join(dir, "b"), pcap(t, 1))
	faults := &spooltest.Faults{}
	faults.Fail(func(op spooltest.Op, path string) error {
		if op == spooltest.Open && path == b || op == spooltest.ReadDir && strings.HasSuffix(path, "sub") {
			return syscall.EACCES
		}
		return nil
	})
	files, err := spool.Walk(t.Context(), pool(faults, 2), []string{dir})
	must(t, err)
	if len(files) != 2 || !errors.Is(files[0].Err, syscall.EACCES) || !errors.Is(files[1].Err, syscall.EACCES) {
		t.Errorf("got %+v", files)
	}
}
