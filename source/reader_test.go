package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/source/books"
	"pcapdir/source/decompress"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// oneShard routes everything to shard 0.
type oneShard struct{}

func (oneShard) Route(*packet.Packet) int { return 0 }

// open is a gate that never closes.
type open struct{}

func (open) Closed() bool               { return false }
func (open) Wait(context.Context) error { return nil }

func capture(t testing.TB, packets uint64, c traffic.Container) []byte {
	g, err := traffic.New(traffic.Config{Kind: "mix", Packets: packets, Flows: 50})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	c.Link = traffic.Ethernet
	if _, err := traffic.Write(&b, g, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAll reads one file through a run and a merger.
func readAll(t *testing.T, cfg Config, file []byte, src func(io.Reader) io.Reader) (books.File, []packet.Packet) {
	t.Helper()
	kept := make(chan books.File, 1)
	got := merged(t, merge.Entry{File: 1, First: leastStamp, Start: func(w *merge.Writer) {
		go func() {
			kept <- NewReader(cfg, oneShard{}, open{}, w).Read(t.Context(), src(bytes.NewReader(file)), decompress.Plain)
		}()
	}})
	return <-kept, got
}

// merged is what one shard gets of entries, which are all the input.
func merged(t *testing.T, entries ...merge.Entry) (got []packet.Packet) {
	t.Helper()
	ctx := t.Context()
	f := merge.NewFrontier(merge.Config{Shards: 1, Batch: 16, Queue: 2})
	scheduling, done := context.WithCancel(ctx)
	go func() { _ = f.Schedule(scheduling) }()
	defer done()
	f.Admit(entries...)
	f.CloseInput()
	m := merge.NewMerger(f, 0)
	refs := make([]*packet.Packet, 0, 64)
	for {
		safe, _ := m.Load()
		for refs = m.Next(refs[:0]); len(refs) > 0; refs = m.Next(refs[:0]) {
			for _, p := range refs {
				got = append(got, *p)
			}
		}
		if safe == packet.MaxOrder {
			return got
		}
		if err := m.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func plain(r io.Reader) io.Reader { return r }

func TestReaderDeliversInOrderAndBooksBalance(t *testing.T) {
	for _, cfg := range []Config{{}, {Sort: true, Window: 100 * time.Millisecond}} {
		b, got := readAll(t, cfg, capture(t, 5000, traffic.Container{}), plain)
		if b.Err != nil || b.Check() != nil || b.Read.Packets != 5000 || b.Format != "pcap" {
			t.Errorf("books: %+v", b)
		}
		if uint64(len(got)) != b.Handled.Packets {
			t.Errorf("%d packets came, the books say %d", len(got), b.Handled.Packets)
		}
		if !slices.IsSortedFunc(got, func(a, b packet.Packet) int { return a.Order(1).Compare(b.Order(1)) }) {
			t.Error("packets are not in order")
		}
		if !b.Sent || b.End != got[len(got)-1].Order(1) || b.First != got[0].TS {
			t.Errorf("ends: %+v", b)
		}
	}
}

// What is readable before the damage is handed on, and the damage is named.
func TestReaderKeepsWhatIsBeforeDamage(t *testing.T) {
	file := capture(t, 200, traffic.Container{})
	_, whole := readAll(t, Config{}, file, plain)
	b, got := readAll(t, Config{}, file[:len(file)-5], plain)
	if b.Err == nil || !errors.Is(b.Err, io.ErrUnexpectedEOF) || b.Check() != nil || b.Read.Packets != 199 {
		t.Errorf("books: %+v", b)
	}
	if len(got) < len(whole)-1 || !slices.Equal(got, whole[:len(got)]) {
		t.Errorf("%d packets before the damage, of %d", len(got), len(whole))
	}
}

// A disk error is reported as one, after all that could be read.
func TestReaderReportsADiskError(t *testing.T) {
	broken := errors.New("input/output error")
	file := capture(t, 200, traffic.Container{})
	b, got := readAll(t, Config{}, file, func(r io.Reader) io.Reader {
		return io.MultiReader(io.LimitReader(r, int64(len(file)/2)), failing{broken})
	})
	if !errors.Is(b.Err, broken) || len(got) == 0 || b.Check() != nil {
		t.Errorf("books: %+v, %d packets", b, len(got))
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// All packets of one effective time carry the rank of the first, and the rank
// is the content's: not the container's, nor the place in the file.
func TestRankIsOfTheContent(t *testing.T) {
	_, a := readAll(t, Config{}, capture(t, 3000, traffic.Container{}), plain)
	_, b := readAll(t, Config{}, capture(t, 3000, traffic.Container{NG: true}), plain)
	if !slices.Equal(a, b) {
		t.Error("pcap and pcapng give different packets")
	}
	for i := 1; i < len(a); i++ {
		if a[i].Eff == a[i-1].Eff && a[i].Rank != a[i-1].Rank {
			t.Errorf("packets %d and %d share a time but not a rank", i-1, i)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	for _, kind := range []string{"small", "mix"} {
		b.Run(kind, func(b *testing.B) { benchmarkReader(b, kind) })
	}
}

// benchmarkReader is read, frame, decode, order, rank and hand-over to one
// shard that does nothing.
func benchmarkReader(b *testing.B, kind string) {
	g, err := traffic.New(traffic.Config{Kind: kind, Packets: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := traffic.Write(&file, g, traffic.Container{Link: traffic.Ethernet}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	packets := uint64(0)
	for b.Loop() {
		packets += drain(b, file.Bytes())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

func drain(b *testing.B, file []byte) uint64 {
	f := merge.NewFrontier(merge.DefaultConfig(1))
	ctx, done := context.WithCancel(b.Context())
	defer done()
	go func() { _ = f.Schedule(ctx) }()
	kept := make(chan books.File, 1)
	f.Admit(merge.Entry{First: leastStamp, Start: func(w *merge.Writer) {
		r := NewReader(Config{Sort: true, Window: 100 * time.Millisecond}, oneShard{}, open{}, w)
		go func() { kept <- r.Read(ctx, bytes.NewReader(file), decompress.Plain) }()
	}})
	f.CloseInput()
	m := merge.NewMerger(f, 0)
	refs := make([]*packet.Packet, 0, 256)
	for {
		safe, _ := m.Load()
		for refs = m.Next(refs[:0]); len(refs) > 0; refs = m.Next(refs[:0]) {
		}
		if safe == packet.MaxOrder {
			return (<-kept).Read.Packets
		}
		if err := m.Wait(ctx); err != nil {
			panic(fmt.Sprint("BUG: ", err))
		}
	}
}
