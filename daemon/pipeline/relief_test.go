package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/sharder"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// newPlant is a plant for timelines of so many shards, where readers pause once lines of
// more than pause bytes wait for the committer.
func newPlant(shards int, pause int64, log *slog.Logger) *plant {
	return &plant{
		sizes: merge.DefaultConfig(shards), hasher: sharder.Hasher{Shards: shards}, backlog: newBacklog(pause), spare: &spare{},
		conn: conn.DefaultConfig(), log: log,
	}
}

// However many connections end, or are shown, when event time jumps, lines do not pile
// up: the shard hands them over bit by bit, in order, and waits where it may.
func TestManyLinesAtOnce(t *testing.T) {
	for _, shown := range []time.Duration{0, 10 * time.Second} {
		manyLinesAtOnce(t, shown)
	}
}

func manyLinesAtOnce(t *testing.T, shown time.Duration) {
	t.Helper()
	const flows = 20_000
	packets := make([]*packet.Packet, flows)
	for i := range packets {
		at := packet.Unix(1_700_000_000, 0).Add(time.Duration(i) * 100 * time.Microsecond)
		p := &packet.Packet{Eff: at, TS: at, Proto: packet.UDP, WireLen: 60, UDPLen: 8, SrcPort: 1000, DstPort: 2000, Hash: uint64(i+1) * 0x9e3779b97f4a7c15}
		binary.BigEndian.PutUint32(p.Src[12:], uint32(i))
		packets[i] = p
	}
	end := packets[flows-1].Eff.Add(time.Hour)
	through := func(pause int64) (text, opens []byte, most int) {
		p := newPlant(1, pause, slog.New(slog.DiscardHandler))
		p.conn.OpenInterval = shown
		vectors := flowvec.DefaultConfig()
		c := p.newTimeline(&vectors, connPercent).cores[0]
		paneEnd, paneSeen := packets[0].Eff.Floor(vectors.Pane).Add(vectors.Pane), false
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
			end := c.out.progress()
			c.out.fetch(end, &y)
			if paneSeen = paneSeen || len(y.panes) > 0; end.at > paneEnd && !paneSeen {
				t.Fatalf("all before %v is said to be there, and the pane that ends at %v is not", end.at, paneEnd)
			}
			text = merged(text, y.conns, func(dst, line []byte) []byte { return append(dst, line...) })
			opens = merged(opens, y.opens, func(dst, line []byte) []byte { return append(dst, line...) })
		}
		return text, opens, most
	}
	want, wantOpens, all := through(backlogPause)
	const pause = 256 << 10
	got, opens, most := through(pause)
	same := bytes.Equal(got, want) && bytes.Equal(opens, wantOpens)
	if n := bytes.Count(want, []byte("\n")); n != flows || !same || (len(opens) > 0) != (shown > 0) {
		t.Errorf("%d lines, and %d bytes of open connections, the same in the same order: %v", n, len(opens), same)
	}
	// What ends within a bucket of the wheel, or is shown within a second, comes at once.
	if all < len(want)/2 || most > 2*pause+len(want)*6/10 {
		t.Errorf("%d bytes waited at most, without a limit %d of %d", most, all, len(want)+len(opens))
	}
}

// What was handed over is never taken back, though the tracker's clock has ticks.
func TestReachIsNeverBack(t *testing.T) {
	p := newPlant(1, 1, slog.New(slog.DiscardHandler))
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

// A flush hands lines over bit by bit, and with the first of them all tunnels: those of
// its instant are named, too.
func TestTunnelsOfTheLastInstant(t *testing.T) {
	const inside = 5000
	at := packet.Unix(1_700_000_000, 0)
	packets := []*packet.Packet{{Eff: at, TS: at, Proto: packet.UDP, WireLen: 60, UDPLen: 8, SrcPort: 7, DstPort: 4789, Hash: 77, Flags: packet.Carrier}}
	for i := range inside {
		p := &packet.Packet{Eff: at, TS: at, Proto: packet.UDP, WireLen: 60, UDPLen: 8, SrcPort: 1000, DstPort: 2000, Hash: uint64(i+1) * 0x9e3779b97f4a7c15, Outer: 77}
		binary.BigEndian.PutUint32(p.Src[12:], uint32(i))
		packets = append(packets, p)
	}
	p := newPlant(1, 256<<10, slog.New(slog.DiscardHandler))
	live := p.newTimeline(nil, connPercent)
	c := live.cores[0]
	stop := make(chan struct{})
	defer close(stop)
	c.stop = stop
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		c.Handle(packets)
		c.Advance(at)
		c.Finish(at)
	}()
	var text []byte
	for done := false; !done; {
		select {
		case <-gone:
			done = true
		case <-p.backlog.kick:
		}
		y := live.cut().fetch()
		live.carriers.add(y.tunnels)
		text = merged(text, y.conns, live.carriers.appendLine)
	}
	if n, all := bytes.Count(text, []byte("tunnel_parents")), bytes.Count(text, []byte("\n")); n != inside || all != inside+1 {
		t.Errorf("%d of %d lines have tunnel_parents, want %d", n, all, inside)
	}
}

// Who gives up while shards are on their way to a cut leaves nothing behind that the
// next cut could take for its own.
func TestCutAfterGivingUp(t *testing.T) {
	p := newPlant(2, backlogPause, slog.New(slog.DiscardHandler))
	live := p.newTimeline(nil, connPercent)
	c := &committer{live: live, backlog: p.backlog, store: &store{fs: spool.OS{}, dir: t.TempDir()}}
	full := errors.New("the disk is full")
	p.backlog.waiters.Add(1)
	if _, err := c.cutNow(t.Context(), live, 1, map[*timeline]place{}, func() error { return full }); !errors.Is(err, full) {
		t.Fatalf("%v, want to give up", err)
	}
	p.backlog.waiters.Add(-1)
	to := packet.Unix(1000, 0)
	live.frontier.Rest(to)
	ctx, cancel := context.WithCancel(t.Context())
	shards, onShards := errgroup.WithContext(ctx)
	defer func() {
		cancel()
		_ = shards.Wait() // cut off
	}()
	time.AfterFunc(20*time.Millisecond, func() { live.start(onShards, shards) })
	got, err := c.cutNow(ctx, live, 1, map[*timeline]place{}, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer got.saved.close()
	if got.covered.Eff != to || got.end != before(to) || len(got.saved.segments) != 3 || got.saved.left != 0 {
		t.Errorf("cut at %v, lines up to %v, %d segments, %d to come", got.covered.Eff, got.end.at, len(got.saved.segments), got.saved.left)
	}
}
