package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/books"
	"pcapdir/source/defrag"
	"pcapdir/source/links"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// beatInterval is the wall time between lines of stats.log.
const beatInterval = 10 * time.Second

// coverInterval is the wall time between lines of coverage.log, if files came.
const coverInterval = time.Hour

// Beat is the state of the work, in totals since the start.
type Beat struct {
	LostLinks        uint64         // packets whose link had no room in the table
	Unexpected       uint64         // announcements of connections likewise
	Books            books.Fates    // of files that are put away
	Accounts         books.Accounts // of all files since there is a ledger
	BookErrors       uint64         // books that did not balance: each is a bug
	Handled, Wire    uint64         // packets that shards have handled, and their bytes on the wire
	Conns            uint64         // connections that ended
	ActiveConns      uint64
	EvictedConns     uint64 // that ended early for want of room
	Unassembled      uint64 // sides of connections whose reassembly was given up for it
	TCP, OneSided    uint64 // TCP connections that ended; those whose other side was not captured
	Admitted         uint64 // files, each time
	GivenBack        uint64 // of them, since they could not be read
	Done, Failed     uint64
	ReadBytes        int64 // of files, as on disk
	Watermark        packet.Time
	HasWatermark     bool
	CommitError      error
	CPU              time.Duration
	Resident         uint64
	Commits          uint64
	CommitSpent      time.Duration
	ReportSpent      time.Duration
	Lost             flowvec.Loss // what full tables of vectors cost
	Fragments        defrag.Counts
	OpenFiles, Ahead int // files open, and waiting for their turn

	// Between two beats; a Beat that is asked for has neither.
	Rate float64       // packets per second
	Lag  time.Duration // of the logs behind the wall clock; holds if HasWatermark
}

// heartbeat writes stats.log. Its lines are no part of commits: they are about
// the process, and must be there when commits are not.
type heartbeat struct {
	engine *engine
	sink   logs.Sink
	form   logs.Encoder
	heard  func(Beat)
	spool  *spool.Spool // nil in a batch

	mu   sync.Mutex
	then time.Time
	last Beat
	per  []uint64 // packets by shard at the last beat

	coveredAt    time.Time // when coverage.log was written
	coveredFiles uint64    // how many files had been put away then
}

func newHeartbeat(e *engine, sink logs.Sink, form logs.Encoder, heard func(Beat)) *heartbeat {
	return &heartbeat{engine: e, sink: sink, form: form, heard: heard, then: time.Now(), coveredAt: time.Now(), per: make([]uint64, len(e.cores))}
}

