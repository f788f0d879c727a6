package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pcapdir/analysis/anomaly"
	"pcapdir/analysis/flowvec"
	"pcapdir/analysis/logs"
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// committer makes what the shards brought visible, and puts files away, both
// only together. It never looks at a shard's speed: what belongs to a commit is
// decided by event time alone, so log files do not depend on where a commit fell.
type committer struct {
	live     *timeline
	detector *anomaly.Detector
	// newDetector makes one that has seen nothing.
	newDetector func() *anomaly.Detector
	backlog     *backlog
	files       *files
	store       *store
	latest      *latest
	log         *slog.Logger
	setup       *setup
	retries     int             // give up after so many failures in a row; 0 never
	seed        uint64          // of the shard hash
	stopping    <-chan struct{} // closed when a clean stop is asked for: then nobody waits for ever

	turn chan struct{} // capacity 1, full while somebody works with the store

	hand    *commit      // the one in the making, or nil
	waited  int          // bytes of it that counted as backlog
	savedAt packet.Order // the cut at which state was saved last
	urgent  atomic.Bool  // somebody waits for a commit

	merged   []byte // lines of conn.log of the commit in hand; kept for the next
	started  bool   // a pane was reported: later ones have a whole past
	reported int    // panes ever
	model    keptModel

	mu     sync.Mutex
	saved  time.Time     // when state was saved last,
	saving time.Duration // and how long that took
	state  commitState
	wrong  books.Accounts // mismatches that the next commit is to tell of
	late   *catchUp       // what is caught up on beside the live timeline, or nil
}

// commitState is what the heartbeat and the status line show.
type commitState struct {
	commits    uint64
	spent      time.Duration  // wall time spent committing
	reporting  time.Duration  // on reports, most of them between commits
	lost       flowvec.Loss   // conversations and packets that reports lack
	watermark  packet.Time    // lines of events before it are in the logs
	mismatches uint64         // of books, since the start
	books      books.Accounts // up to the last commit
	err        error          // why the commit in hand waits, or nil
}

// run commits at every interval, earlier when much waits, until ctx ends. A
// commit in hand goes on until work ends. Where state is saved that takes its time:
// lines that wait go to the stage meanwhile, and the next commit comes when so much
// time has passed that saving takes a small share of it.
func (c *committer) run(ctx, work context.Context) error {
	interval := c.setup.Load().Commit.Interval
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if now := c.setup.Load().Commit.Interval; now != interval {
			interval = now
			tick.Reset(interval)
		}
		due := false
		select {
		case <-tick.C:
			due = true
		case <-c.backlog.kick:
			due = c.backlog.asked()
		case <-ctx.Done():
			return ctx.Err()
		}
		do := c.take
		if !c.store.keeps() || due && (c.rested() || c.urgent.Swap(false)) {
			do = c.commit
		}
		if _, err := do(work); err != nil {
			return err
		}
	}
}

// commit makes all visible that came before a cut, and puts the files away that it
// covers: before the last epoch end that every shard has passed or, where state is
// saved with it, where the shards are. more says that another commit would have
// something to do at once.
func (c *committer) commit(ctx context.Context) (more bool, err error) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	begin := time.Now()
	if b := c.hand; b != nil && b.ledger != nil {
		// Somebody gave up on it. What its ledger says may be promised already, so it
		// is carried out before anything that it names is touched.
		if err := c.publish(ctx, b); err != nil {
			return false, err
		}
		c.hand = nil
	}
	b := c.inHand()
	var cuts []cut
	var took time.Duration
	switch {
	case !c.store.keeps():
		cuts = upTo(c.timelines(), nil)
		more = cuts[0].more
	case c.quiet():
		return false, nil
	default:
		if cuts, took, err = c.save(ctx, b); err != nil {
			return false, err
		}
	}
	for _, cut := range cuts {
		c.gather(b, cut)
	}
	c.retire(b, cuts)
	if err := c.keep(ctx, b, cuts, took); err != nil {
		return false, err
	}
	if !b.empty() || len(b.segments) > 0 || len(c.store.state) > 0 || len(c.store.left) > 0 || b.books != c.store.books || c.store.rotates() {
		if err := c.publish(ctx, b); err != nil {
			return false, err
		}
	}
	c.hand, c.savedAt = nil, cuts[0].covered
	c.backlog.shrink(c.waited)
	c.waited = 0
	if more {
		c.backlog.commitNow()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.commits++
	c.state.spent += time.Since(begin)
	c.state.watermark, c.state.books = cuts[0].end.at, b.books
	c.caughtUp(cuts)
	return more, nil
}

