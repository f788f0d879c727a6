package pipeline

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

// labFile is a capture of the laboratory, as the spool would bring it.
func labFile(t *testing.T) []*spool.File {
	t.Helper()
	capture, err := filepath.Abs("../../testdata/pcap/lab-00.pcap.zst")
	if err != nil {
		t.Fatal(err)
	}
	found, err := gatherPaths(t.Context(), spool.NewDescriptors(spool.OS{}, 4), []string{capture})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A state directory that is full, or fails, for a while: commits wait, health says
// why, and then all is as if nothing had been.
func TestStateCannotBeWritten(t *testing.T) {
	found := labFile(t)
	want := t.TempDir()
	cfg := config.Default()
	cfg.Logs.Dir = want
	if _, err := Read(t.Context(), Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, []string{found[0].Path}); err != nil {
		t.Fatal(err)
	}
	seeds := uint64(6)
	if os.Getenv("PCAPDIR_LONG") == "" {
		seeds = 2
	}
	for seed := range seeds {
		f := failing{rnd: rand.New(rand.NewPCG(seed, 1)), err: []error{syscall.ENOSPC, syscall.EIO}[seed%2]}
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) { f.run(t, dir, found[0]) })
		if f.failed.Load() == 0 || !strings.Contains(f.said.String(), "the commit waits") {
			t.Errorf("seed %d: %d operations failed, and it is said that\n%s", seed, f.failed.Load(), f.said.String())
		}
		for _, log := range []string{"conn", "anomaly", "kmeans", "weird"} {
			got, err := os.ReadFile(filepath.Join(dir, "logs", log+".log"))
			wanted, wantErr := os.ReadFile(filepath.Join(want, log+".log"))
			if os.IsNotExist(err) != os.IsNotExist(wantErr) || !bytes.Equal(got, wanted) {
				t.Errorf("seed %d: %s.log has %d bytes, want %d", seed, log, len(got), len(wanted))
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "state", "st*")); len(left) > 0 {
			t.Errorf("seed %d: left: %q", seed, left)
		}
	}
}

// failing is a run whose state directory fails now and then.
type failing struct {
	rnd    *rand.Rand
	err    error
	failed atomic.Int64
	said   bytes.Buffer
}

func (f *failing) run(t *testing.T, dir string, capture *spool.File) {
	var fsys spooltest.Faults
	fsys.Fail(func(op spooltest.Op, path string) error {
		base := filepath.Base(path)
		changes := op == spooltest.OpenWrite || op == spooltest.Write || op == spooltest.Sync || op == spooltest.Rename || op == spooltest.Truncate
		if f.failed.Load() < 40 && changes && (strings.HasPrefix(base, "st") || strings.HasPrefix(base, spool.LedgerName)) && f.rnd.IntN(3) == 0 {
			f.failed.Add(1)
			return f.err
		}
		return nil
	})
	cfg := config.Default()
	cfg.Logs.Dir, cfg.Commit.Dir, cfg.Commit.Interval, cfg.Shards.Count = filepath.Join(dir, "logs"), filepath.Join(dir, "state"), time.Second, 3
	if err := os.Mkdir(cfg.Commit.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	sink, beats, err := openLogs(cfg.Logs.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = sink.Close(), beats.Close() }()
	e, err := newEngine(Options{Config: cfg, Log: slog.New(slog.NewTextHandler(&f.said, nil))}, deps{
		store: &store{fs: &fsys, dir: cfg.Commit.Dir, sink: logs.Sink(sink), log: slog.New(slog.DiscardHandler)}, beats: beats,
		plan: stay, descriptors: spool.NewDescriptors(spool.OS{}, 4), seed: f.rnd.Uint64(),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = e.run(t.Context(), func(_, work context.Context) error {
		e.files.admit(work, e.timeline, []*spool.File{capture})
		for _, idle := e.frontier.Idle(); !idle; _, idle = e.frontier.Idle() {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Hour) // for commits
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A stop that cannot finish the commit in hand, since a log cannot be written, leaves
// what its ledger promises as it is: the next start carries that out and goes on.
func TestStopWithoutRoomForLogs(t *testing.T) {
	found := labFile(t)
	cfg := config.Default()
	cfg.Logs.Dir, cfg.Commit.Dir, cfg.Commit.Interval, cfg.Shards.Count = t.TempDir(), t.TempDir(), time.Hour, 3
	o := Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}
	sink, beats, err := openLogs(cfg.Logs.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = sink.Close(), beats.Close() }()
	synctest.Test(t, func(t *testing.T) {
		e, err := newEngine(o, deps{
			store: &store{fs: spool.OS{}, dir: cfg.Commit.Dir, sink: fullSink{sink}, log: o.Log}, beats: beats, retries: 1,
			plan: stay, giveBack: func(*spool.File, error) {}, descriptors: spool.NewDescriptors(spool.OS{}, 4),
		})
		if err != nil {
			t.Fatal(err)
		}
		stop, cancel := context.WithCancel(t.Context())
		err = e.run(stop, func(_, work context.Context) error {
			e.files.admit(work, e.timeline, found)
			for begin := e.frontier.Safe(); e.frontier.Safe() == begin; {
				time.Sleep(time.Microsecond)
			}
			for range 2 { // in the middle of the file, and at its end
				if _, err := e.committer.commit(work); !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("a commit without room for lines: %v", err)
				}
				for _, idle := e.frontier.Idle(); !idle; _, idle = e.frontier.Idle() {
					time.Sleep(time.Millisecond)
				}
			}
			cancel()
			return nil
		})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("stopped with %v", err)
		}
	})
	st := &store{fs: spool.OS{}, dir: cfg.Commit.Dir, sink: sink, log: o.Log}
	was, err := recoverState(t.Context(), o, st)
	if err != nil {
		t.Fatal(err)
	}
	if was == nil || len(was.Live.Shards) == 0 {
		t.Fatalf("nothing was saved: %+v", was)
	}
	if _, err := newEngine(o, deps{store: st, beats: beats, plan: stay, descriptors: spool.NewDescriptors(spool.OS{}, 4), state: was}); err != nil {
		t.Error(err)
	}
}

// fullSink is a log directory on a full disk.
type fullSink struct{ *logs.Dir }

func (fullSink) Append(string, logs.Position, logs.Lines) (logs.Position, error) {
	return logs.Position{}, syscall.ENOSPC
}
