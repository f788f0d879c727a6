package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/source/books"
	"pcapdir/source/decompress"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// readRun reads one run of a file, from its place in the file or from the start.
func readRun(t *testing.T, cfg Config, text []byte, run Run, seek bool) (books.File, []packet.Packet) {
	t.Helper()
	kept := make(chan books.File, 1)
	got := merged(t, merge.Entry{File: 1, First: run.First.Add(-cfg.Lead()), Start: func(w *merge.Writer) {
		r := NewReader(cfg, oneShard{}, open{}, w)
		src := io.Reader(bytes.NewReader(text))
		r.Only(run)
		if seek {
			if at := r.Seek(decompress.Plain, "pcap"); at > 0 {
				src = pcapfile.From(bytes.NewReader(text), bytes.NewReader(text[at:]))
			}
		}
		go func() { kept <- r.Read(t.Context(), src, decompress.Plain) }()
	}})
	return <-kept, got
}

// The runs of a file hold each of its records once, with the verdict that the
// file as a whole has on it, and inside them every stamp that is believed is the
// effective time: nothing is lifted.
func TestRunsAreTheFileInOrder(t *testing.T) {
	cfg := Config{Sort: true, Window: 20 * time.Millisecond, Latest: packet.Unix(1_800_000_000, 0), Buffer: 64}
	runs := 0
	for seed := range uint64(300) {
		_, text := doubtful(t, rand.New(rand.NewPCG(seed, 3)), 1)
		want, whole := readAll(t, cfg, text, plain)
		stamps := map[uint64]packet.Packet{}
		for _, p := range whole {
			stamps[p.Rec] = p
		}
		s := ScanFile(t.Context(), cfg, bytes.NewReader(text), decompress.Plain)
		var sum books.File
		seen := map[uint64]bool{}
		for _, run := range s.Runs {
			kept, got := readRun(t, cfg, text, run, seed%2 == 0)
			sum.Add(&kept)
			for _, p := range got {
				w := stamps[p.Rec]
				suspect := p.Flags&packet.Suspect != 0
				if p.TS != w.TS || p.Flags != w.Flags || seen[p.Rec] || p.Rec < run.From || p.Rec >= run.To || !suspect && p.Eff != p.TS {
					t.Fatalf("seed %d, run %+v: %+v, want %+v", seed, run, p, w)
				}
				seen[p.Rec] = true
			}
		}
		runs += len(s.Runs)
		if len(seen) != len(whole) || s.Err != nil || s.Inversions != want.Inversions {
			t.Fatalf("seed %d: %d packets of %d, %d inversions of %d, %v", seed, len(seen), len(whole), s.Inversions, want.Inversions, s.Err)
		}
		sum.Inversions, sum.End = want.Inversions, want.End
		if !reflect.DeepEqual(sum, want) {
			t.Fatalf("seed %d: the books of the runs are\n%+v, of the file\n%+v", seed, sum, want)
		}
	}
	if runs < 450 {
		t.Errorf("only %d runs: little is tested", runs)
	}
}

// A scan says how far it got, and no later than it is asked stops.
func TestScanEndsEarly(t *testing.T) {
	text := capture(t, 5000, traffic.Container{})
	cfg := Config{Sort: true, Window: 100 * time.Millisecond}
	s := ScanFile(t.Context(), cfg, bytes.NewReader(text[:len(text)-5]), decompress.Plain)
	if !errors.Is(s.Err, io.ErrUnexpectedEOF) || len(s.Runs) != 1 || s.Runs[0].To != 4999 || s.Format != "pcap" {
		t.Errorf("cut short: %+v", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := ScanFile(ctx, cfg, bytes.NewReader(text), decompress.Plain); !errors.Is(s.Err, context.Canceled) {
		t.Errorf("cancelled: %+v", s)
	}
	if s := ScanFile(t.Context(), cfg, bytes.NewReader(nil), decompress.Gzip); s.Err == nil || len(s.Runs) != 0 {
		t.Errorf("no gzip: %+v", s)
	}
}

func BenchmarkScan(b *testing.B) {
	g, err := traffic.New(traffic.Config{Kind: "small", Packets: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := traffic.Write(&file, g, traffic.Container{Link: traffic.Ethernet}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s := ScanFile(b.Context(), Config{Sort: true}, bytes.NewReader(file.Bytes()), decompress.Plain); s.Err != nil {
			b.Fatal(s.Err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/packet")
}

// Whatever the bytes are, runs follow each other without a gap, and reading them
// gives what reading the file gives.
func FuzzScan(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg := Config{Sort: true, Window: 20 * time.Millisecond, Latest: packet.Unix(1_800_000_000, 0), Buffer: 64}
		want, _ := readAll(t, cfg, text, plain)
		s := ScanFile(t.Context(), cfg, bytes.NewReader(text), decompress.Plain)
		var sum books.File
		next := uint64(0)
		for _, run := range s.Runs {
			if run.From != next || run.To <= run.From {
				t.Fatalf("runs %+v", s.Runs)
			}
			next = run.To
			if len(s.Runs) <= 8 { // each takes a merge of its own
				kept, _ := readRun(t, cfg, text, run, seekable(decompress.Plain, s.Format))
				sum.Add(&kept)
			}
		}
		if next != want.Read.Packets || s.Inversions != want.Inversions || (s.Err == nil) != (want.Err == nil) {
			t.Fatalf("scan %+v, books %+v", s, want)
		}
		if len(s.Runs) <= 8 && (sum.Read != want.Read || sum.Handled != want.Handled || sum.Dropped != want.Dropped || sum.Suspect != want.Suspect) {
			t.Fatalf("runs %+v, books %+v, file %+v", s.Runs, sum, want)
		}
	})
}
