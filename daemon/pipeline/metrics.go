package pipeline

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"pcapdir/daemon/status"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// serveWeb serves figures and health until ctx ends. A daemon that nobody can look at any
// more does its work all the same.
func (c *control) serveWeb(ctx context.Context, l net.Listener, version string) {
	w := status.Web{
		Metrics: status.Metrics(metrics, c.picture, version), Ailments: c.ailments, Profiles: c.setup.Load().Status.Pprof,
		Now: func(have uint64) any { return c.now(version, have) }, Analyzed: func() any { return c.analyzed() },
	}
	if err := status.ServeWeb(ctx, l, c.log, w); err != nil {
		c.log.Error("metrics and health are no longer served", "error", err)
	}
}

// ailments are what is wrong now, in sentences.
func (c *control) ailments() []string {
	p := c.picture()
	return p.ailments()
}

func (p *picture) ailments() (all []string) {
	b, s := &p.Beat, &p.spool
	if b.CommitError != nil {
		all = append(all, "commits wait: "+b.CommitError.Error())
	}
	for _, p := range s.Problems {
		all = append(all, fmt.Sprintf("%s: %s (since %s)", p.Path, p.Reason, p.Since.UTC().Format(time.RFC3339)))
	}
	if more := s.Troubles - len(s.Problems); more > 0 {
		all = append(all, fmt.Sprintf("and %d more directories and files of the spool", more))
	}
	if b.BookErrors > 0 {
		all = append(all, fmt.Sprintf("a bug: books did not balance, %d times since the start; please report it", b.BookErrors))
	}
	return all
}

// picture is what metrics are read from.
type picture struct {
	Beat
	spool    spool.Status
	shards   []uint64 // packets
	pairs    uint64   // of the open pane
	catching bool
	reports  int
	alerts   int
	now      time.Time
}

func (c *control) picture() picture {
	p := picture{Beat: c.heartbeat.total(), spool: c.spool.Status(), catching: c.catcher.busy(), now: time.Now()}
	for _, core := range c.cores {
		p.shards = append(p.shards, core.counters.packets.Load())
		p.pairs += core.counters.pairs.Load()
	}
	p.reports, p.alerts = c.committer.latest.totals()
	return p
}

// lag is how far event time, as far as it is in the logs, lies behind the wall clock, in
// seconds.
func (p *picture) lag() float64 {
	return p.now.Sub(time.Unix(0, int64(p.Watermark))).Seconds()
}

type emit = func(v float64, label string)

// one is a figure without labels.
func one(of func(p *picture) float64) func(*picture, emit) {
	return func(p *picture, emit emit) { emit(of(p), "") }
}

