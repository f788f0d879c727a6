package conn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/sharder"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// What would be an index beyond its table is refused.
func TestNonsenseIsRefused(t *testing.T) {
	h := sharder.Hasher{Shards: 1}
	for name, change := range map[string]func(f *flow){
		"none":      nil,
		"timeout":   func(f *flow) { f.idle = idleClasses },
		"history":   func(f *flow) { f.histLen = uint8(len(f.hist) + 1) },
		"transport": func(f *flow) { f.proto = packet.TCP },
	} {
		tr, now := routed(1, DefaultConfig())
		if change != nil {
			change(tr.flows.at(1))
		}
		var text bytes.Buffer
		w := snap.NewWriter(&text)
		tr.Save(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := snap.NewReader(&text, int64(text.Len()))
		err := Load(r, []*Tracker{New(DefaultConfig(), tr.deps)}, now, h.Route)
		if refused := errors.Is(err, errBroken); refused != (change != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// routed fills a Tracker with n flows as resident does, with the hashes that a sharder
// gives them.
func routed(n int, cfg Config) (*Tracker, packet.Time) {
	tr := New(cfg, Deps{Emit: func(packet.Time, *logs.Conn) {}, Open: func(packet.Time, *logs.Conn) {}})
	c := &crowd{n: n, seqs: make([]uint32, n)}
	h := sharder.Hasher{Shards: 1}
	var p packet.Packet
	for i := range n {
		c.fill(&p, i)
		h.Route(&p)
		tr.Handle(&p)
		p.Src, p.Dst, p.SrcPort, p.DstPort, p.Seq, p.Ack = p.Dst, p.Src, p.DstPort, p.SrcPort, p.Ack, p.Seq
		tr.Handle(&p)
	}
	tr.Advance(c.now + 1)
	return tr, c.now + 1
}

func benchmarkSnapshot(b *testing.B, do func(b *testing.B, tr *Tracker, cfg Config, now packet.Time)) {
	for _, n := range []int{100_000, 1_000_000} {
		for _, every := range []time.Duration{0, time.Hour} {
			b.Run(fmt.Sprintf("flows=%d/shown=%v", n, every > 0), func(b *testing.B) {
				cfg := DefaultConfig()
				cfg.OpenInterval = every
				tr, now := routed(n, cfg)
				b.ResetTimer()
				do(b, tr, cfg, now)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/conn")
			})
		}
	}
}

func BenchmarkSave(b *testing.B) {
	benchmarkSnapshot(b, func(b *testing.B, tr *Tracker, _ Config, _ packet.Time) {
		for b.Loop() {
			w := snap.NewWriter(io.Discard)
			tr.Save(w)
			_ = w.Close()
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	benchmarkSnapshot(b, func(b *testing.B, tr *Tracker, cfg Config, now packet.Time) {
		var text bytes.Buffer
		w := snap.NewWriter(&text)
		tr.Save(w)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		h := sharder.Hasher{Shards: 4}
		b.ResetTimer()
		for b.Loop() {
			into := make([]*Tracker, h.Shards)
			for i := range into {
				into[i] = New(cfg, tr.deps)
			}
			r := snap.NewReader(bytes.NewReader(text.Bytes()), int64(text.Len()))
			if err := Load(r, into, now, h.Route); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(text.Len())/float64(tr.Len()), "B/conn")
	})
}
