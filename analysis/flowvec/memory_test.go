package flowvec

import (
	"runtime"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// What a burst of conversations took goes back to the heap once no window holds
// it: one chunk that lives on keeps no other.
func TestABurstsMemoryGoesBack(t *testing.T) {
	table, windows := New(DefaultConfig()), NewWindows(time.Minute, 5*time.Minute)
	pane := func(minute, pairs int) {
		start := packet.Time(minute) * packet.Time(time.Minute)
		for n := range pairs {
			p := packet.Packet{
				Eff: start + packet.Time(n), Proto: packet.UDP, SrcPort: 5, DstPort: 53, IPLen: 50,
				Src: packet.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), Dst: packet.AddrFrom4([4]byte{10, 255, 255, 255}),
			}
			table.Add(&p, logs.UID{})
		}
		windows.Push(start.Add(time.Minute), []*Pane{table.ClosePane()}, true)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	pane(0, 300_000)
	full := heap()
	for minute := 1; minute < 40; minute++ {
		pane(minute, 1)
		runtime.GC()
	}
	if after := heap(); after > before+4<<20 || full < before+40<<20 {
		t.Errorf("heap of %d MiB before, %d MiB with the burst, %d MiB after it", before>>20, full>>20, after>>20)
	}
	runtime.KeepAlive(table)
	runtime.KeepAlive(windows)
}
