package flowvec

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pcapdir/source/packet"
)

// crowd is one pane of many conversations: enough for the sort by digits, some
// of them busy, some of jumbo packets, some of several flows.
func crowd(pane int, seed uint64) []packet.Packet {
	r := rand.New(rand.NewPCG(seed, uint64(pane)))
	out := make([]packet.Packet, 40_000)
	for i := range out {
		n := r.IntN(5000)
		p := packet.Packet{
			Eff: packet.Time(pane)*minute + packet.Time(i)*minute/packet.Time(len(out)), Src: addr(n), Dst: addr(1<<16 + n%700),
			SrcPort: uint16(n%3*r.IntN(3) + 1), DstPort: 443, Proto: packet.UDP, TTL: 60, IPLen: 90, PayLen: 50,
		}
		if n%50 == 0 {
			p.Src, p.Dst = addr(n%500), addr(1<<17) // ten conversations share a fiftieth of the packets
			p.IPLen = uint32(r.IntN(70_000))
			p.PayLen = p.IPLen / 2
		}
		if n%100 == 1 {
			p.PayLen = 1<<32 - 1 // no packet has that; sums must stand it
		}
		if r.IntN(2) == 0 {
			p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
		}
		out[i] = hashed(p)
	}
	return out
}

// Windows of any length are the same conversations for one shard and for
// three that share pairs; memory that goes round does not show.
func TestManyConversationsInAnySplit(t *testing.T) {
	run := func(shards uint64) (all [][]Conversation) {
		tables := make([]*Table, shards)
		for i := range tables {
			tables[i] = New(DefaultConfig())
		}
		w := NewWindows(time.Minute, 3*time.Minute)
		for pane := range 6 {
			packets := crowd(pane, 7)
			for i := range packets {
				p := &packets[i]
				tables[p.Hash%shards].Add(p, uidOf(p))
			}
			var parts []*Pane
			for _, table := range tables {
				parts = append(parts, table.ClosePane())
			}
			w.Push(packet.Time(pane+1)*minute, parts, true)
			for _, length := range []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute} {
				all = append(all, read(w, length))
			}
		}
		return all
	}
	want, got := run(1), run(3)
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("pane %d, window of %d panes: three shards give other conversations", i/3, i%3+1)
		}
		packets := uint64(0)
		for k := range want[i] {
			packets += want[i][k].sides[0].n + want[i][k].sides[1].n
		}
		if panes := min(i/3, i%3) + 1; packets != uint64(panes)*40_000 {
			t.Errorf("pane %d, window of %d panes: %d packets", i/3, i%3+1, packets)
		}
	}
}
