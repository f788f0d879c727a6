package merge

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"pcapdir/source/packet"
)

// BenchmarkMerge is the hand-off and the merge alone: files that all overlap,
// made up on the fly, over two shards. The cost of order is what grows with the
// number of files.
func BenchmarkMerge(b *testing.B) {
	for _, files := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("files-%d", files), func(b *testing.B) {
			const packets = 1 << 19
			b.ReportAllocs()
			for b.Loop() {
				mergeOnce(b, files, packets/files)
			}
			n := float64(b.N) * packets
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/packet")
			b.ReportMetric(n/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

func mergeOnce(b *testing.B, files, each int) {
	const shards = 2
	f := NewFrontier(DefaultConfig(shards))
	ctx, done := context.WithCancel(b.Context())
	defer done()
	go func() { _ = f.Schedule(ctx) }()
	entries := make([]Entry, files)
	for i := range entries {
		entries[i] = Entry{File: uint64(i), Start: func(w *Writer) {
			go func() {
				defer w.Close()
				var p packet.Packet
				for n := range each {
					p.Eff = packet.Time(n*files + i)
					p.Rec = uint64(n)
					w.Append(n&1, &p)
				}
			}()
		}}
	}
	f.Admit(entries...)
	f.CloseInput()
	go relayNothing(NewRelay(ctx, f))
	var running sync.WaitGroup
	for i := range shards {
		running.Go(func() {
			if n := consume(ctx, NewMerger(f, i)); n != files*each/shards {
				b.Errorf("shard %d had %d packets of %d", i, n, files*each/shards)
			}
		})
	}
	running.Wait()
}

// relayNothing is a relay that nothing is diverted to.
func relayNothing(r *Relay) {
	for {
		safe := r.Load()
		if !r.Advance(safe) || safe == packet.MaxOrder || r.Wait() != nil {
			return
		}
	}
}

func consume(ctx context.Context, m *Merger) (n int) {
	refs := make([]*packet.Packet, 0, 256)
	for {
		safe, _ := m.Load()
		for refs = m.Next(refs[:0]); len(refs) > 0; refs = m.Next(refs[:0]) {
			n += len(refs)
		}
		if safe == packet.MaxOrder || m.Wait(ctx) != nil {
			return n
		}
	}
}
