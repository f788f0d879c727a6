package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"pcapdir/source"
	"pcapdir/source/clock"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// catchUp is a timeline beside the live one for files that came too late for
// that: a closed set with tables of its own. Its connections are those that
// reading the set alone gives, and nothing of the live ones changes.
type catchUp struct {
	*timeline
	over chan struct{} // closed when all of it is in the logs and put away
}

// catcher finds the files that are too old for the live timeline, and runs the
// catch-ups, one at a time, each over all that waits when it starts.
type catcher struct {
	*engine
	lateness time.Duration

	wake chan struct{} // capacity 1: there is something to do

	resume *timelineState // of an earlier life that was catching up, until that goes on

	mu      sync.Mutex
	picked  bool          // the first group was there
	waiting []*spool.File // late, and not looked into yet
	old     []*spool.File // for the next catch-up
	sorting bool
	running bool
}

func newCatcher(e *engine, lateness time.Duration) *catcher {
	return &catcher{engine: e, lateness: lateness, wake: make(chan struct{}, 1)}
}

// pick takes from found what begins before what was handled already, or at a
// time that cannot be right. The rest is returned.
func (c *catcher) pick(found []*spool.File) (rest []*spool.File) {
	safe := c.frontier.Safe().Eff
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range found {
		noted, late := c.files.isNoted(f)
		first := source.Clamp(c.files.first(f))
		if late {
			c.old = append(c.old, f)
		} else if !noted && f.Err == nil && f.HasRecords && (first < safe || clock.Wild(first, f.Latest)) {
			c.waiting = append(c.waiting, f)
		} else {
			rest = append(rest, f)
		}
	}
	if c.picked = true; len(c.waiting) > 0 || c.resume != nil {
		c.kick()
	}
	return rest
}

func (c *catcher) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run looks into late files, and catches up, until ctx ends; then what is open is
// read to its end.
func (c *catcher) run(ctx, work context.Context) error {
	group, onWork := errgroup.WithContext(work)
	begin := func() {
		if files, from, ok := c.next(); ok {
			group.Go(func() error {
				defer c.ready()
				return c.catchUp(ctx, onWork, files, from)
			})
		}
	}
	for {
		select {
		case <-c.wake:
		case <-onWork.Done():
			return group.Wait()
		case <-ctx.Done():
			return group.Wait()
		}
		begin()
		c.sort(ctx, onWork)
		begin()
	}
}

// sort reads the headers of late files: those that end soon enough join the live
// timeline, where their packets meet what is still open, and the others are old.
func (c *catcher) sort(ctx, work context.Context) {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting, c.sorting = nil, true
	c.mu.Unlock()
	var join, old []*spool.File
	for _, f := range waiting {
		s := c.files.headers(ctx, f)
		if ctx.Err() != nil {
			return // they stay in the spool
		}
		if len(s.Runs) > 0 && c.tooOld(f, s.Highest) {
			old = append(old, f)
		} else {
			join = append(join, f)
		}
	}
	if len(join) > 0 {
		c.files.admit(work, c.timeline, join)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.old, c.sorting = append(c.old, old...), false
}

// tooOld says whether f, whose largest stamp is last, must not join the others.
func (c *catcher) tooOld(f *spool.File, last packet.Time) bool {
	first := source.Clamp(c.files.first(f))
	if clock.Wild(first, f.Latest) && clock.Wild(last, f.Latest) {
		return true
	}
	return last < c.frontier.Safe().Eff.Add(-c.lateness)
}

// next is what the next catch-up is of, if none is running, and from where it goes on
// if it began in an earlier life: it is the first then, of the files of that.
func (c *catcher) next() (files []*spool.File, from *timelineState, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running || !c.picked || len(c.old) == 0 && c.resume == nil {
		return nil, nil, false
	}
	files, c.old = c.old, nil
	from, c.resume = c.resume, nil
	c.running = true
	return files, from, true
}

// busy says whether late files wait, are looked into, or are caught up on.
func (c *catcher) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running || c.sorting || len(c.waiting) > 0 || len(c.old) > 0 || c.resume != nil
}

// ready says that another catch-up may start.
func (c *catcher) ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	c.kick()
}

// catchUp reads a closed set of files on a timeline of its own, from the beginning or
// from where an earlier life was. At the end of stop, what is not open yet stays in
// the spool, unless all is cut off and saved.
func (c *catcher) catchUp(stop, work context.Context, files []*spool.File, from *timelineState) error {
	t := &catchUp{timeline: c.plant.newTimeline(nil, catchUpPercent), over: make(chan struct{})}
	t.timeline.catchUp = true
	for i, core := range t.cores {
		core.catchUp, core.counters = true, c.cores[i].counters
	}
	about := []any{"files", len(files)}
	if len(files) > 0 {
		about = append(about, "first", files[0].Path)
	}
	c.log.Info("catching up on files that came too late for the others", about...)
	if from != nil {
		if err := t.restore(c.committer.store, c.plant, from); err != nil {
			return err
		}
	}
	begin := time.Now()
	c.committer.beside(t)
	shards, onShards := errgroup.WithContext(work)
	scheduling, done := context.WithCancel(onShards)
	defer done()
	t.start(onShards, shards)
	shards.Go(func() error { return ended(t.frontier.Schedule(scheduling)) })
	c.files.admit(work, t.timeline, files)
	t.frontier.CloseInput()
	if !c.keep {
		defer context.AfterFunc(stop, t.frontier.Drain)()
	}
	shards.Go(func() error {
		defer done()
		return t.wait(onShards)
	})
	if err := shards.Wait(); err != nil {
		return err
	}
	c.committer.balance(t.timeline, t.flow().Check(), about...)
	c.log.Info("caught up", "files", len(files), "seconds", time.Since(begin).Seconds())
	return nil
}

// wait waits until all is committed, or no commit comes any more.
func (t *catchUp) wait(ctx context.Context) error {
	select {
	case <-t.over:
		return nil
	case <-ctx.Done():
		return errors.New("catching up was cut short")
	}
}

// beside lets commits take what t brings, too.
func (c *committer) beside(t *catchUp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = t
}

// caughtUp ends the catch-up if the commit that was cut so has covered it. The
// caller holds mu.
func (c *committer) caughtUp(cuts []cut) {
	if len(cuts) < 2 || cuts[1].end.at != packet.MaxTime || c.late.reading.Load() > 0 || c.files.unretired(c.late.timeline) > 0 {
		return
	}
	close(c.late.over)
	c.late = nil
}
