package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/sharder"
	"pcapdir/source"
	"pcapdir/source/links"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// epoch is the length of an epoch in event time: how finely lines become
// visible. No log depends on it.
const epoch = time.Second

// flushWaiting bounds the bytes of lines that wait for the committer while shards can
// wait for it, over all of them.
const flushWaiting = 16 << 20

// Options are what the caller decides beside the configuration.
type Options struct {
	Config *config.Config
	Log    *slog.Logger
	Input  io.Reader // standard input, for the path "-"

	// Merge sizes the hand-off; the zero value is the default. No log depends on it.
	Merge merge.Config
	// Flush has a stop of a daemon end and log every connection that is open; else
	// they are saved, and the next start goes on with them.
	Flush bool
	// ResetState has a daemon begin without what the one before it saved.
	ResetState bool
	// Ready is called when the state is recovered and the spool can be worked
	// with, and whenever a reload is over; nil is fine.
	Ready func()
	// Load reads the configuration anew, for a reload; without it there is none.
	Load func() (*config.Config, error)
	// Hangup asks for a reload, as the control socket does; nil is fine.
	Hangup <-chan os.Signal
	// Version is what the metrics say of themselves.
	Version string
	// Progress hears how far a batch is, several times a second; nil is fine.
	Progress func(Progress)
	// Heard gets the state of the work every few seconds; nil is fine.
	Heard func(Beat)
}

// Progress is how far a batch is.
type Progress struct {
	Bytes, AllBytes int64 // of files, as on disk
	Files, AllFiles int   // that are read to their end
	Packets         uint64
}

// engine is the stages between the spool and the logs.
type engine struct {
	*timeline // the live one
	setup     *setup
	files     *files
	committer *committer
	plant     *plant
	heartbeat *heartbeat
	log       *slog.Logger
	keep      bool        // a stop saves what is open
	looked    atomic.Bool // all that lay in the spool at the start is admitted
}

// deps are what differs between a daemon and a batch.
type deps struct {
	store       *store
	beats       logs.Sink // of the heartbeat, which does not wait for commits
	plan        func(spool.Retirement) (spool.Move, error)
	giveBack    func(*spool.File, error)
	descriptors *spool.Descriptors
	seed        uint64 // of the shard hash
	retries     int
	state       *state // of the run before, or nil
	batch       bool   // a closed set is read, and summed up at its end
}

func newEngine(o Options, d deps) (*engine, error) {
	cfg := o.Config
	mode, err := sharder.ParseMode(string(cfg.Shards.Hash))
	if err != nil {
		return nil, err
	}
	sizes := o.Merge
	if sizes == (merge.Config{}) {
		sizes = merge.DefaultConfig(ShardCount(cfg))
	}
	sizes.Shards = ShardCount(cfg)
	memory := MemoryLimit(cfg)
	p := &plant{
		sizes: sizes, hasher: sharder.Hasher{Mode: mode, Shards: sizes.Shards, Seed: d.seed},
		backlog: newBacklog(percentOf(memory, linePercent)), spare: &spare{}, conn: connConfig(cfg), memory: memory, panes: panesPerCommit(cfg), log: o.Log,
	}
	if cfg.Conn.VLAN || cfg.Conn.MAC {
		p.links = links.New(cfg.Conn.MAC, links.Max)
	}
	seed := d.seed
	if d.batch {
		seed = cfg.KMeans.Seed // the same in every run, though whoever knows it can choose what stays
	}
	vectors := vectorConfig(cfg, seed)
	if vectors != nil {
		boundVectors(vectors, cfg, p.memory)
	}
	e := &engine{timeline: p.newTimeline(vectors, connPercent), setup: newSetup(cfg), log: o.Log, plant: p}
	e.files = &files{
		cfg:         source.Config{Sort: cfg.Order.Inside == config.InsideSort, Window: cfg.Order.Window, Held: heldPackets(cfg, memory), Links: p.links},
		full:        cfg.Order.Index == config.IndexFull,
		covered:     covered{},
		gate:        p.backlog,
		commitNow:   p.backlog.commitNow,
		descriptors: d.descriptors, input: o.Input, plan: d.plan, giveBack: d.giveBack,
	}
	newDetector := func() *anomaly.Detector { return anomaly.New(anomalyConfig(cfg)) }
	e.committer = &committer{
		live: e.timeline, detector: newDetector(), newDetector: newDetector, backlog: p.backlog,
		turn: make(chan struct{}, 1), files: e.files, store: d.store, latest: &latest{batch: d.batch}, log: o.Log, setup: e.setup, retries: d.retries, seed: d.seed,
		state: commitState{books: d.store.books, watermark: -packet.MaxTime},
	}
	d.store.setup = e.setup
	d.store.form = logs.NewEncoder(formOf(cfg))
	e.heartbeat = newHeartbeat(e, d.beats, d.store.form, o.Heard)
	e.keep = d.store.keeps() && !o.Flush
	if d.state == nil {
		return e, nil
	}
	return e, e.restore(d.state)
}

