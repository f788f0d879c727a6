package pipeline

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"pcapdir/analysis/flowvec"
	"pcapdir/daemon/config"
)

func TestGroupMemory(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) string {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("system.slice/memory.max", "1073741824\n")
	write("system.slice/pcapdir.service/memory.max", "max\n")
	write("user.slice/memory.max", "no number\n")
	for text, want := range map[string]int64{
		"0::/system.slice/pcapdir.service\n":   1 << 30,
		"1:cpu:/other\n0::/system.slice\n":     1 << 30,
		"0::/user.slice\n":                     math.MaxInt64,
		"0::/\n":                               math.MaxInt64,
		"0::/../../system.slice/gone/deeper\n": 1 << 30,
		"7:memory:/system.slice\n":             math.MaxInt64,
		"":                                     math.MaxInt64,
	} {
		if got := groupMemory(write("membership", text), root); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := groupMemory(filepath.Join(root, "none"), root); got != math.MaxInt64 {
		t.Errorf("without a membership: %d", got)
	}
}

func TestMemoryIsDivided(t *testing.T) {
	cfg := config.Default()
	if n := MemoryLimit(cfg); n < 64<<20 || n > machineMemory()/2 {
		t.Errorf("by default %d of %d", n, machineMemory())
	}
	cfg.Limits.Memory, cfg.Shards.Count = 512<<20, 4
	if n := MemoryLimit(cfg); n != 512<<20 {
		t.Errorf("%d where it is set", n)
	}
	for memory, want := range map[int64]int{64 << 20: 684, 1 << 20: 64, 512 << 20: 5478, 1 << 40: 1 << 20} {
		c := flowvec.DefaultConfig()
		boundVectors(&c, cfg, memory)
		if c.MaxPairs != want || c.MaxFlows != 2*want {
			t.Errorf("%d MiB: %d pairs, %d flows, want %d", memory>>20, c.MaxPairs, c.MaxFlows, want)
		}
	}
}
