package pipeline_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// BenchmarkRead is the whole job on generated captures: order, connections,
// vectors, reports, logs; and what it is without vectors. It reports packets per
// second of CPU time, user and system, which a loaded machine changes less than
// wall time.
func BenchmarkRead(b *testing.B) {
	small := traffic.Config{Kind: "small", Flows: 100_000, Seed: 1}
	mix := traffic.Config{Kind: "mix", Flows: 20_000, Seed: 1}
	b.Run("small", func(b *testing.B) { benchmarkRead(b, small, config.Default().Vectors.Windows) })
	b.Run("mix", func(b *testing.B) { benchmarkRead(b, mix, config.Default().Vectors.Windows) })
	b.Run("small-conns", func(b *testing.B) { benchmarkRead(b, small, nil) })
	b.Run("mix-conns", func(b *testing.B) { benchmarkRead(b, mix, nil) })
}

func benchmarkRead(b *testing.B, c traffic.Config, windows []time.Duration) {
	path := filepath.Join(b.TempDir(), "capture.pcap")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	g, err := traffic.New(c)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := traffic.Write(f, g, traffic.Container{Link: traffic.Ethernet}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	begin, collecting := cpu(), collector()
	var packets uint64
	for b.Loop() {
		cfg := config.Default()
		cfg.Logs.Dir, cfg.Vectors.Windows = b.TempDir(), windows
		s, err := pipeline.Read(context.Background(), pipeline.Options{
			Config: cfg, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		}, []string{path})
		if err != nil {
			b.Fatal(err)
		}
		packets += s.Books.Read.Packets
	}
	used := cpu() - begin
	b.ReportMetric(100*(collector()-collecting)/used, "gc-%")
	b.ReportMetric(float64(packets)/used, "packets/cpu-s")
	b.ReportMetric(used*1e9/float64(packets), "cpu-ns/packet")
}

// collector is the CPU time of the garbage collector in seconds.
func collector() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64()
}

// cpu is the CPU time of the process in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
