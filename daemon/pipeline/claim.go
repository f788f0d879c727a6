package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"pcapdir/daemon/config"
)

// ErrBusy says that another process, a pcapdird as like as not, has locked a directory
// that has to be this one's alone.
var ErrBusy = errors.New("in use by another process")

// claim is a directory that no other process may work with, and what it is: two
// daemons on one spool log everything twice, two writers of one log write over each
// other's lines.
type claim struct {
	dir  string
	is   string // "the spool"
	key  string // of the configuration, where another one can be named
	file string // in the directory: locked in its place, since NFS locks no directory
}

func stateClaim(cfg *config.Config) claim {
	return claim{cfg.Commit.Dir, "the state directory", "commit.dir", "lock"}
}

func spoolClaims(cfg *config.Config) (claims []claim) {
	for _, dir := range cfg.Spool.Dirs {
		claims = append(claims, claim{dir, "the spool", "spool.dirs", ""})
	}
	return claims
}

func logsClaim(cfg *config.Config) claim {
	return claim{cfg.Logs.Dir, "the log directory", "logs.dir (--log-dir)", ""}
}

// patience is how long a claim waits for the directory's last holder to let go, or for
// whoever locks it for a moment, as systemd-tmpfiles does.
const patience = time.Second

// open opens what is locked.
func (c *claim) open() (*os.File, error) {
	if c.file == "" {
		return os.Open(c.dir)
	}
	return os.OpenFile(filepath.Join(c.dir, c.file), os.O_CREATE|os.O_RDWR, stateMode)
}

// claimDirs claims directories, which are there, until release is called or the process
// ends, however it does. A file system that cannot lock is warned of. The error is an
// ErrBusy where another process has one of them.
func claimDirs(ctx context.Context, log *slog.Logger, claims ...claim) (release func(), err error) {
	var held []*os.File
	letGo := func() {
		for _, f := range held {
			_ = f.Close() // opened for reading
		}
	}
	defer func() {
		if err != nil {
			letGo()
		}
	}()
	for _, c := range claims {
		f, err := c.open()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", c.is, err)
		}
		if another, err := sameAsOne(held, f); another || err != nil {
			_ = f.Close()
			if err != nil {
				return nil, fmt.Errorf("lock %s: %w", c.is, err)
			}
			continue
		}
		held = append(held, f)
		switch err := flock(ctx, f); {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, fmt.Errorf("%s (%s) is %w: stop that, or give this one a %s of its own", c.is, c.dir, ErrBusy, c.key)
		case err != nil && ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			log.Warn("a directory cannot be locked: see to it yourself that no other pcapdird works with it", "dir", c.dir, "error", err)
		}
	}
	return letGo, nil
}

// sameAsOne says whether f is one of the directories held, by another name.
func sameAsOne(held []*os.File, f *os.File) (bool, error) {
	is, err := f.Stat()
	if err != nil {
		return false, err
	}
	for _, h := range held {
		of, err := h.Stat()
		if err != nil {
			return false, err
		}
		if os.SameFile(is, of) {
			return true, nil
		}
	}
	return false, nil
}

// flock locks f, with patience.
func flock(ctx context.Context, f *os.File) error {
	patient, done := context.WithTimeout(ctx, patience)
	defer done()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-patient.Done():
			return cmp.Or(ctx.Err(), err)
		}
	}
}
