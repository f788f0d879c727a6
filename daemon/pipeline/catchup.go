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

	wake chan struct{} // capacity 1: there is something to do

	resumed *catchUp      // of an earlier life; its files come with the first group
	first   chan struct{} // closed when that was picked

	mu      sync.Mutex
	waiting []*spool.File // late, and not looked into yet
	old     []*spool.File // for the next catch-up
	sorting bool
	running bool
}

// newCatcher makes a catcher, which takes up the catch-up of an earlier life where was
// says so: commits know of it from now on.
func newCatcher(e *engine, was *state) (*catcher, error) {
	c := &catcher{engine: e, wake: make(chan struct{}, 1), first: make(chan struct{})}
	if was == nil || was.Late == nil {
		return c, nil
	}
	c.resumed, c.running = c.newCatchUp(), true
	if !was.Late.Ended {
		if err := c.resumed.restore(e.committer.store, e.plant, was.Late); err != nil {
			return nil, err
		}
	}
	e.committer.beside(c.resumed)
	return c, nil
}

func (c *catcher) newCatchUp() *catchUp {
	t := &catchUp{timeline: c.plant.newTimeline(nil, catchUpPercent), over: make(chan struct{})}
	t.timeline.catchUp = true
	for i, core := range t.cores {
		core.catchUp, core.counters = true, c.cores[i].counters
	}
	return t
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
	select {
	case <-c.first:
	default:
		close(c.first)
	}
	if len(c.waiting) > 0 {
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
	if c.resumed != nil {
		group.Go(func() error {
			defer c.ready()
			return c.catchUp(ctx, onWork, c.resumed, c.takeOld)
		})
	}
	for {
		select {
		case <-c.wake:
		case <-onWork.Done():
			return group.Wait()
		case <-ctx.Done():
			return group.Wait()
		}
		c.sort(ctx, work) // onWork ends with this group: who joins the others is read until all end
		if files := c.next(); len(files) > 0 {
			group.Go(func() error {
				defer c.ready()
				t := c.newCatchUp()
				c.committer.beside(t)
				return c.catchUp(ctx, onWork, t, func(context.Context) []*spool.File { return files })
			})
		}
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
	return last < c.frontier.Safe().Eff.Add(-c.setup.Load().Order.Lateness)
}

// next is what the next catch-up is of, if none is running.
func (c *catcher) next() (files []*spool.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		return nil
	}
	files, c.old = c.old, nil
	c.running = len(files) > 0
	return files
}

// takeOld are the files of the catch-up of an earlier life, which the first group has
// brought.
func (c *catcher) takeOld(ctx context.Context) (files []*spool.File) {
	select {
	case <-c.first:
	case <-ctx.Done():
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	files, c.old = c.old, nil
	return files
}

// busy says whether late files wait, are looked into, or are caught up on.
func (c *catcher) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running || c.sorting || len(c.waiting) > 0 || len(c.old) > 0
}

// ready says that another catch-up may start.
func (c *catcher) ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	c.kick()
}

// catchUp reads a closed set of files on a timeline of its own, which commits know of,
// once gather has it. At the end of stop, what is not open yet stays in the spool,
// unless all is cut off and saved.
func (c *catcher) catchUp(stop, work context.Context, t *catchUp, gather func(context.Context) []*spool.File) error {
	begin := time.Now()
	shards, onShards := errgroup.WithContext(work)
	scheduling, done := context.WithCancel(onShards)
	defer done()
	t.start(onShards, shards)
	shards.Go(func() error { return ended(t.frontier.Schedule(scheduling)) })
	files := gather(onShards)
	about := []any{"files", len(files)}
	if len(files) > 0 {
		about = append(about, "first", files[0].Path)
		c.log.Info("catching up on files that came too late for the others", about...)
	}
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
	if len(files) > 0 {
		c.log.Info("caught up", "files", len(files), "seconds", time.Since(begin).Seconds())
	}
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