// saves says that a stop now saves what is open: also where it is not to be kept, if the
// spool was not looked at yet and files of an earlier life are in it, for what they had
// logged would stand twice.
func (e *engine) saves() bool {
	return e.keep || e.committer.store.keeps() && !e.looked.Load() && len(e.files.unclaimed()) > 0
}

// restore makes e go on from the state of the run before.
func (e *engine) restore(st *state) error {
	if st.Seed != e.committer.seed {
		return refused(errors.New("hash-seed in the state directory is missing, or another one than it was: restore it"))
	}
	if err := e.timeline.restore(e.committer.store, e.plant, &st.Live); err != nil {
		return err
	}
	e.files.noted = st.note()
	return e.committer.restore(st)
}

// ShardCount is the configured number of shards, or one for each core.
func ShardCount(cfg *config.Config) int {
	if cfg.Shards.Count > 0 {
		return cfg.Shards.Count
	}
	return runtime.GOMAXPROCS(0)
}

// run runs the stages until the input has ended and all of it is committed.
// feed admits files; when it returns the input is over. Cancelling stop is the
// clean end: nothing further is admitted or opened. Then what is open is saved or, if
// it is not to be kept, read to its end, and connections are closed and logged.
func (e *engine) run(stop context.Context, feed func(ctx, work context.Context) error) error {
	e.committer.stopping = stop.Done()
	e.files.stop = stop
	base, cutOff := context.WithCancel(context.WithoutCancel(stop))
	defer cutOff()
	group, work := errgroup.WithContext(base)
	shards, onShards := errgroup.WithContext(work)
	scheduling, done := context.WithCancel(work)
	group.Go(func() error { return ended(e.frontier.Schedule(scheduling)) })
	group.Go(func() error { return ended(e.committer.run(scheduling, work)) })
	group.Go(func() error { return ended(e.heartbeat.run(scheduling)) })
	e.start(onShards, shards)
	group.Go(func() error {
		defer done()
		feeding, fed := context.WithCancel(stop)
		defer fed()
		defer context.AfterFunc(work, fed)() // a stage failed: stop feeding
		err := feed(feeding, work)
		if err == nil && stop.Err() != nil && e.saves() {
			if !e.keep {
				e.log.Warn("stopped before the spool was looked at: what is open stays saved, and is not flushed")
			}
			_, err := e.committer.commit(work)
			cutOff() // the rest is for the next start
			return err
		}
		if stop.Err() != nil {
			e.frontier.Drain()
		} else {
			e.frontier.CloseInput()
		}
		// Until the input ends the shards wait for it. A stop in the meantime
		// drops what is not open yet.
		release := context.AfterFunc(stop, e.frontier.Drain)
		defer release()
		handled := shards.Wait()
		if handled == nil {
			// Every run is closed, but a reader may not have left its books yet:
			// once this group ends their context does, and they would be lost.
			e.files.readers.Wait()
			e.committer.balance(e.timeline, e.flow().Check())
		}
		return errors.Join(err, handled)
	})
	err := group.Wait()
	e.files.readers.Wait()
	if base.Err() != nil {
		err = ended(err)
	}
	if err != nil {
		return err
	}
	for more := base.Err() == nil; more; {
		if more, err = e.committer.commit(context.WithoutCancel(stop)); err != nil {
			return err
		}
	}
	// Whoever asked for a requeue may still be at it.
	if err := e.committer.between(context.WithoutCancel(stop), e.committer.store.forget); err != nil {
		e.log.Warn("the ledger still holds the last moves", "error", err)
	}
	e.heartbeat.write(true)
	return nil
}