// run beats until ctx ends.
func (h *heartbeat) run(ctx context.Context) error {
	tick := time.NewTicker(beatInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.write(time.Since(h.coveredAt) >= coverInterval)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write beats, and writes coverage.log if it is time for that, too. What cannot be
// written is told, and does not hold up the work.
func (h *heartbeat) write(cover bool) {
	err := h.beat()
	if cover {
		err = errors.Join(err, h.cover())
	}
	if err != nil {
		h.engine.log.Warn("stats.log or coverage.log", "error", err)
	}
}

// total is the state now.
func (h *heartbeat) total() Beat {
	e := h.engine
	files, state := e.files.snapshot(), e.committer.snapshot()
	b := Beat{
		Books: files.books, Accounts: state.books, BookErrors: state.mismatches,
		Admitted: files.admitted, GivenBack: files.givenBack, Done: files.done, Failed: files.failed, ReadBytes: e.files.read.Load(),
		CommitError: state.err, Commits: state.commits, CommitSpent: state.spent, ReportSpent: state.reporting,
		Lost: state.lost, Fragments: e.defragmenter.Counts(), Watermark: state.watermark, Resident: resident(), CPU: cpuTime(),
	}
	b.HasWatermark = b.Watermark != packet.MaxTime && b.Watermark != -packet.MaxTime
	for _, c := range e.cores {
		b.Handled += c.counters.packets.Load()
		b.Wire += c.counters.bytes.Load()
		b.Conns += c.counters.ended.Load()
		b.TCP += c.counters.tcp.Load()
		b.OneSided += c.counters.oneSided.Load()
		b.ActiveConns += c.counters.conns.Load()
		b.EvictedConns += c.counters.evicted.Load()
		b.Unassembled += c.counters.unassembled.Load()
	}
	if e.plant.links != nil {
		b.LostLinks = e.plant.links.Lost()
	}
	b.Unexpected = e.plant.unexpected.Load()
	b.OpenFiles, b.Ahead = e.frontier.Open()
	return b
}

// beat appends one line to stats.log.
func (h *heartbeat) beat() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, b := time.Now(), h.total()
	line := logs.Stats{
		TS: wallSeconds(now), Interval: now.Sub(h.then).Seconds(),
		Packets: b.Handled - h.last.Handled, Bytes: b.Wire - h.last.Wire,
		Dropped: b.Books.Lost().Packets - h.last.Books.Lost().Packets, Late: b.Books.Late - h.last.Books.Late,
		BookErrors: b.BookErrors - h.last.BookErrors,
		Conns:      b.Conns - h.last.Conns, TCP: b.TCP - h.last.TCP, OneSided: b.OneSided - h.last.OneSided, ActiveConns: b.ActiveConns,
		EvictedConns: b.EvictedConns - h.last.EvictedConns, Unassembled: b.Unassembled - h.last.Unassembled,
		LostPairs: b.Lost.Pairs - h.last.Lost.Pairs, UnpairedPkts: b.Lost.Packets - h.last.Lost.Packets, UnflowedPkts: b.Lost.Flows - h.last.Lost.Flows,
		UnlinkedPkts: b.LostLinks - h.last.LostLinks, Unexpected: b.Unexpected - h.last.Unexpected,
		Fragments: b.Fragments.Fragments - h.last.Fragments.Fragments, Datagrams: b.Fragments.Rebuilt - h.last.Fragments.Rebuilt,
		Expired: b.Fragments.Expired - h.last.Fragments.Expired, Evicted: b.Fragments.Evicted - h.last.Fragments.Evicted,
		OpenFiles: uint64(b.OpenFiles), Done: b.Done - h.last.Done, Failed: b.Failed - h.last.Failed,
		HasWatermark: b.HasWatermark, CPU: (b.CPU - h.last.CPU).Seconds(), Memory: b.Resident, Goroutines: uint64(runtime.NumGoroutine()),
		Commits:       b.Commits - h.last.Commits,
		CommitSeconds: (b.CommitSpent - h.last.CommitSpent).Seconds(),
		KMeansSeconds: (b.ReportSpent - h.last.ReportSpent).Seconds(),
	}
	if b.LostLinks > 0 && h.last.LostLinks == 0 {
		h.engine.log.Warn("conn.mac: more pairs of MAC addresses than are kept; connections on others have none in conn.log", "kept", links.Max)
	}
	if b.Unexpected > 0 && h.last.Unexpected == 0 {
		h.engine.log.Warn("more connections are announced at a time (PORT, PASV of FTP) than are noted: others are not told to be ftp-data")
	}
	if b.EvictedConns > 0 && h.last.EvictedConns == 0 {
		h.engine.log.Warn("limits.memory: there is no room for further connections; those that say least end early, and their records say evicted", "memory", h.engine.plant.memory)
	}
	if b.HasWatermark {
		line.Watermark = b.Watermark.Seconds()
		line.Lag = line.TS - line.Watermark
		b.Lag = time.Duration(line.Lag * float64(time.Second))
	}
	b.Rate = float64(line.Packets) / max(line.Interval, 1e-3)
	if b.CommitError != nil {
		line.CommitError = b.CommitError.Error()
	}
	h.shards(&line)
	if h.spool != nil {
		line.Spool = uint64(h.spool.Status().Waiting())
	} else {
		line.Spool = b.Admitted - b.GivenBack - b.Done - b.Failed
	}
	h.then, h.last = now, b
	if h.heard != nil {
		h.heard(b)
	}
	stream := logs.StatsStream()
	return h.append(stream.Name, stream.Append(nil, &line))
}

// cover appends a line for each directory to coverage.log if files were put away
// since it did the last time.
func (h *heartbeat) cover() error {
	t := h.engine.files.snapshot()
	if t.done+t.failed == h.coveredFiles {
		return nil
	}
	h.coveredAt, h.coveredFiles = time.Now(), t.done+t.failed
	var text []byte
	stream := logs.CoverageStream()
	for _, l := range h.engine.files.coverage() {
		l.TS = wallSeconds(h.coveredAt)
		text = stream.Append(text, &l)
	}
	return h.append(stream.Name, text)
}

func (h *heartbeat) append(log string, lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	var rotated error
	if h.spool != nil { // a batch leaves files as they are
		if turn, due := h.sink.Due(log, h.engine.setup.rotation(), time.Now()); due {
			rotated = h.sink.Rotate(turn) // if it fails, the lines go where the others are
		}
	}
	at, err := h.sink.Position(log)
	if err != nil {
		return err
	}
	now := time.Now()
	text := append(h.form.Before(log, at, now), h.form.Encode(log, lines, false, now)...)
	_, err = h.sink.Append(log, at, bytes.NewReader(text))
	return errors.Join(rotated, err)
}

func (h *heartbeat) shards(line *logs.Stats) {
	line.ShardPackets = make([]uint64, len(h.per))
	for i, c := range h.engine.cores {
		n := c.counters.packets.Load()
		line.ShardPackets[i] = n - h.per[i]
		h.per[i] = n
		line.ActivePairs += c.counters.pairs.Load()
	}
}

// cpuTime is what the process has used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the process's resident memory in bytes, or 0 where /proc does not say.
func resident() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// String is one line for people.
func (b Beat) String() string {
	s := fmt.Sprintf("%d files done, %d failed, %d open, %d waiting; %d packets, %.0f/s, %d connections open",
		b.Done, b.Failed, b.OpenFiles, b.Ahead, b.Handled, b.Rate, b.ActiveConns)
	if b.HasWatermark {
		s += fmt.Sprintf(", logged up to %s, lag %s", b.Watermark.UTC(), b.Lag.Round(time.Second))
	}
	if b.CommitError != nil {
		s += "; commits wait: " + b.CommitError.Error()
	}
	return s
}
