package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/source/clock"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// Summary is what a batch did.
type Summary struct {
	Beat
	Elapsed     time.Duration
	First, Last packet.Time // own stamps, over all files; hold if Times
	Times       bool
	Failures    []Failure
	Talkers     []flowvec.Heavy // conversations with the most bytes, of those that were among the 256 of the most in their pane
	Alerts      int             // lines of anomaly.log labelled anomalous
	Highest     []logs.Anomaly  // the highest of them, one of a conversation and service
}

// mostTalkers are in a Summary.
const mostTalkers = 5

// Failure is a file that was not read to its end, and why.
type Failure struct{ Path, Reason string }

// Read runs the main job over a closed set of files, in exact order, and leaves
// the files as they are. paths are files, directories and "-". The error is
// ErrFailedFiles when all went well but for some of the files, which the
// Summary names. Cancelling ctx ends it early, cleanly: what is open is
// finished, and the logs are whole as far as they go.
func Read(ctx context.Context, o Options, paths []string) (s Summary, err error) {
	begin := time.Now()
	sink, beats, err := openLogs(o.Config.Logs.Dir)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, sink.Close(), beats.Close()) }()
	release, err := claimDirs(ctx, o.Log, logsClaim(o.Config))
	if err != nil {
		return Summary{}, err
	}
	defer release()
	for _, log := range committed {
		if _, other := sink.Due(log, logs.Rotation{Other: true, Form: formOf(o.Config)}, begin); other {
			return Summary{}, fmt.Errorf("%w: %s.log in %s is in another form than logs.format says: name another directory (--log-dir)", ErrConfig, log, o.Config.Logs.Dir)
		}
	}
	descriptors := newDescriptors(o, false)
	e, err := newEngine(o, deps{
		store:       &store{fs: spool.OS{}, sink: sink, log: o.Log},
		beats:       beats,
		plan:        stay,
		descriptors: descriptors,
		seed:        rand.Uint64(),
		retries:     boundedTries,
		batch:       true,
	})
	if err != nil {
		return Summary{}, err
	}
	following, arrived := context.WithCancel(ctx)
	var follower sync.WaitGroup
	err = e.run(ctx, func(ctx, work context.Context) error {
		found, err := gatherPaths(ctx, descriptors, paths)
		if err == nil && o.Config.Spool.Duplicates == config.DuplicatesSkip {
			err = spool.SkipCopies(ctx, descriptors, o.Config.Order.Window, found)
		}
		if err == nil {
			e.files.admit(work, e.timeline, found)
			if o.Progress != nil {
				follower.Go(func() { e.follow(following, o.Progress, found) })
			}
		}
		return ended(err)
	})
	arrived()
	follower.Wait()
	if err == nil {
		err = sink.Sync()
	}
	s = e.summary()
	s.Elapsed = time.Since(begin)
	if err == nil {
		err = e.files.snapshot().err()
	}
	return s, err
}

// stay moves nothing: a batch leaves files where they are. One that was written to
// meanwhile may hold more than was read.
func stay(r spool.Retirement) (spool.Move, error) {
	m := spool.Move{Outcome: r.Outcome, Reason: r.Reason}
	if changed := r.File.Changed(spool.OS{}); changed != "" && !r.File.Stream {
		m.Outcome, m.Reason = spool.Failed, changed
	}
	return m, nil
}

// gatherPaths indexes what the paths name. Standard input and pipes cannot be indexed:
// they count as beginning before everything else. One with several names is read once.
func gatherPaths(ctx context.Context, d *spool.Descriptors, paths []string) ([]*spool.File, error) {
	var named []string
	var found []*spool.File
	var streams []fs.FileInfo // of found
	for _, p := range paths {
		info, isStream := streamOf(p)
		switch {
		case !isStream:
			named = append(named, p)
		case !slices.ContainsFunc(streams, func(o fs.FileInfo) bool { return os.SameFile(o, info) }):
			streams = append(streams, info)
			const least = packet.Time(math.MinInt64)
			found = append(found, &spool.File{
				Path: p, Name: filepath.Base(p), ContentID: uint64(len(found)), // tells streams of equal packets apart
				First: least, Least: least, Latest: clock.Latest(time.Now()), HasRecords: true, Stream: true,
			})
		}
	}
	walked, err := spool.Walk(ctx, d, named)
	return append(found, walked...), err
}

// streamOf says whether a path that somebody named is standard input or a pipe, as of
// bash's <(command), and which.
func streamOf(path string) (info fs.FileInfo, ok bool) {
	if path == stdin {
		info, _ = os.Stdin.Stat() // what is wrong with it is heard when it is read
		return info, true
	}
	info, err := os.Stat(path)
	return info, err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// OpenFiles is the configured limit of capture files open at once, or less
// where the process may not have so many descriptors: some are for logs, the
// ledger and directories.
func OpenFiles(limit int) int {
	const reserve = 24
	soft, ok := descriptorLimit()
	if ok && soft-reserve < limit {
		limit = max(1, soft-reserve)
	}
	return limit
}

func (e *engine) summary() Summary {
	s := Summary{Beat: e.heartbeat.total()}
	t := e.files.snapshot()
	s.First, s.Last, s.Times = t.first, t.last, t.hasTimes
	s.Failures = t.failures
	l := e.committer.latest
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Talkers, s.Alerts, s.Highest = l.talkers(), l.alerted, l.highest
	s.Talkers = s.Talkers[:min(len(s.Talkers), mostTalkers)]
	return s
}
