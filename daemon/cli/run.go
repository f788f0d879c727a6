package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/daemon/status"
)

const runHelp = `Watch the spool directories until SIGTERM or SIGINT, then stop cleanly.

Move capture files into the spool with mv: it is atomic on one file system. A
file that was not moved in is read once it has stopped changing (spool.settle).
What lies in the spool at the start is read in one exact order; what comes later
is read in groups (order.hold_back). Files that were read go to spool.done,
those that could not be read to spool.failed beside a .reason file; spool.log
has one line for each. A file called *.manifest lists captures to be read where
they lie. Copies of captures that were read are not read again
(spool.duplicates). SIGHUP has the configuration read anew (see pcapdird reload).

Log lines become visible, and files are put away, only together, at commits.
With each commit all that is open is saved in commit.dir. A stop, like a crash,
ends no connection: the next start goes on where the last commit was, also with
another number of shards. --flush has a stop read open files to their ends, and
end and log what is open, as at the end of a capture.`

func newRun(s Streams) *cobra.Command {
	var flags settings
	var flush, reset bool
	c := &cobra.Command{
		Use:     "run",
		Short:   "watch the spool and keep the logs",
		Long:    runHelp,
		Example: "  pcapdird run --config /etc/pcapdir/pcapdir.toml\n  pcapdird run --set spool.dirs=$PWD/in --set spool.done=$PWD/done --set spool.failed=$PWD/failed --set logs.dir=logs --set commit.dir=state",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runDaemon(c.Context(), s, &flags, flush, reset) },
	}
	flags.register(c)
	c.Flags().BoolVar(&flush, "flush", false, "at a stop, end and log the connections that are open instead of saving them")
	c.Flags().BoolVar(&reset, "reset-state", false, "begin without what an earlier run saved: its open connections are lost, and files that it was reading are read anew")
	return c
}

func runDaemon(ctx context.Context, s Streams, flags *settings, flush, reset bool) error {
	hangup := make(chan os.Signal, 1) // from here to the end it does not end the process
	signal.Notify(hangup, syscall.SIGHUP)
	signal.Ignore(syscall.SIGUSR1) // "open your logs anew": they are looked at for each line
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	// A bug, or the watchdog's SIGABRT, must not end the process with Go's exit code 2,
	// which says that starting again is of no use.
	debug.SetTraceback("crash")
	log := newLog(s.Err, slog.LevelInfo, isJournal(s.Err))
	boundMemory(cfg)
	notify := status.NewNotifier()
	var live pulse
	watching, done := context.WithCancel(context.WithoutCancel(ctx))
	var watchdog sync.WaitGroup
	watchdog.Go(func() { _ = notify.Watchdog(watching, live.progress) }) // nil by its contract
	defer watchdog.Wait()
	defer done()
	stopping := context.AfterFunc(ctx, func() {
		how := "what is open is saved for the next start"
		if flush {
			how = "what is open is read to its end"
		}
		log.Info("stopping: "+how, "cause", context.Cause(ctx))
		_ = notify.Stopping() // without a service manager there is nobody to tell
	})
	defer stopping()
	return pipeline.Run(ctx, pipeline.Options{
		Config: cfg,
		Log:    log,
		Input:  s.In,
		Flush:  flush, ResetState: reset,
		Ready: func() {
			_ = notify.Ready()
		},
		Load: func() (*config.Config, error) {
			_ = notify.Reloading()
			return flags.loadAgain()
		},
		Hangup:  hangup,
		Version: version(),
		Heard: func(b pipeline.Beat) {
			live.heard(b)
			_ = notify.Status(b.String())
		},
	})
}

// pulse decides whether the watchdog is fed: by work done, or by there being
// none to do, or by a disk that has to be waited for. A daemon whose stages
// wait for each other has neither.
type pulse struct {
	work, fed atomic.Uint64
	idle      atomic.Bool
}

func (p *pulse) heard(b pipeline.Beat) {
	p.work.Store(b.Handled + uint64(b.ReadBytes) + b.Done + b.Failed + 1)
	p.idle.Store(b.OpenFiles == 0 && b.Ahead == 0 || b.CommitError != nil)
}

func (p *pulse) progress() bool {
	now := p.work.Load()
	return p.fed.Swap(now) != now || p.idle.Load() || now == 0
}