// ended takes the end of a context, by which stages are stopped, for what it is.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func connConfig(cfg *config.Config) conn.Config {
	c := conn.DefaultConfig()
	c.TCPInactivity, c.UDPInactivity = cfg.Conn.TCPInactivity, cfg.Conn.UDPInactivity
	c.ICMPInactivity, c.OtherInactivity = cfg.Conn.ICMPInactivity, cfg.Conn.UnknownInactivity
	c.LoginInactivity, c.DNSSession = cfg.Conn.LongLived, cfg.Conn.DNS
	c.AttemptDelay, c.SYNTimeout, c.SessionTimer = cfg.Conn.TCPAttemptDelay, cfg.Conn.TCPSyn, cfg.Conn.TCPSession
	c.Linger, c.CloseDelay = cfg.Conn.TCPLinger, cfg.Conn.TCPCloseDelay
	c.IgnoreChecksums = cfg.Conn.IgnoreChecksums
	c.OpenInterval = cfg.Conn.OpenInterval
	c.VLAN, c.MAC = cfg.Conn.VLAN, cfg.Conn.MAC
	c.StampClock = cfg.Order.Inside == config.InsideFile
	if len(cfg.Conn.LocalNets) > 0 {
		c.Local = cfg.Conn.LocalNets
	}
	if cfg.Conn.UIDKey != "" {
		c.UIDKey = xxhash.Sum64String(cfg.Conn.UIDKey)
	}
	return c
}

// formOf is how the logs are written.
func formOf(cfg *config.Config) logs.Form {
	switch {
	case cfg.Logs.Format == config.FormatTSV:
		return logs.TSV
	case cfg.Logs.TS == config.TimesISO8601:
		return logs.JSONDate
	default:
		return logs.JSON
	}
}

// vectorConfig is nil where no window wants vectors.
func vectorConfig(cfg *config.Config, seed uint64) *flowvec.Config {
	if len(cfg.Vectors.Windows) == 0 {
		return nil
	}
	c := flowvec.DefaultConfig()
	c.Pane, c.Seed = cfg.Vectors.Pane, seed
	return &c
}

func anomalyConfig(cfg *config.Config) anomaly.Config {
	c := anomaly.DefaultConfig()
	c.Asura = cfg.Vectors.Features == config.FeaturesAsura
	c.Pane, c.Windows = cfg.Vectors.Pane, cfg.Vectors.Windows
	c.K, c.Seed, c.MaxIterations = cfg.KMeans.K, cfg.KMeans.Seed, cfg.KMeans.MaxIterations
	c.Budget, c.Lines, c.Mute = cfg.Anomaly.Budget, cfg.Anomaly.Lines, cfg.Anomaly.Mute
	c.Sample, c.Full = cfg.Vectors.Sample, cfg.Vectors.Full
	return c
}

// openLogs opens the log directory, making it where it is missing: once for the
// committer, once for the heartbeat, since a sink has one user.
func openLogs(dir string) (lines, beats *logs.Dir, err error) {
	if err := (spool.OS{}).MkdirAll(dir); err != nil {
		return nil, nil, fmt.Errorf("log directory: %w", err)
	}
	// Better now than at the first commit.
	probe, err := os.CreateTemp(dir, spool.ProbePrefix)
	if err != nil {
		return nil, nil, fmt.Errorf("log directory: cannot write to %s: %w", dir, spool.Cause(err))
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, nil, fmt.Errorf("log directory: %w", err)
	}
	if lines, err = logs.OpenDir(dir); err != nil {
		return nil, nil, err
	}
	if beats, err = logs.OpenDir(dir); err != nil {
		return nil, nil, errors.Join(err, lines.Close())
	}
	return lines, beats, nil
}
