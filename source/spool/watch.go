package spool

import (
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watch turns inotify into one hint: something may have changed. What changed
// is for the listing to say: events cannot tell a moved file from one that is
// being written, overflow, and die silently with their directory.
type watch struct {
	hints chan struct{} // capacity 1
	log   *slog.Logger

	fsn  *fsnotify.Watcher // nil: polling only
	done sync.WaitGroup
	deaf bool // a directory could not be watched, and that was said
}

// newWatch starts listening unless poll is set. The caller closes it.
func newWatch(poll bool, log *slog.Logger) *watch {
	w := &watch{hints: make(chan struct{}, 1), log: log}
	if poll {
		return w
	}
	fsn, err := fsnotify.NewWatcher()
	if err != nil {
		w.pollInstead("", err)
		return w
	}
	w.fsn = fsn
	w.done.Go(w.listen)
	return w
}

// listen empties the queue of events for as long as the watcher lives.
func (w *watch) listen() {
	for {
		select {
		case e, ok := <-w.fsn.Events:
			if !ok {
				return
			}
			if !ignored(filepath.Base(e.Name)) {
				w.hint()
			}
		case err, ok := <-w.fsn.Errors:
			if !ok {
				return
			}
			// An overflow, mostly: what was missed, the listing finds.
			w.log.Debug("inotify", "err", err)
			w.hint()
		}
	}
}

func (w *watch) hint() {
	select {
	case w.hints <- struct{}{}:
	default: // one is enough
	}
}

// add watches dir. It must come before the listing that relies on it, and at
// every look: a watch dies with its directory, and the next one may have the
// same name and inode. Adding what is watched costs one system call.
func (w *watch) add(dir string) {
	if w.fsn == nil {
		return
	}
	if err := w.fsn.Add(dir); err != nil {
		w.pollInstead(dir, err)
	}
}

// remove stops watching dir, if it is watched.
func (w *watch) remove(dir string) {
	if w.fsn != nil {
		_ = w.fsn.Remove(dir) // gone already with its directory, mostly
	}
}

// pollInstead says once that files will be found later than they could be.
func (w *watch) pollInstead(dir string, err error) {
	if !w.deaf {
		w.log.Warn("inotify is not available: files are found by listing alone", "dir", dir, "err", err)
		w.deaf = true
	}
}

// close ends the listening and waits for it.
func (w *watch) close() {
	if w.fsn != nil {
		_ = w.fsn.Close() // it only listened
		w.done.Wait()
	}
}
