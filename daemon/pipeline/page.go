package pipeline

import (
	"encoding/json"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/daemon/report"
	"pcapdir/source/spool"
)

// How much the status page lists.
const (
	listedFiles = 60
	listedPairs = 20
)

// now is what the status page shows of this moment.
type now struct {
	Report
	Time     float64           `json:"time"` // wall clock, seconds since 1970
	Version  string            `json:"version"`
	Ailments []string          `json:"ailments"`
	History  []sample          `json:"history"` // what the page does not have yet
	Shards   []shardNow        `json:"shards"`
	Lost     uint64            `json:"lost"`  // packets of files that are put away without a connection
	Files    []waitingFile     `json:"files"` // some of those that wait
	Put      []json.RawMessage `json:"put"`   // lines of spool.log, the newest last
	Made     uint64            `json:"made"`  // panes that were reported: analyzed changes with it
}

// shardNow is one shard.
type shardNow struct {
	Packets uint64 `json:"packets"`
	Conns   uint64 `json:"conns"` // open
	Pairs   uint64 `json:"pairs"` // of the open pane
}

// waitingFile is a file in the spool.
type waitingFile struct {
	File    string  `json:"file"`
	Stage   string  `json:"stage"` // of spool.Stage, or reading, or read: it waits for a commit
	Size    int64   `json:"size"`
	Read    int64   `json:"read"`
	Seconds float64 `json:"seconds"` // since it was first seen
}

// Stages of an admitted file.
const (
	stageReading = "reading"
	stageRead    = "read"
)

// now is the answer to those who have the history up to sample have.
func (c *control) now(version string, have uint64) now {
	p := c.picture()
	n := now{
		Report: c.reportOf(&p), Time: wallSeconds(p.now), Version: version, Ailments: append([]string{}, p.ailments()...), History: c.history.beyond(have),
		Lost: p.Books.Lost().Packets, Files: c.waiting(p.now), Put: []json.RawMessage{}, Made: c.committer.latest.count(),
	}
	for _, core := range c.cores {
		n.Shards = append(n.Shards, shardNow{core.counters.packets.Load(), core.counters.conns.Load(), core.counters.pairs.Load()})
	}
	stream := logs.SpoolStream()
	for _, line := range c.files.latest() {
		n.Put = append(n.Put, stream.Append(nil, &line))
	}
	return n
}

// waiting are files in the spool: first those that are being read.
func (c *control) waiting(at time.Time) []waitingFile {
	begun := c.files.inHand()
	reading := map[string]bool{}
	for path, in := range begun {
		reading[path] = in.stage == stageReading
	}
	all := []waitingFile{}
	for _, w := range c.spool.Waiting(listedFiles, reading) {
		f := waitingFile{File: w.Path, Stage: string(w.Stage), Size: w.Size, Seconds: at.Sub(w.Arrived).Seconds()}
		if in, ok := begun[w.Path]; ok && w.Stage == spool.Admitted {
			f.Stage, f.Read = in.stage, min(in.read, w.Size)
		}
		all = append(all, f)
	}
	return all
}

// analyzed is what the status page shows of the newest reports.
type analyzed struct {
	Made   uint64         `json:"made"`
	Pane   float64        `json:"pane"`   // end of the last pane, event time; 0: there was none
	Length float64        `json:"length"` // of a pane; 0: there are none, since there are no windows
	Pairs  []pairNow      `json:"pairs"`  // of it, those with the most bytes
	Report *report.Report `json:"report"`
}

// pairNow is one conversation.
type pairNow struct {
	Orig      string `json:"orig"`
	Resp      string `json:"resp"`
	Service   string `json:"service"`
	OrigPkts  uint64 `json:"orig_pkts"`
	OrigBytes uint64 `json:"orig_bytes"`
	RespPkts  uint64 `json:"resp_pkts"`
	RespBytes uint64 `json:"resp_bytes"`
}

func (c *control) analyzed() analyzed {
	l := c.committer.latest
	l.mu.Lock()
	a := analyzed{Made: l.made, Pairs: []pairNow{}}
	if v := c.setup.Load().Vectors; len(v.Windows) > 0 {
		a.Length = v.Pane.Seconds()
	}
	if len(l.heavy) > 0 {
		a.Pane = l.pane.Seconds()
	}
	for _, h := range l.heavy[:min(len(l.heavy), listedPairs)] {
		a.Pairs = append(a.Pairs, pairOf(&h))
	}
	l.mu.Unlock()
	a.Report = l.report()
	return a
}

func pairOf(h *flowvec.Heavy) pairNow {
	return pairNow{
		Orig: h.Source.String(), Resp: h.Target.String(), Service: h.Service.String(),
		OrigPkts: h.Sent.Packets, OrigBytes: h.Sent.Bytes, RespPkts: h.Received.Packets, RespBytes: h.Received.Bytes,
	}
}
