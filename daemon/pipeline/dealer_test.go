package pipeline

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"pcapdir/sharder"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// Announcements that are over go before a commit asks for it, and what has no room is
// counted.
func TestAnnouncementsAreBounded(t *testing.T) {
	var now packet.Time
	d := dealer{Hasher: sharder.Hasher{Shards: 1}, lost: new(atomic.Uint64), passed: func() packet.Time { return now }}
	announce := func(n int) {
		p := packet.Packet{Proto: packet.TCP, Src: packet.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), Eff: now}
		p.SetDataPort(uint16(1 + n%1000))
		d.Route(&p)
	}
	saved := func() int {
		var b bytes.Buffer
		w := snap.NewWriter(&b)
		d.expected.Save(w, packet.MaxTime)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Len()
	}
	for n := range 10 * forgetEvery {
		now = packet.Time(n) * packet.Time(time.Second)
		announce(n)
	}
	if size := saved(); size > 100*(forgetEvery+1000) || d.lost.Load() != 0 {
		t.Errorf("%d bytes are saved, %d announcements lost", size, d.lost.Load())
	}
	before := saved()
	for n := range 10 * forgetEvery { // at a time
		announce(n)
	}
	if size := saved(); size > before+100*forgetEvery || d.lost.Load() < 8*forgetEvery {
		t.Errorf("%d bytes are saved, %d announcements lost", size, d.lost.Load())
	}
}
