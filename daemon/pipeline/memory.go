package pipeline

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"pcapdir/analysis/flowvec"
	"pcapdir/daemon/config"
	"pcapdir/source"
	"pcapdir/source/packet"
)

// How limits.memory is divided, in percent. What is left is for packets on their way,
// reports, lines that wait, and the collector, which needs room to work in.
const (
	connPercent    = 30 // connections of the live timeline
	catchUpPercent = 10 // of the one that catches up
	vectorPercent  = 20

	fragmentPercent = 5  // of datagrams in the making, on each timeline, 64 MiB at most
	linePercent     = 5  // of lines that wait, as text; on their way they are there up to three times
	windowPercent   = 10 // of packets in the windows of all files that may be open, and as much of fragments there
)

// heldPackets is how many packets the window of a file may hold, out of the share that
// is there for as many files as may be open. It does not depend on how many are: a file
// is read alike whatever is read beside it.
func heldPackets(cfg *config.Config, memory int64) int {
	share := percentOf(memory, windowPercent) / int64(cfg.Limits.OpenFiles) / int64(unsafe.Sizeof(packet.Packet{}))
	return int(max(leastHeld, min(share, source.DefaultHeld)))
}

// leastHeld is how many packets a window holds however little memory there is.
const leastHeld = 256

// leastPairs is how many conversations a shard keeps of a pane however little memory
// there is.
const leastPairs = 64

// pairBytes is what a conversation takes in a pane, its flows and a report's share
// included.
const pairBytes = 700

// MemoryLimit is limits.memory in bytes, or half of what the machine has, or its
// control group (version 2) where that has less.
func MemoryLimit(cfg *config.Config) int64 {
	if cfg.Limits.Memory > 0 {
		return cfg.Limits.Memory
	}
	return min(machineMemory(), groupMemory("/proc/self/cgroup", "/sys/fs/cgroup")) / 2
}

// machineMemory is the machine's, in bytes.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return math.MaxInt64
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// groupMemory is the least limit of the control group that membership (in the form
// of /proc/self/cgroup, version 2) names below root, and of those above it.
func groupMemory(membership, root string) int64 {
	least := int64(math.MaxInt64)
	text, err := os.ReadFile(membership)
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for path := filepath.Clean("/" + group); ; path = filepath.Dir(path) {
			text, err := os.ReadFile(filepath.Join(root, path, "memory.max"))
			if err == nil {
				if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil { // else it is "max"
					least = min(least, n)
				}
			}
			if path == "/" {
				break
			}
		}
	}
	return least
}

// percentOf divides without overflow.
func percentOf(memory int64, percent int64) int64 { return memory / 100 * percent }

// boundVectors makes the tables of each shard small enough: all panes of the longest
// window, the open one, and one on its way to a report.
func boundVectors(c *flowvec.Config, cfg *config.Config, memory int64) {
	panes := int64(2)
	for _, w := range cfg.Vectors.Windows {
		panes = max(panes, 2+int64((w+c.Pane-1)/c.Pane))
	}
	pairs := percentOf(memory, vectorPercent) / int64(ShardCount(cfg)) / panes / pairBytes
	c.MaxPairs = int(max(leastPairs, min(int64(c.MaxPairs), pairs)))
	c.MaxFlows = 2 * c.MaxPairs
}