// whole is one for whole numbers.
func whole(of func(p *picture) uint64) func(*picture, emit) {
	return one(func(p *picture) float64 { return float64(of(p)) })
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics is the table of what /metrics says. Counters begin with the process.
var metrics = []status.Figure[picture]{
	{Name: "packets_total", Help: "Packets that shards have handled.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Handled })},
	{Name: "wire_bytes_total", Help: "Bytes that these had on the wire.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Wire })},
	{Name: "shard_packets_total", Help: "Packets by shard: how even the load is.", Counter: true, Label: "shard", Read: func(p *picture, emit emit) {
		for i, n := range p.shards {
			emit(float64(n), strconv.Itoa(i))
		}
	}},
	{Name: "dropped_packets_total", Help: "Packets of files that are put away that could not be used, by reason.", Counter: true, Label: "reason", Read: func(p *picture, emit emit) {
		for d := packet.DropNone + 1; int(d) < len(p.Books.Dropped); d++ {
			emit(float64(p.Books.Dropped[d].Packets), d.String())
		}
	}},
	{Name: "late_packets_total", Help: "Packets behind what was handled when their file came, of files that are put away.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Books.Late })},
	{Name: "read_bytes_total", Help: "Bytes of capture files that were read, as on disk.", Counter: true, Read: one(func(p *picture) float64 { return float64(p.ReadBytes) })},

	{Name: "files_admitted_total", Help: "Capture files that were taken from the spool.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Admitted })},
	{Name: "files_given_back_total", Help: "Of them, those that could not be read and are tried again.", Counter: true, Read: whole(func(p *picture) uint64 { return p.GivenBack })},
	{Name: "files_done_total", Help: "Capture files that were read and put away.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Done })},
	{Name: "files_failed_total", Help: "Capture files that could not be read to their end.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Failed })},
	{Name: "files_vanished_total", Help: "Capture files that were gone before they were opened.", Counter: true, Read: whole(func(p *picture) uint64 { return p.spool.Vanished })},
	{Name: "files_open", Help: "Capture files that are being read.", Read: one(func(p *picture) float64 { return float64(p.OpenFiles) })},
	{Name: "files_ahead", Help: "Admitted files whose turn has not come.", Read: one(func(p *picture) float64 { return float64(p.Ahead) })},
	{Name: "spool_files", Help: "Files in the spool, by what they wait for.", Label: "state", Read: func(p *picture, emit emit) {
		emit(float64(p.spool.Settling), "settling")
		emit(float64(p.spool.Grouped), "held")
		emit(float64(p.spool.Admitted), "admitted")
		emit(float64(p.spool.Unreadable), "unreadable")
		emit(float64(p.spool.Kept), "kept")
	}},
	{Name: "spool_oldest_seconds", Help: "How long ago the oldest file that waits was first seen.", Read: one(func(p *picture) float64 { return p.spool.Oldest.Seconds() })},
	{Name: "spool_problems", Help: "Directories and files of the spool that cannot be used.", Read: one(func(p *picture) float64 { return float64(p.spool.Troubles) })},
	{Name: "paused", Help: "1 while nothing is admitted, by hand.", Read: one(func(p *picture) float64 { return yes(p.spool.Paused) })},
	{Name: "catching_up", Help: "1 while files are read that were too old to join the others.", Read: one(func(p *picture) float64 { return yes(p.catching) })},

	{Name: "logged_up_to_seconds", Help: "Event time up to which the logs are complete, in seconds since 1970; absent before the first packet.", Read: func(p *picture, emit emit) {
		if p.HasWatermark {
			emit(float64(p.Watermark)/1e9, "")
		}
	}},
	{Name: "lag_seconds", Help: "How far that lies behind the wall clock; absent before the first packet.", Read: func(p *picture, emit emit) {
		if p.HasWatermark {
			emit(p.lag(), "")
		}
	}},
	{Name: "commits_total", Help: "Commits that made lines visible.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Commits })},
	{Name: "commit_seconds_total", Help: "Wall time that commits took, reports apart but for those made in them.", Counter: true, Read: one(func(p *picture) float64 { return p.CommitSpent.Seconds() })},
	{Name: "report_seconds_total", Help: "Wall time that reports took: vectors, k-means, scores.", Counter: true, Read: one(func(p *picture) float64 { return p.ReportSpent.Seconds() })},
	{Name: "reports_total", Help: "Reports that were made: lines of kmeans.log.", Counter: true, Read: one(func(p *picture) float64 { return float64(p.reports) })},
	{Name: "alerts_total", Help: "Alerts that were raised: lines of anomaly.log whose label is anomalous.", Counter: true, Read: one(func(p *picture) float64 { return float64(p.alerts) })},
	{Name: "commit_waiting", Help: "1 while a commit cannot be made, as on a full disk.", Read: one(func(p *picture) float64 { return yes(p.CommitError != nil) })},

	{Name: "connections_total", Help: "Connections that ended.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Conns })},
	{Name: "connections_open", Help: "Connections that are tracked.", Read: whole(func(p *picture) uint64 { return p.ActiveConns })},
	{Name: "connections_evicted_total", Help: "Connections that ended early for want of memory.", Counter: true, Read: whole(func(p *picture) uint64 { return p.EvictedConns })},
	{Name: "reassembly_given_up_total", Help: "Sides of connections whose gaps were followed no more, for want of memory.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Unassembled })},
	{Name: "tcp_connections_total", Help: "TCP connections that ended.", Counter: true, Read: whole(func(p *picture) uint64 { return p.TCP })},
	{Name: "tcp_one_sided_total", Help: "TCP connections of which one direction was captured.", Counter: true, Read: whole(func(p *picture) uint64 { return p.OneSided })},
	{Name: "pairs", Help: "Conversations of the open pane.", Read: whole(func(p *picture) uint64 { return p.pairs })},
	{Name: "pairs_lost_total", Help: "Conversations that reports lack for want of memory.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Lost.Pairs })},
	{Name: "links_lost_total", Help: "Packets whose VLAN and MAC addresses had no room.", Counter: true, Read: whole(func(p *picture) uint64 { return p.LostLinks })},
	{Name: "announcements_lost_total", Help: "Announcements of connections (PORT, PASV) that had no room.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Unexpected })},
	{Name: "fragments_total", Help: "IP fragments.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Fragments.Fragments })},
	{Name: "datagrams_rebuilt_total", Help: "Datagrams that fragments made whole.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Fragments.Rebuilt })},
	{Name: "datagrams_expired_total", Help: "Datagrams whose missing fragments did not come in time.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Fragments.Expired })},
	{Name: "datagrams_evicted_total", Help: "Datagrams in the making that were given up for want of memory.", Counter: true, Read: whole(func(p *picture) uint64 { return p.Fragments.Evicted })},
	{Name: "book_mismatches_total", Help: "Books that did not balance: each is a bug.", Counter: true, Read: whole(func(p *picture) uint64 { return p.BookErrors })},
}
