package conn

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// inUse is the heap that is referred to.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// backed is the memory of this process that is backed by pages, in bytes: tables have
// room for more than they hold, which costs addresses only until it is used.
func backed(t *testing.T) int {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	var size, pages int
	if err == nil {
		_, err = fmt.Sscan(string(text), &size, &pages)
	}
	if err != nil {
		t.Skip("the kernel does not say how much memory is resident: ", err)
	}
	return pages * os.Getpagesize()
}

// A million connections at once, everything that is kept for them counted: table,
// flows, streams, timers.
func TestMemoryOfAMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const n = 1_000_000
	for _, c := range []struct {
		name  string
		proto uint8
		most  float64 // bytes
	}{{"tcp", packet.TCP, 300}, {"udp", packet.UDP, 205}} {
		before, pages := inUse(), backed(t)
		tr := New(DefaultConfig(), Deps{Emit: func(packet.Time, *logs.Conn) {}})
		for i := range n {
			converse(tr, i, c.proto)
		}
		each := float64(inUse()-before) / n
		if tr.Len() != n || each > c.most {
			t.Errorf("%s: %d connections, %.1f bytes each, want %d and at most %.0f", c.name, tr.Len(), each, n, c.most)
		}
		t.Logf("%s: %.1f bytes each, %.1f resident", c.name, each, float64(backed(t)-pages)/n)
		runtime.KeepAlive(tr)
	}
}

// converse makes connection i: a handshake and data both ways, or two datagrams.
func converse(tr *Tracker, i int, proto uint8) {
	now := packet.Time(i) * packet.Time(time.Microsecond)
	p := packet.Packet{
		Eff: now, TS: now, Hash: uint64(i+1) * 0xff51afd7ed558ccd >> 7, Proto: proto, SrcPort: 40000, DstPort: 6001,
		Src: packet.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Dst: packet.AddrFrom4([4]byte{192, 0, 2, 1}),
		Win: 100, IPLen: 40, UDPLen: 18,
	}
	q := p
	q.Src, q.Dst, q.SrcPort, q.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	if proto == packet.UDP {
		tr.Handle(&p)
		tr.Handle(&q)
		return
	}
	p.Seq, p.TCPFlags = 100, packet.SYN
	tr.Handle(&p)
	q.Seq, q.Ack, q.TCPFlags = 900, 101, packet.SYN|packet.ACK
	tr.Handle(&q)
	p.Seq, p.Ack, p.TCPFlags, p.PayLen, p.CapLen = 101, 901, packet.ACK, 10, 10
	tr.Handle(&p)
	q.Seq, q.Ack, q.TCPFlags, q.PayLen, q.CapLen = 901, 111, packet.ACK, 20, 20
	tr.Handle(&q)
}
