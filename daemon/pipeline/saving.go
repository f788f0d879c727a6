package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/spool"
)

// saving is one cut of a timeline under way: each shard, and what routes packets to them,
// writes what it has to a segment of its own as soon as it has got to the cut.
type saving struct {
	fs     spool.FS
	dir    string
	prefix string // of the names of the segments
	done   chan struct{}

	mu       sync.Mutex
	begun    bool // there is a cut for it; the committer's
	left     int  // parts to come
	segments map[string]segment
	files    []spool.OpenFile // of the segments
	frontier packet.Time      // lines before it were handed over
	took     time.Duration
	err      error
}

// routingPart is the part of the defragmenter and the dealer; those of shards are numbers.
const routingPart = "routing"

// shard writes the part of a shard that has handed over all lines before frontier,
// which is the same for all: it depends on the cut alone.
func (s *saving) shard(n int, frontier packet.Time, do func(w *snap.Writer)) {
	s.mu.Lock()
	s.frontier = frontier
	s.mu.Unlock()
	s.write(strconv.Itoa(n), do)
}

// write writes a part. What goes wrong is told by wait.
func (s *saving) write(part string, do func(w *snap.Writer)) {
	seg, file, err := writeSegment(s.fs, s.dir, s.prefix+part, do)
	fault("save")
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.segments[part] = seg
		s.files = append(s.files, file)
	}
	s.err = errors.Join(s.err, err)
	if s.left--; s.left == 0 {
		close(s.done)
	}
}

// wait waits until all parts are written. Where a shard waits, too, for its lines to be
// fetched, meanwhile is called; that took so long in all.
func (s *saving) wait(ctx context.Context, b *backlog, meanwhile func() error) (taking time.Duration, err error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return taking, s.err
		case <-ctx.Done():
			return taking, ctx.Err()
		case <-tick.C:
		}
		if b.waiters.Load() == 0 {
			continue
		}
		begin := time.Now()
		if err := meanwhile(); err != nil {
			return taking, err
		}
		taking += time.Since(begin)
	}
}

// over says that all parts are written.
func (s *saving) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// sync makes the parts durable.
func (s *saving) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.files) > 0 {
		if err := s.files[0].Sync(); err != nil {
			return fmt.Errorf("write state: %w", err)
		}
		_ = s.files[0].Close() // synced
		s.files = s.files[1:]
	}
	return nil
}

// close lets go of the files.
func (s *saving) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		_ = f.Close() // of no use any more
	}
	s.files = nil
}

// savingShare is how much more time passes between commits than the last one took to
// save the state: at most 5 % of it goes there.
const savingShare = 20

// longestSaving is the longest that counts, lest a disk that was slow once puts off
// commits for long.
const longestSaving = 10 * time.Second

// rested says that so much time has passed since state was saved that it may be again.
func (c *committer) rested() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.saved) >= savingShare*c.saving
}

// spent notes how long saving state took. What is waited for is not counted.
func (c *committer) spent(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved, c.saving = time.Now(), min(took, longestSaving)
}

// save cuts the timelines where they are, and saves their state there. If that fails
// it is done anew, further on. took is how long the try did that succeeded.
func (c *committer) save(ctx context.Context, b *commit) (cuts []cut, took time.Duration, err error) {
	var gaveUp error // on taking lines: that was tried often enough
	err = c.again(ctx, func() error {
		for _, cut := range cuts {
			cut.saved.close()
		}
		cuts, took = nil, 0
		timelines := c.timelines()
		stand := map[*timeline]place{}
		meanwhile := func() error {
			gaveUp = c.takeInto(ctx, b, upTo(timelines, stand))
			return gaveUp
		}
		for _, t := range timelines {
			cut, err := c.cutNow(ctx, t, b.seq, stand, meanwhile)
			if gaveUp != nil {
				return nil
			}
			if err != nil {
				return err
			}
			cuts = append(cuts, cut)
			if cut.saved != nil {
				took += cut.saved.took
			}
		}
		c.spent(took)
		return nil
	})
	if err = cmp.Or(gaveUp, err); err != nil {
		return nil, 0, err
	}
	// Panes take a report each: some at a time.
	for end, more := c.live.limited(cuts[0].end); more; end, more = c.live.limited(cuts[0].end) {
		c.gather(b, cut{of: c.live, end: end})
		if err := c.spill(ctx, b); err != nil {
			return nil, 0, err
		}
	}
	return cuts, took, nil
}

// upTo cuts timelines as far as they are, or where stand says: what lies behind a cut
// that saves belongs to the next commit.
func upTo(timelines []*timeline, stand map[*timeline]place) (cuts []cut) {
	for _, t := range timelines {
		cut := t.cut()
		if end, ok := stand[t]; ok && end.compare(&cut.end) < 0 {
			cut.end = end
		}
		cuts = append(cuts, cut)
	}
	return cuts
}

// cutNow cuts t where its shards are, and has all of them save what they have, or
// cuts at the end of what t brings. Where the cut is goes into stand as soon as it is
// known. Until all shards have got to it, meanwhile is called again and again: they may
// be waiting for what it does.
func (c *committer) cutNow(ctx context.Context, t *timeline, seq uint64, stand map[*timeline]place, meanwhile func() error) (cut, error) {
	s := &saving{
		fs: c.store.fs, dir: c.store.dir, prefix: fmt.Sprintf("%s%d-%s-", segmentPrefix, seq, t.name()),
		done: make(chan struct{}), left: len(t.cores) + 1, segments: map[string]segment{},
	}
	if old := t.saving.Load(); old != nil && old.begun {
		// Shards that were not waited for write to it yet.
		if _, err := old.wait(ctx, c.backlog, meanwhile); err != nil && !old.over() {
			return cut{}, err
		}
		old.close()
	}
	for {
		fault("cut")
		t.saving.Store(s)
		if key, ok := t.frontier.Cut(); ok {
			s.begun, stand[t] = true, before(key.Eff)
			begin := time.Now()
			taking, err := s.wait(ctx, c.backlog, meanwhile)
			if err == nil {
				err = s.sync()
			}
			s.took = time.Since(begin) - taking
			// Readers that are cut off leave their runs, and what was not read looks handled.
			if err = errors.Join(err, ctx.Err()); err != nil {
				s.close()
				return cut{}, err
			}
			return cut{of: t, end: before(s.frontier), covered: key, saved: s}, nil
		}
		if whole := t.cut(); whole.end.at == packet.MaxTime && !whole.more && t.reading.Load() == 0 {
			return whole, nil
		}
		if err := meanwhile(); err != nil {
			return cut{}, err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return cut{}, ctx.Err()
		}
	}
}