// quiet says that a commit would find nothing that the last one has not found.
func (c *committer) quiet() bool {
	if c.store.rotates() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.late == nil && (c.hand == nil || c.hand.empty()) && c.wrong == books.Accounts{} && len(c.store.left) == 0 &&
		c.live.frontier.Safe() == c.savedAt && c.live.cut().end.at == c.state.watermark && c.files.unretired(c.live) == 0
}

// take takes the lines that wait into the stage of the next commit.
func (c *committer) take(ctx context.Context) (more bool, err error) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if b := c.inHand(); b.ledger == nil {
		return false, c.takeInto(ctx, b, upTo(c.timelines(), nil))
	}
	return false, nil // somebody gave up on it, and nothing may change
}

// takeInto takes the lines before the cuts into b, and so many panes that it does not
// take long: a commit may be due.
func (c *committer) takeInto(ctx context.Context, b *commit, cuts []cut) error {
	for _, cut := range cuts {
		c.gather(b, cut)
	}
	if err := c.spill(ctx, b); err != nil {
		return err
	}
	c.backlog.shrink(c.waited)
	if c.waited = 0; cuts[0].more {
		c.backlog.look()
	}
	return nil
}

// spill takes the lines of b to its stage.
func (c *committer) spill(ctx context.Context, b *commit) error {
	return c.again(ctx, func() error { return c.store.spill(b) })
}

// inHand is the commit in the making.
func (c *committer) inHand() *commit {
	if c.hand == nil {
		c.hand = c.store.begin()
	}
	return c.hand
}

// between does something with the store while no commit is in hand, or fails with
// the error of ctx.
func (c *committer) between(ctx context.Context, do func() error) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// timelines are the live one, and what is caught up on.
func (c *committer) timelines() []*timeline {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.late != nil {
		return []*timeline{c.live, c.late.timeline}
	}
	return []*timeline{c.live}
}

// gather adds the lines before a cut to b, those of every log in order. What is
// caught up on has lines in conn.log only.
func (c *committer) gather(b *commit, cut cut) {
	live := cut.of == c.live
	y := cut.fetch()
	cut.of.carriers.add(y.tunnels)
	// In a batch all lines stay in memory until they are in the logs: the merged ones
	// serve for the next commit, too, unless there are two timelines.
	into := c.merged[:0]
	if !live {
		into = nil
	}
	merge := merged(into, y.conns, cut.of.carriers.appendLine)
	if live {
		c.merged = merge
		b.cut = cut.end.at
		b.add(logs.OpenConnStream().Name, merged(nil, y.opens, cut.of.carriers.appendLine))
	}
	for _, q := range slices.Concat(y.conns, y.opens) {
		c.waited += q.bytes()
		q.release()
	}
	if live {
		c.waited += len(y.panes) * c.backlog.paneWeight()
		b.add(logs.WeirdStream().Name, appendWeirds(nil, y.weirds))
		c.report(b, y.panes, cut.end.at == packet.MaxTime)
	}
	b.add(logs.ConnStream().Name, merge)
}

// report runs the detector over every pane that has ended, all shards' parts of
// it together, in event time. over says that no more will come.
func (c *committer) report(b *commit, panes []pane, over bool) {
	begin := time.Now()
	var anomalies, clusters, vectors []byte
	kmeans, anomaly, vector := logs.KMeansStream(), logs.AnomalyStream(), logs.VectorStream()
	slices.SortFunc(panes, func(a, b pane) int { return cmp.Compare(a.end, b.end) })
	for len(panes) > 0 {
		end, n := panes[0].end, 1
		for n < len(panes) && panes[n].end == end {
			n++
		}
		due := panes[:n]
		panes = panes[n:]
		// The first pane of a timeline began before anything was read.
		complete := c.started
		var parts []*flowvec.Pane
		for _, p := range due {
			parts = append(parts, p.part)
			complete = complete && !p.touched
		}
		c.started = true
		c.reported++
		reports := c.detector.Pane(end, parts, complete)
		c.latest.add(end, c.detector.Heaviest(heaviestPairs), reports)
		for _, r := range reports {
			clusters = kmeans.Append(clusters, &r.KMeans)
			anomalies = appendAll(anomalies, anomaly, r.Anomalies)
			vectors = appendAll(vectors, vector, r.Vectors)
		}
	}
	if over {
		ends := c.detector.Close()
		c.latest.end(ends)
		anomalies = appendAll(anomalies, anomaly, ends)
	}
	b.add(vector.Name, vectors)
	b.add(anomaly.Name, anomalies)
	b.add(kmeans.Name, clusters)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.reporting += time.Since(begin)
	c.state.lost = c.detector.Lost()
}

