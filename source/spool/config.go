package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config is what the operator decides. Durations are on the wall clock.
type Config struct {
	Dirs   []string // watched with all directories below them, each of which is a source
	Done   string   // where files go that were read; it may lie below a watched directory
	Failed string   // where files go that could not be read, each beside its reason
	After  After    // what becomes of files that were read

	// Settle is how long a file must stay as it is, unless it was last modified
	// longer ago than that when it is first seen.
	Settle time.Duration
	// HoldBack is how long nothing may arrive before a group is admitted; the
	// group waits at most six times as long, from its first file on.
	HoldBack time.Duration
	// ReadDuplicates reads copies of files that were read, too.
	ReadDuplicates bool
	// Window is the disorder that a capture may have, in packet time: files whose
	// stamps span no more are never taken for copies.
	Window time.Duration
	// State is the directory that holds the history of what was read. Without one,
	// "", copies of what is no longer in hand are read, and no manifest is.
	State string
	// Apart are directories of files that are no captures, such as logs: to watch them
	// is refused.
	Apart []string
	// Rescan is how often directories are listed when nothing says that they
	// changed; 0 is 5 s.
	Rescan time.Duration
	// Poll leaves out inotify: listing alone finds the files.
	Poll bool
}

// Deps is what the spool works with.
type Deps struct {
	Files *Descriptors // opens every file; its FS does everything else
	Log   *slog.Logger
	Now   func() time.Time // the wall clock; nil is time.Now
}

// ErrConfig says that the spool's directories cannot be worked with as they
// are configured. Its text names the paths.
var ErrConfig = errors.New("spool")

// defaultRescan is short, for a listing is cheap and inotify does not work on
// every file system.
const defaultRescan = 5 * time.Second

// maxHolds is how many hold-backs a group waits for more at most.
const maxHolds = 6

// validate refuses what no directory could make right.
func (c *Config) validate() error {
	switch c.After {
	case AfterDone, AfterDelete, AfterKeep:
	default:
		return fmt.Errorf("%w: after is %q, not done, delete or keep", ErrConfig, c.After)
	}
	switch {
	case len(c.Dirs) == 0:
		return fmt.Errorf("%w: no directory to watch", ErrConfig)
	case c.Failed == "" || c.After == AfterDone && c.Done == "":
		return fmt.Errorf("%w: no directory for files that are done, or for those that failed", ErrConfig)
	case c.Settle < 0 || c.HoldBack < 0 || c.Rescan < 0:
		return fmt.Errorf("%w: a negative duration", ErrConfig)
	}
	return nil
}
