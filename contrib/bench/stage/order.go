package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/sharder"
	"pcapdir/source"
	"pcapdir/source/decode"
	"pcapdir/source/defrag"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/spool"
)

// The daemon's defaults.
const (
	window    = 100 * time.Millisecond // order.window
	epoch     = time.Second
	openFiles = 256 // limits.open_files
)

// read reads, decodes and hashes a plain capture.
func read(path string) (packets uint64, err error) {
	router := sharder.Hasher{Shards: 1}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	file, err := pcapfile.NewReader(f, 0)
	if err != nil {
		return 0, err
	}
	var rec pcapfile.Record
	var p packet.Packet
	var in decode.Inside
	for {
		if err := file.Next(&rec); errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return packets, nil
		} else if err != nil {
			return packets, err
		}
		if decode.Decode(rec.LinkType, rec.Data, rec.Wire, &p, &in) == packet.DropNone {
			router.Route(&p)
		}
		packets++
	}
}

// idle is a shard that does nothing with its packets but count them.
type idle struct{ packets uint64 }

func (i *idle) Handle(ps []*packet.Packet) { i.packets += uint64(len(ps)) }
func (i *idle) Advance(packet.Time)        {}
func (i *idle) Flush(packet.Time)          {}
func (i *idle) Save(packet.Order)          {}
func (i *idle) Finish(packet.Time)         {}

// open is a gate that holds nobody back.
type open struct{}

func (open) Closed() bool               { return false }
func (open) Wait(context.Context) error { return nil }

// order reads captures into one order, as the daemon does, up to the shards.
func order(ctx context.Context, paths []string, shards int) (packets uint64, err error) {
	d := spool.NewDescriptors(spool.OS{}, openFiles)
	found, err := spool.Walk(ctx, d, paths)
	if err != nil {
		return 0, err
	}
	frontier := merge.NewFrontier(merge.DefaultConfig(shards))
	router := &sharder.Hasher{Shards: shards}
	group, ctx := errgroup.WithContext(ctx)
	scheduling, done := context.WithCancel(ctx)
	defer done()
	go func() { _ = frontier.Schedule(scheduling) }() // its error is that of the context
	cfg := source.Config{Sort: true, Window: window}
	var entries []merge.Entry
	for _, f := range found {
		if f.Err != nil {
			return 0, f.Err
		}
		entries = append(entries, merge.Entry{File: f.ContentID, First: source.Clamp(f.First).Add(-cfg.Lead()), Start: func(w *merge.Writer) {
			group.Go(func() error { return readInto(ctx, cfg, router, d, f, w) })
		}})
	}
	frontier.Admit(entries...)
	frontier.CloseInput()
	relay := source.NewDefragmenter(defrag.DefaultConfig(), router, frontier, func(packet.Order) {})
	group.Go(func() error { return relay.Run(ctx) })
	handlers := make([]idle, shards)
	for i := range handlers {
		s := sharder.NewShard(merge.NewMerger(frontier, i), &handlers[i], epoch)
		group.Go(func() error { return s.Run(ctx) })
	}
	err = group.Wait()
	for i := range handlers {
		packets += handlers[i].packets
	}
	return packets, err
}

func readInto(ctx context.Context, cfg source.Config, router *sharder.Hasher, d *spool.Descriptors, f *spool.File, w *merge.Writer) error {
	cfg.Latest = f.Latest
	h := d.File(f.Path, f.Identity)
	defer func() { _ = h.Close() }() // opened for reading
	return source.NewReader(cfg, router, open{}, w).Read(ctx, h.Stream(0), f.Compression).Err
}