func appendAll[T any](dst []byte, stream logs.Stream[T], records []T) []byte {
	for i := range records {
		dst = stream.Append(dst, &records[i])
	}
	return dst
}

// retire adds the files that the commit covers: their lines and their moves.
func (c *committer) retire(b *commit, cuts []cut) {
	var text []byte
	stream := logs.SpoolStream()
	for _, f := range c.files.take(cuts) {
		out, err := c.files.retire(f)
		if err != nil {
			c.log.Warn("a file cannot be put away yet", "file", f.Path, "error", err)
			c.files.keep(f)
			continue
		}
		text = stream.Append(text, &out.line)
		b.moves = append(b.moves, out.move)
		b.done = append(b.done, f)
		entry := books.Totals{Files: 1, Fates: f.books.Fates}
		switch out.move.Outcome {
		case spool.Failed:
			entry.Failed = 1
		case spool.Duplicate:
			entry.Duplicates = 1
		}
		c.balance(f.on, f.books.Check(), "file", f.Path)
		f.on.account(&b.books).Add(&entry)
	}
	b.add(stream.Name, text)
	c.mu.Lock()
	defer c.mu.Unlock()
	b.books.Live.Add(&c.wrong.Live)
	b.books.CatchUp.Add(&c.wrong.CatchUp)
	c.wrong = books.Accounts{}
}

// balance tells of books of t that do not: a bug, and no reason to stop, since what
// was handled is no better for it. The next commit counts it.
func (c *committer) balance(t *timeline, mismatch error, about ...any) {
	if mismatch == nil {
		return
	}
	c.log.Error("BUG: the books do not balance; please report it", append(about, "error", mismatch)...)
	c.mu.Lock()
	defer c.mu.Unlock()
	t.account(&c.wrong).Mismatches++
	c.state.mismatches++
}

// publish makes b durable and visible. Nothing of b is built anew when that fails,
// so every try does the same.
func (c *committer) publish(ctx context.Context, b *commit) error {
	if err := c.again(ctx, func() error { return c.store.publish(b) }); err != nil {
		return err
	}
	c.files.retired(b.done, b.moves)
	c.warnLate(b.done)
	return nil
}

// again does a part of a commit until it succeeds, with growing pauses: the files
// stay, the lines wait, and work resumes by itself. Once a stop is asked for, it is
// tried at once and then a few times more.
func (c *committer) again(ctx context.Context, do func() error) error {
	limit, stopping := c.retries, c.stopping
	for try := 1; ; try++ {
		err := do()
		if ctx.Err() != nil && err != nil {
			return err
		}
		c.note(err)
		if err == nil {
			if try > 1 {
				c.log.Info("the commit goes on", "tries", try)
			}
			return nil
		}
		if limit > 0 && try >= limit {
			return fmt.Errorf("commit: %w", err)
		}
		c.log.Error("the commit waits: logs and files stay as they are until it succeeds", "try", try, "error", err)
		pause := min(time.Second<<min(try, 6), time.Minute)
		if limit > 0 {
			pause = time.Second
		}
		select {
		case <-time.After(pause):
		case <-stopping:
			stopping = nil
			if limit == 0 {
				limit = try + boundedTries
			}
		case <-ctx.Done():
			return fmt.Errorf("commit: %w", err)
		}
	}
}

// boundedTries is how often a commit that fails is tried where somebody waits
// for the end: in a batch, which can be started again and loses nothing, and once
// a stop is asked for.
const boundedTries = 5

func (c *committer) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.err = err
}

func (c *committer) snapshot() commitState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// warnLate tells of files that came too late altogether, once for a commit:
// their connections began anew where others had been logged already.
func (c *committer) warnLate(done []*file) {
	late, example := 0, ""
	for _, f := range done {
		if n := f.books.Read.Packets; n > 0 && f.books.Late == n {
			late, example = late+1, f.Path
		}
	}
	if late > 0 {
		c.log.Warn("files lie wholly before what was handled when they came: their packets count as of then",
			"files", late, "example", example, "handled_up_to", eventTime(c.snapshot().watermark))
	}
}
