package pipeline

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/sharder"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/spool"
)

// announce deals the n-th packet that announces a connection.
func (d *dealer) announce(n int, now packet.Time) {
	p := packet.Packet{Proto: packet.TCP, Src: packet.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), Eff: now}
	p.SetDataPort(uint16(1 + n%1000))
	d.Route(&p)
}

// announced are the announcements up to an instant, as they are saved.
func (d *dealer) announced(t *testing.T, until packet.Time) []byte {
	t.Helper()
	var b bytes.Buffer
	w := snap.NewWriter(&b)
	d.expected.Save(w, until)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Announcements that are over go, and what has no room is counted.
func TestAnnouncementsAreBounded(t *testing.T) {
	const all, most = 40_000, 1 << 12 // in ten seconds
	var now packet.Time
	d := dealer{Hasher: sharder.Hasher{Shards: 1}, lost: new(atomic.Uint64), passed: func() packet.Time { return now }}
	for n := range all {
		now = packet.Time(n) * packet.Time(time.Second)
		d.announce(n, now)
	}
	before := len(d.announced(t, packet.MaxTime))
	if before > 100*(forgetEvery+400) || d.lost.Load() != 0 {
		t.Errorf("%d bytes are saved, %d announcements lost", before, d.lost.Load())
	}
	for n := range all {
		d.announce(n, now)
	}
	if size := len(d.announced(t, packet.MaxTime)); size > before+100*most || d.lost.Load() < all-most {
		t.Errorf("%d bytes are saved, %d announcements lost", size, d.lost.Load())
	}
}

// What was announced before a cut is in the state that is saved there, however far the
// shards go on, and whatever is forgotten, until the rest of the state is written.
func TestAnnouncedBeforeACut(t *testing.T) {
	p := newPlant(2, backlogPause, slog.New(slog.DiscardHandler))
	live := p.newTimeline(nil, connPercent)
	c := &committer{live: live, backlog: p.backlog, store: &store{fs: spool.OS{}, dir: t.TempDir()}, files: &files{}}
	ctx, cancel := context.WithCancel(t.Context())
	shards, onShards := errgroup.WithContext(ctx)
	defer func() {
		cancel()
		_ = shards.Wait() // cut off
	}()
	live.start(onShards, shards)
	now := packet.Unix(1000, 0)
	live.router.announce(0, now)
	want := live.router.announced(t, now)
	live.frontier.Rest(now.Add(time.Second))
	cut, err := c.cutNow(ctx, live, 1, map[*timeline]place{}, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer cut.saved.close()
	now = now.Add(time.Hour)
	for live.frontier.Rest(now); live.passed().at < now.Floor(epoch); {
		time.Sleep(time.Millisecond)
	}
	for n := range forgetEvery {
		live.router.announce(1+n, now)
	}
	if left := live.router.announced(t, cut.covered.Eff); bytes.Equal(left, want) {
		t.Error("nothing is forgotten")
	}
	st, err := c.keepTimeline(&commit{}, cut)
	if err != nil {
		t.Fatal(err)
	}
	again := p.newTimeline(nil, connPercent)
	if err := again.restore(c.store, p, &st); err != nil {
		t.Fatal(err)
	}
	if got := again.router.announced(t, packet.MaxTime); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of announcements are restored, want %d", len(got), len(want))
	}
}
