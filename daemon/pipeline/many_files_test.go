package pipeline_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/source/packet"
)

// One TCP connection over three files whose names sort against time is one record.
func TestConnectionAcrossFiles(t *testing.T) {
	var c capture
	var want output
	for _, recs := range longTCP(loadCapture(t, "golden/random.pcap.gz").recs) {
		c = capture{"talk", recs}
		want = run(t, plain, config.InsideSort, c.span(), c.write(t, t.TempDir(), "one"))
		if bytes.Count(want.logs["conn"], []byte("\n")) == 1 {
			break // others of these conversations come back after their end
		}
	}
	if n := bytes.Count(want.logs["conn"], []byte("\n")); n != 1 {
		t.Fatalf("the whole capture has %d connections, want 1", n)
	}
	at := c.cuts(true)
	a, b := at[len(at)/3], at[2*len(at)/3]
	dir := t.TempDir()
	capture{"first", c.recs[:a]}.write(t, dir, "z.pcap")
	capture{"second", c.recs[a:b]}.write(t, dir, "m.pcap")
	capture{"third", c.recs[b:]}.write(t, dir, "a.pcap")
	for _, s := range sample {
		got := run(t, s, config.InsideSort, c.span(), dir)
		wantSameLogs(t, want, got)
		if len(got.spool) != 3 {
			t.Errorf("%d files in spool.log, want 3", len(got.spool))
		}
	}
	// The order in which paths are named counts as little.
	got := run(t, plain, config.InsideSort, c.span(), filepath.Join(dir, "a.pcap"), filepath.Join(dir, "z.pcap"), filepath.Join(dir, "m.pcap"))
	wantSameLogs(t, want, got)
}

// longTCP is the records between two TCP endpoints over IPv4 and Ethernet, for
// each pair with at least nine that are in order, the longest first.
func longTCP(recs []record) (long [][]record) {
	talks := map[string][]record{}
	for _, r := range recs {
		d := r.Data
		if len(d) < 54 || d[12] != 8 || d[13] != 0 || d[14] != 0x45 || d[23] != packet.TCP {
			continue
		}
		ends := []string{end(d[26:30], d[34:36]), end(d[30:34], d[36:38])}
		slices.Sort(ends)
		key := strings.Join(ends, " ")
		talks[key] = append(talks[key], r)
	}
	for _, key := range slices.Sorted(maps.Keys(talks)) {
		if len(talks[key]) >= 9 && len(capture{"", talks[key]}.cuts(true)) >= 6 {
			long = append(long, talks[key])
		}
	}
	slices.SortStableFunc(long, func(a, b []record) int { return len(b) - len(a) })
	return long
}

func end(addr, port []byte) string {
	a, _ := netip.AddrFromSlice(addr)
	return fmt.Sprint(a, ":", port)
}

// tight lowers the process's own limit of descriptors, so that a reader that
// holds one too many fails, and gives back what is needed besides.
func tight(t *testing.T, limit int) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	now := syscall.Rlimit{Cur: uint64(limit), Max: was.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
	})
}

// manyFiles compares parts in one directory, read within a limit of open files,
// with the one file.
func manyFiles(t *testing.T, c capture, parts []capture, limit, streams int) {
	t.Helper()
	want := run(t, plain, config.InsideSort, c.span(), c.write(t, t.TempDir(), "one"))
	root := scatter(t, parts, rand.New(rand.NewPCG(5, 6)), forms[:6])
	tight(t, 64)
	j := newJob(t)
	j.cfg.Shards.Count = 2
	j.cfg.Limits.OpenFiles, j.cfg.Spool.Streams = limit, streams
	j.cfg.Vectors.Pane = max(time.Minute, (c.span() / 200).Truncate(time.Minute))
	j.cfg.Vectors.Windows = []time.Duration{j.cfg.Vectors.Pane, 5 * j.cfg.Vectors.Pane}
	got := j.read(t, root)
	wantSameLogs(t, want, got)
	wantSameBooks(t, want, got)
	if len(got.spool) != len(parts) || got.err != nil {
		t.Errorf("%d lines in spool.log for %d files: %v", len(got.spool), len(parts), got.err)
	}
}

// Ten thousand files, in a process that may have 64 descriptors.
func TestTenThousandFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector; it runs without -short")
	}
	c := loadCapture(t, "golden/random.pcap.gz").sorted()
	parts := c.cut(10_000, false, rand.New(rand.NewPCG(1, 1)))
	if len(parts) != 10_000 {
		t.Fatalf("only %d parts", len(parts))
	}
	manyFiles(t, c, parts, 64, 0)
}

// Three hundred files that all span the same time, eight of which may be open,
// or one, or one of which may be read at once.
func TestDeepOverlap(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	parts := c.deal(300, rand.New(rand.NewPCG(2, 1)))
	if len(parts) != 300 {
		t.Fatalf("only %d parts", len(parts))
	}
	for _, limit := range []int{8, 1} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) { manyFiles(t, c, parts, limit, 0) })
	}
	t.Run("one at a time from the disk", func(t *testing.T) { manyFiles(t, c, parts, 1, 1) })
}
