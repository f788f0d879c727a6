package pipeline

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/source/books"
	"pcapdir/source/spool"
)

// Books that do not balance are told of and counted in the next ledger, and the
// file is put away all the same.
func TestMismatchIsToldAndCounted(t *testing.T) {
	dir := t.TempDir()
	sink, err := logs.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	p := newPlant(1, backlogPause, log)
	live := p.newTimeline(nil, connPercent)
	lost := &file{File: &spool.File{Path: "lost"}, on: live}
	lost.books = &books.File{}
	lost.books.Read.Count(60) // and no fate
	live.frontier.CloseInput()
	for i, c := range live.cores {
		shard := live.shards[i]
		if err := shard.Run(t.Context()); err != nil || c.handled != 0 {
			t.Fatalf("%d packets, %v", c.handled, err)
		}
	}
	c := &committer{
		live: live, detector: anomaly.New(anomaly.DefaultConfig()), turn: make(chan struct{}, 1), backlog: p.backlog, log: log,
		files:  &files{plan: stay, finished: []*file{lost}},
		store:  &store{fs: spool.OS{}, dir: dir, sink: sink, setup: newSetup(config.Default()), log: log},
		latest: &latest{},
	}
	live.handed.Add(5) // and nothing arrives
	c.balance(live, live.flow().Check())
	if _, err := c.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := spool.LoadLedger(spool.OS{}, dir)
	if err != nil || l.Books.Live.Mismatches != 2 || l.Books.Live.Files != 1 || l.Books.CatchUp != (books.Totals{}) {
		t.Errorf("%v, ledger %+v", err, l)
	}
	if n := c.snapshot().mismatches; n != 2 {
		t.Errorf("the heartbeat sees %d mismatches, want 2", n)
	}
	for _, want := range []string{"BUG", "file=lost", "0 of 0 bytes handled or dropped", "5 packets left the readers"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not said in %s", want, said.String())
		}
	}
}
