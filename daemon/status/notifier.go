// Package status tells the world how the daemon is doing. It reads what others
// count and owns nothing.
package status

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Notifier speaks sd_notify(3) to the service manager. Where there is none
// (NOTIFY_SOCKET is unset) every method does nothing and returns nil. Its
// methods may be called from several goroutines.
type Notifier struct {
	send func(state string) error
}

// NewNotifier is a Notifier for the socket that the environment names. The
// socket is looked up at each message, so that New touches nothing.
func NewNotifier() *Notifier {
	return &Notifier{send: func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	}}
}

// Ready says that start-up is over: the configuration stands, the spool is
// watched. Only then do units that are ordered after this one start.
func (n *Notifier) Ready() error { return n.notify(daemon.SdNotifyReady) }

// Reloading says that the configuration is being read anew; Ready says that it is over.
func (n *Notifier) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("sd_notify RELOADING: %w", err)
	}
	return n.notify(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

// Stopping says that a clean stop has begun.
func (n *Notifier) Stopping() error { return n.notify(daemon.SdNotifyStopping) }

// Status sets the one line that `systemctl status` shows. Line ends in text
// become spaces: a file name in it must not become an assignment of its own.
func (n *Notifier) Status(text string) error {
	return n.notify("STATUS=" + strings.Join(strings.FieldsFunc(text, isLineEnd), " "))
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' || r == 0 }

func (n *Notifier) notify(state string) error {
	if err := n.send(state); err != nil {
		name, _, _ := strings.Cut(state, "=")
		return fmt.Errorf("sd_notify %s: %w", name, err)
	}
	return nil
}

// Watchdog pings the service manager at half of its WatchdogSec until ctx ends,
// each time only if progress says so: a process that hangs must look like one.
// progress has to be true of a daemon that is idle because there is nothing to
// do, and false of one whose stages wait for each other.
//
// It returns nil at once when no watchdog is asked for, and when ctx ends. A
// ping that cannot be sent is not an error here: the next one may get through,
// and if none does the service manager acts.
func (n *Notifier) Watchdog(ctx context.Context, progress func() bool) error {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("watchdog: %w", err)
	}
	if limit == 0 {
		return nil
	}
	// Below a microsecond the ticker would have no period.
	tick := time.NewTicker(max(limit/2, time.Microsecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if progress() {
				_ = n.notify(daemon.SdNotifyWatchdog)
			}
		}
	}
}
