package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
)

// Bounds of what may wait for a commit, in bytes of log lines. Above the first
// the committer is asked not to wait for its interval (a few megabytes fit in
// caches, and cost no fresh memory); above a share of limits.memory, but no more than
// the second, readers pause, so that a full disk or a slow one costs time, never memory.
// Shards are not stalled: what readers have handed on is finite.
const (
	backlogCommit = 8 << 20
	backlogPause  = 128 << 20
)

// backlog counts the bytes of lines that wait for a commit, and is the gate
// that holds readers back while there are too many. It meets source.Gate.
type backlog struct {
	pause  int // bytes above which readers do
	mu     sync.Mutex
	bytes  int
	opened chan struct{} // closed when the gate opens; nil while it is open
	whole  bool          // somebody asked for a commit, not only for room
	kick   chan struct{} // capacity 1: there is something to do now

	waiters atomic.Int32 // shards that wait until lines are fetched
}

// newBacklog makes one for a share of limits.memory, in bytes.
func newBacklog(share int64) *backlog {
	return &backlog{pause: int(min(share, backlogPause)), kick: make(chan struct{}, 1)}
}

// paneWeight is what a pane counts that waits for its report: a commit has to wait
// for those of all that lie before its cut.
func (b *backlog) paneWeight() int { return b.pause / 64 }

// grow counts n bytes more, of a shard that has got further: others may wait for that.
func (b *backlog) grow(n int) {
	if b.waiters.Load() > 0 {
		b.look()
	}
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += n
	if b.bytes > min(backlogCommit, b.pause/4) {
		b.look()
	}
	if b.bytes > b.pause && b.opened == nil {
		b.opened = make(chan struct{})
	}
}

// commitNow asks the committer not to wait for its interval.
func (b *backlog) commitNow() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole = true
	b.look()
}

// asked says whether a commit was asked for since it said so last.
func (b *backlog) asked() (whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	whole, b.whole = b.whole, false
	return whole
}

// look has the committer look at what waits.
func (b *backlog) look() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// shrink counts n bytes less: they are in the logs.
func (b *backlog) shrink(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= n
	if b.bytes <= b.pause && b.opened != nil {
		close(b.opened)
		b.opened = nil
	}
}

// Closed says that readers have to wait.
func (b *backlog) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened != nil
}

// Wait returns when the gate is open, or with the context's error.
func (b *backlog) Wait(ctx context.Context) error {
	b.mu.Lock()
	opened := b.opened
	b.mu.Unlock()
	if opened == nil {
		return nil
	}
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
