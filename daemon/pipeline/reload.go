package pipeline

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
)

// setup is the configuration that holds now. A reload changes some of its keys
// (config.Live): whoever needs one of those reads it here, each time.
type setup struct{ atomic.Pointer[config.Config] }

func newSetup(cfg *config.Config) *setup {
	s := new(setup)
	s.Store(cfg)
	return s
}

func (s *setup) rotation() logs.Rotation {
	cfg := s.Load()
	return logs.Rotation{Every: cfg.Logs.Rotate, Size: cfg.Logs.RotateSize, Other: true, Form: formOf(cfg)}
}

// Reloaded is what a reload has changed.
type Reloaded struct {
	Taken   []string `json:"taken"`   // section.key = value, as in the file
	Waiting []string `json:"waiting"` // keys that have changed and hold from the next start on
}

// reloader takes on another configuration while the daemon runs.
type reloader struct {
	*engine
	load  func() (*config.Config, error) // or nil
	ready func()                         // or nil

	mu sync.Mutex // one at a time
}

// follow reloads whenever asked to, until ctx ends.
func (r *reloader) follow(ctx context.Context, asked <-chan os.Signal) {
	for {
		select {
		case <-asked:
			_, _ = r.reload() // it is told
		case <-ctx.Done():
			return
		}
	}
}

// reload reads the configuration anew and takes on of it what a running daemon can. One
// with problems changes nothing.
func (r *reloader) reload() (Reloaded, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.load == nil {
		return Reloaded{}, errors.New("there is no configuration to read anew")
	}
	to, err := r.load()
	if r.ready != nil {
		defer r.ready()
	}
	if err != nil {
		r.log.Error("the configuration is not reloaded; the one before holds", "error", err)
		return Reloaded{}, err
	}
	next, changes := r.setup.Load().Reload(to)
	done := Reloaded{Taken: []string{}, Waiting: []string{}}
	for _, c := range changes {
		if c.Live {
			done.Taken = append(done.Taken, c.Key+" = "+c.To)
		} else {
			done.Waiting = append(done.Waiting, c.Key)
		}
	}
	r.setup.Store(next)
	r.plant.backlog.commitNow() // so that the committer sees its interval
	r.log.Info("configuration reloaded", "taken", done.Taken, "waiting_for_a_start", done.Waiting)
	return done, nil
}
