package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/status"
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// control is what can be asked of a running daemon.
type control struct {
	*engine
	spool    *spool.Spool
	catcher  *catcher
	trickle  *trickle
	reloader *reloader
	history  history
	begin    time.Time
}

// doors are where the daemon can be asked. Each may be nil.
type doors struct{ control, web net.Listener }

// openDoors opens them. Without a control socket a daemon does its work all the same;
// where it is to be watched and cannot be, it does not begin.
func openDoors(cfg *config.Config, log *slog.Logger) (d doors, err error) {
	if cfg.Status.Listen != "" {
		if d.web, err = status.ListenWeb(cfg.Status.Listen); err != nil {
			return d, err
		}
	}
	if d.control, err = status.ListenControl(cfg.ControlPath()); err != nil {
		log.Error(noControl, "error", err)
		d.control = nil
	}
	return d, nil
}

const noControl = "pcapdird status, reload, seal, flush, pause, resume and requeue will not work"

// close closes what is open. What was served is closed already.
func (d doors) close() {
	for _, l := range []net.Listener{d.control, d.web} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// serve answers at the doors until ctx ends.
func (c *control) serve(ctx context.Context, d doors, version string) {
	var at sync.WaitGroup
	defer at.Wait()
	if d.web != nil {
		at.Go(func() { c.history.follow(ctx, c.picture) })
		at.Go(func() { c.serveWeb(ctx, d.web, version) })
	}
	if d.control == nil {
		return
	}
	if err := status.ServeControl(ctx, d.control, c.log, c.operations()); err != nil {
		c.log.Error(noControl, "error", err)
	}
}

func (c *control) operations() []status.Operation {
	return []status.Operation{
		{Name: "status", Do: func(context.Context, string) (any, error) { return c.report(), nil }},
		{Name: "reload", Do: func(context.Context, string) (any, error) { return c.reloader.reload() }},
		{Name: "seal", Do: func(ctx context.Context, _ string) (any, error) { return c.seal(ctx, false) }},
		{Name: "flush", Do: func(ctx context.Context, _ string) (any, error) { return c.seal(ctx, true) }},
		{Name: "pause", Do: func(context.Context, string) (any, error) { return c.pause(), nil }},
		{Name: "resume", Do: func(ctx context.Context, _ string) (any, error) { return c.resume(ctx) }},
		{Name: "requeue", Do: func(ctx context.Context, path string) (any, error) { return c.requeue(ctx, path) }},
	}
}

// Report is what `pcapdird status` shows.
type Report struct {
	PID         int            `json:"pid"`
	Since       time.Time      `json:"since"`
	Paused      bool           `json:"paused"`
	Settling    int            `json:"settling"` // files, as in spool.Status
	Held        int            `json:"held"`
	Admitted    int            `json:"admitted"`
	Unreadable  int            `json:"unreadable"`
	Kept        int            `json:"kept"`
	Open        int            `json:"open"`    // files being read now
	Ahead       int            `json:"ahead"`   // admitted files whose turn has not come
	Oldest      float64        `json:"oldest"`  // seconds that the oldest file has waited
	Done        uint64         `json:"done"`    // files since the start
	Failed      uint64         `json:"failed"`  // likewise
	Packets     uint64         `json:"packets"` // that shards handled since the start
	Conns       uint64         `json:"conns"`   // that ended since the start
	ActiveConns uint64         `json:"active_conns"`
	LoggedUpTo  string         `json:"logged_up_to,omitempty"` // event time; empty before the first packet
	CommitError string         `json:"commit_error,omitempty"` // why commits wait
	CatchingUp  bool           `json:"catching_up"`
	WaitsFor    []string       `json:"waits_for,omitempty"` // silent directories from which something may still come that belongs before the rest
	Memory      uint64         `json:"memory"`              // resident bytes
	BookErrors  uint64         `json:"book_errors"`
	Problems    []Problem      `json:"problems,omitempty"`
	Books       books.Accounts `json:"books"` // of all files since there is a ledger
}

// Problem is a file or directory of the spool that cannot be used.
type Problem struct {
	Path   string    `json:"path"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// report takes the picture.
func (c *control) report() Report {
	p := c.picture()
	return c.reportOf(&p)
}

func (c *control) reportOf(p *picture) Report {
	b, s := &p.Beat, &p.spool
	r := Report{
		PID: os.Getpid(), Since: c.begin, Paused: s.Paused,
		Settling: s.Settling, Held: s.Grouped, Admitted: s.Admitted, Unreadable: s.Unreadable, Kept: s.Kept,
		Open: b.OpenFiles, Ahead: b.Ahead, Oldest: s.Oldest.Seconds(), Done: b.Done, Failed: b.Failed,
		Packets: b.Handled, Conns: b.Conns, ActiveConns: b.ActiveConns, CatchingUp: p.catching, WaitsFor: c.trickle.silent(),
		Memory: b.Resident, BookErrors: b.BookErrors, Books: b.Accounts,
	}
	if b.HasWatermark {
		r.LoggedUpTo = b.Watermark.UTC()
	}
	if b.CommitError != nil {
		r.CommitError = b.CommitError.Error()
	}
	for _, p := range s.Problems {
		r.Problems = append(r.Problems, Problem{p.Path, p.Reason, p.Since})
	}
	return r
}

// Sealed says up to where the logs are complete.
type Sealed struct {
	UpTo string `json:"up_to,omitempty"` // event time; empty where nothing was read yet
}

// seal takes what lies in the spool as all there is: it is read, event time rests
// just behind it, and the logs are complete up to there. A flush ends and logs
// there every connection that is open. What comes later and begins before is late.
func (c *control) seal(ctx context.Context, flush bool) (Sealed, error) {
	if err := c.spool.Seal(ctx); err != nil {
		return Sealed{}, err
	}
	var up packet.Time
	err := poll(ctx, func() (ok bool) {
		if c.catcher.busy() || c.reading.Load() > 0 {
			return false
		}
		up, ok = c.frontier.Mark(flush)
		return ok
	})
	if err != nil || up == -packet.MaxTime {
		return Sealed{}, err
	}
	err = poll(ctx, func() bool {
		c.committer.urgent.Store(true)
		c.plant.backlog.commitNow()
		return c.committer.snapshot().watermark >= up
	})
	if err != nil {
		return Sealed{}, err
	}
	c.log.Info("sealed by hand", "up_to", up.UTC(), "flushed", flush)
	return Sealed{UpTo: up.UTC()}, nil
}

// poll asks until it hears yes, or ctx ends.
func poll(ctx context.Context, ask func() bool) error {
	for !ask() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("given up; what was begun goes on")
		}
	}
	return nil
}

// Paused says whether the daemon takes files.
type Paused struct {
	Paused bool `json:"paused"`
}

func (c *control) pause() Paused {
	c.spool.Pause()
	c.log.Info("paused by hand: nothing is admitted until pcapdird resume, or a restart")
	return Paused{true}
}

func (c *control) resume(ctx context.Context) (Paused, error) {
	err := c.spool.Resume(ctx)
	c.log.Info("resumed by hand")
	return Paused{}, err
}

// Requeued says where a file lies now.
type Requeued struct {
	Path string `json:"path"`
}

// requeue moves a file that was put away back into the spool. The ledger must not
// have its move any more: see store.forget.
func (c *control) requeue(ctx context.Context, path string) (r Requeued, err error) {
	err = c.committer.between(ctx, func() error {
		if err := c.committer.store.forget(); err != nil {
			return err
		}
		r.Path, err = c.spool.Requeue(path)
		return err
	})
	if err == nil {
		c.log.Info("requeued by hand", "from", path, "to", r.Path)
	}
	return r, err
}
