package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	"pcapdir/daemon/config"
	"pcapdir/source/spool"
)

// Run is the daemon: it watches the spool until ctx ends, and then stops
// cleanly: what is open is saved, for the next start to go on with, or ended and
// logged (Options.Flush).
func Run(ctx context.Context, o Options) (err error) {
	cfg := o.Config
	fsys := spool.OS{}
	if err := fsys.MkdirAll(cfg.Commit.Dir); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	sink, beats, err := openLogs(cfg.Logs.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.Close(), beats.Close()) }()
	descriptors := newDescriptors(o, cfg.Spool.DropCache)
	sp := spool.New(spoolConfig(cfg), spool.Deps{Files: descriptors, Log: o.Log})
	if err := sp.Make(); err != nil {
		return err
	}
	release, err := claimDirs(ctx, o.Log, append(spoolClaims(cfg), stateClaim(cfg), logsClaim(cfg))...)
	if err != nil {
		return err
	}
	defer release()
	seed, err := hashSeed(fsys, cfg.Commit.Dir)
	if err != nil {
		return err
	}
	st := &store{fs: fsys, dir: cfg.Commit.Dir, sink: sink, mover: sp, log: o.Log}
	was, err := recoverState(ctx, o, st)
	if err != nil {
		return err
	}
	e, err := newEngine(o, deps{store: st, beats: beats, plan: sp.Plan, giveBack: sp.Return, descriptors: descriptors, seed: seed, state: was})
	if err != nil {
		return err
	}
	if was != nil {
		o.Log.Info("going on with what was saved", "connections", e.openConns(), "up_to", eventTime(was.Live.Key.Eff), "files", len(was.Live.Files))
	}
	e.heartbeat.spool = sp
	late, err := newCatcher(e, was)
	if err != nil {
		return err
	}
	caught := make(chan error, 1)
	var catching sync.WaitGroup
	defer catching.Wait()
	if err := sp.Probe(); err != nil {
		return err
	}
	o.Log.Info("watching", "dirs", cfg.Spool.Dirs, "logs", cfg.Logs.Dir)
	doors, err := openDoors(cfg, o.Log)
	if err != nil {
		return err
	}
	defer doors.close()
	if o.Ready != nil {
		o.Ready()
	}
	return e.run(ctx, func(ctx, work context.Context) error {
		trickle := newTrickle(cfg.Order.Idle, cfg.Order.HoldBack, e.frontier)
		walking, stop := context.WithCancel(ctx)
		var walker sync.WaitGroup
		walker.Go(func() { trickle.run(walking) })
		defer walker.Wait()
		defer stop()
		feeding, fail := context.WithCancel(ctx)
		defer fail()
		catching.Go(func() {
			err := late.run(walking, work)
			caught <- err
			if err != nil {
				fail()
			}
		})
		again := &reloader{engine: e, load: o.Load, ready: o.Ready}
		walker.Go(func() { again.follow(walking, o.Hangup) })
		c := &control{engine: e, spool: sp, catcher: late, trickle: trickle, reloader: again, begin: time.Now()}
		walker.Go(func() { c.serve(walking, doors, o.Version) })
		walker.Go(func() { packRotated(walking, e.setup, o.Log) })
		first := true
		err := sp.Run(feeding, func(_ context.Context, found []*spool.File) error {
			found = late.pick(found)
			trickle.arrived(found, sp.Sources())
			e.files.admit(work, e.timeline, found)
			if first {
				first = false
				e.warnMissing()
			}
			return nil
		})
		stop()
		if err == nil && e.saves() && ctx.Err() != nil {
			return nil // what is caught up on is saved, and cut off, with the rest
		}
		return errors.Join(err, <-caught)
	})
}

func spoolConfig(cfg *config.Config) spool.Config {
	return spool.Config{
		Dirs: cfg.Spool.Dirs, Done: cfg.Spool.Done, Failed: cfg.Spool.Failed, After: spool.After(cfg.Spool.After),
		Settle: cfg.Spool.Settle, HoldBack: cfg.Order.HoldBack,
		ReadDuplicates: cfg.Spool.Duplicates == config.DuplicatesRead, Window: cfg.Order.Window, State: cfg.Commit.Dir,
		Apart: []string{cfg.Logs.Dir, cfg.Commit.Dir},
	}
}

// openConns is how many connections are open, before anything runs.
func (e *engine) openConns() (n int) {
	for _, c := range e.cores {
		n += c.tracker.Len()
	}
	return n
}

// warnMissing tells of files that were being read when state was saved and are not
// among all that lay in the spool at the start.
func (e *engine) warnMissing() {
	e.looked.Store(true)
	if gone := e.files.unclaimed(); len(gone) > 0 {
		e.log.Warn("files that were being read before the start are gone from the spool, or cannot be read: the rest of them is not read unless they come back as they were", "files", len(gone), "first", gone[0])
	}
}

// recoverState finishes the last commit of the run before, and is what that saved, or
// nil.
func recoverState(ctx context.Context, o Options, st *store) (*state, error) {
	err := recoverLast(ctx, st)
	if errors.Is(err, spool.ErrLedger) && o.ResetState {
		o.Log.Warn("the ledger is moved away", "error", err)
		ledger := filepath.Join(st.dir, spool.LedgerName)
		err = st.fs.Rename(ledger, ledger+".refused")
	}
	if err != nil {
		return nil, err
	}
	if o.ResetState {
		if err := st.reset(); err != nil {
			return nil, err
		}
	}
	return st.restore()
}

// recoverLast finishes the commit of the run before. A full disk is waited for,
// as in any commit; only what waiting cannot mend is an error.
func recoverLast(ctx context.Context, st *store) error {
	for {
		err := st.recover()
		if err == nil || errors.Is(err, spool.ErrLedger) {
			return err
		}
		st.log.Error("the last commit cannot be finished yet", "error", err)
		select {
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
			return err
		}
	}
}

// ErrConfig says that the spool's directories cannot be worked with as they are
// configured.
var ErrConfig = spool.ErrConfig

// ErrLedger says that the ledger is there and cannot be used. Its text names the way
// out.
var ErrLedger = spool.ErrLedger

// stateMode is for files in the state directory, which nobody else has to read.
const stateMode = os.FileMode(0o600)

// hashSeed is the seed of the shard hash, kept in the state directory so that a
// restart deals packets alike.
func hashSeed(fsys spool.FS, dir string) (uint64, error) {
	path := filepath.Join(dir, "hash-seed")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		text = []byte(hex.EncodeToString(b[:]))
		err = spool.WriteDurable(fsys, path, text)
	}
	if err != nil {
		return 0, fmt.Errorf("hash seed: %w", err)
	}
	// Cut short by a crash it is as good as any other: no log depends on it.
	seed, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return xxhash.Sum64(text), nil
	}
	return seed, nil
}

// newDescriptors is the pool for captures, whose readers wait where the process has no
// descriptor left. drop has what was read leave the page cache.
func newDescriptors(o Options, drop bool) *spool.Descriptors {
	d := spool.NewDescriptors(spool.OS{}, OpenFiles(o.Config.Limits.OpenFiles))
	d.TakeTurns(o.Config.Spool.Streams)
	if drop {
		d.DropBehind()
	}
	d.WaitForWant(func(err error) {
		o.Log.Warn("no file can be opened: captures wait; raise the limit of open files (LimitNOFILE in the unit), or lower limits.open_files", "error", err)
	})
	return d
}

// descriptorLimit is how many descriptors the process may have.
func descriptorLimit() (int, bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return int(min(l.Cur, 1<<30)), true
}
