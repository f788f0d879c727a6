package pipeline

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/sharder"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// However many connections end within an instant's reach, lines do not pile up: the
// shard hands them over bit by bit, in order, and waits where it may.
func TestManyLinesAtOnce(t *testing.T) {
	const flows = 20_000
	packets := make([]*packet.Packet, flows)
	for i := range packets {
		at := packet.Unix(1_700_000_000, 0).Add(time.Duration(i) * 100 * time.Microsecond)
		p := &packet.Packet{Eff: at, TS: at, Proto: packet.UDP, WireLen: 60, UDPLen: 8, SrcPort: 1000, DstPort: 2000, Hash: uint64(i+1) * 0x9e3779b97f4a7c15}
		binary.BigEndian.PutUint32(p.Src[12:], uint32(i))
		packets[i] = p
	}
	end := packets[flows-1].Eff.Add(time.Hour)
	through := func(pause int64) (text []byte, most int) {
		p := &plant{
			sizes: merge.DefaultConfig(1), router: &sharder.Hasher{Shards: 1}, backlog: newBacklog(pause), spare: &spare{},
			conn: conn.DefaultConfig(), log: slog.New(slog.DiscardHandler),
		}
		c := p.newTimeline(nil, connPercent).cores[0]
		c.flushBytes, c.freshBytes = int(pause), int(pause)/4
		stop := make(chan struct{})
		c.stop = stop
		defer close(stop)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			c.Handle(packets[:flows/2])
			c.Handle(packets[flows/2:])
			c.Advance(end)
		}()
		for done := false; !done; {
			select {
			case <-gone:
				done = true
			case <-p.backlog.kick:
			}
			most = max(most, c.out.waiting())
			var y yield
			c.out.fetch(c.out.progress(), &y)
			text = merged(text, y.conns, func(dst, line []byte) []byte { return append(dst, line...) })
		}
		return text, most
	}
	want, all := through(backlogPause)
	const pause = 256 << 10
	got, most := through(pause)
	if n := bytes.Count(want, []byte("\n")); n != flows || !bytes.Equal(got, want) {
		t.Errorf("%d lines, the same in the same order: %v", n, bytes.Equal(got, want))
	}
	// What ends within a bucket of the wheel comes at once.
	if all < len(want)/2 || most > 2*pause+all/10 {
		t.Errorf("%d bytes waited at most, without a limit %d of %d", most, all, len(want))
	}
}

// What was handed over is never taken back, though the tracker's clock has ticks.
func TestReachIsNeverBack(t *testing.T) {
	p := &plant{
		sizes: merge.DefaultConfig(1), router: &sharder.Hasher{Shards: 1}, backlog: newBacklog(1), spare: &spare{},
		conn: conn.DefaultConfig(), log: slog.New(slog.DiscardHandler),
	}
	c := p.newTimeline(nil, connPercent).cores[0]
	end := packet.Unix(1_700_000_000, 0)
	c.Advance(end)
	c.fresh.add(before(end.Add(5)), func(dst []byte) []byte { return append(dst, "{}\n"...) })
	c.reach(end.Add(-600 * time.Microsecond))
	if got := c.out.progress(); got != before(end) {
		t.Errorf("handed over up to %v, then up to %v", end, got.at)
	}
	c.reach(end.Add(10))
	if got := c.out.progress(); got != before(end.Add(10)) || len(c.fresh.list) > 0 {
		t.Errorf("handed over up to %v, %d lines left", got.at, len(c.fresh.list))
	}
}
