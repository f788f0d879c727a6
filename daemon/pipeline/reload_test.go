package pipeline_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// anew is a configuration that a daemon can reload.
type anew struct {
	next   atomic.Pointer[config.Config]
	wrong  atomic.Bool
	hangup chan os.Signal
}

var errWrong = errors.New("there is a typing error")

func (a *anew) load() (*config.Config, error) {
	if a.wrong.Load() {
		return nil, errWrong
	}
	return a.next.Load(), nil
}

// start starts a daemon with cfg, and no other at hand.
func (a *anew) start(t *testing.T, cfg *config.Config) *daemon {
	a.next.Store(cfg)
	a.hangup = make(chan os.Signal, 1)
	return startAs(t, pipeline.Options{Config: cfg, Flush: true, Load: a.load, Hangup: a.hangup})
}

// change has later reloads find the configuration changed.
func (a *anew) change(with func(*config.Config)) {
	next := *a.next.Load()
	with(&next)
	a.next.Store(&next)
}

// What waits for an hour by one configuration happens at once by the next: commits, and
// rotation. What cannot change while it runs is named, and one with problems changes nothing.
func TestReload(t *testing.T) {
	cfg := site(newRoot(t))
	cfg.Commit.Interval = time.Hour
	var a anew
	d := a.start(t, cfg)
	c := loadCapture(t, "golden/cases.pcap.gz")
	d.mv(t, "a", formOf(c).encode(t, c))
	d.until(t, "a is read", func() bool { return wantAnswer[pipeline.Report](t, d, "status", "").ActiveConns > 0 })
	if r := wantAnswer[pipeline.Reloaded](t, d, "reload", ""); len(r.Taken)+len(r.Waiting) > 0 {
		t.Errorf("nothing has changed, and the reload says %+v", r)
	}

	a.change(func(c *config.Config) { c.Order.Lateness, c.Order.HoldBack = time.Hour, time.Hour })
	r := wantAnswer[pipeline.Reloaded](t, d, "reload", "")
	if !slices.Equal(r.Taken, []string{`order.lateness = "1h"`}) || !slices.Equal(r.Waiting, []string{"order.hold_back"}) {
		t.Errorf("the reload says %+v", r)
	}

	a.wrong.Store(true)
	if _, err := ask[pipeline.Reloaded](t, d, "reload", ""); err == nil || !strings.Contains(err.Error(), errWrong.Error()) {
		t.Errorf("a wrong configuration: %v", err)
	}
	a.wrong.Store(false)

	a.change(func(c *config.Config) { c.Commit.Interval, c.Logs.RotateSize = 100*time.Millisecond, 1<<10 })
	a.hangup <- syscall.SIGHUP
	d.until(t, "spool.log is committed", func() bool { return len(fates(t, readLogs(t, cfg.Logs.Dir)["spool"])) == 1 })
	d.until(t, "conn.log is rotated", func() bool {
		files, err := logs.Files(cfg.Logs.Dir, "conn")
		return err == nil && len(files) > 0 && !strings.HasSuffix(files[0], "/conn.log")
	})
	d.quit(t)
}
