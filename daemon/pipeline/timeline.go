package pipeline

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/sharder"
	"pcapdir/source"
	"pcapdir/source/books"
	"pcapdir/source/defrag"
	"pcapdir/source/links"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// timeline is one order of packets, with shards and tables of its own: the live
// one and, beside it, at most one that catches up.
type timeline struct {
	frontier     *merge.Frontier
	router       *dealer
	shards       []*sharder.Shard
	cores        []*core
	defragmenter *source.Defragmenter
	carriers     carriers // the committer's
	catchUp      bool
	from         packet.Order // all below was handled in an earlier life; the zero Order: there was none
	saving       atomic.Pointer[saving]
	reading      atomic.Int64  // readers whose books are not in yet
	handed       atomic.Uint64 // packets that left readers whose books are in
}

// plant is what timelines are made of and share.
type plant struct {
	sizes   merge.Config
	hasher  sharder.Hasher
	backlog *backlog
	spare   *spare
	conn    conn.Config
	memory  int64        // what the process may take, in bytes
	panes   int          // of flow vectors that a commit takes
	links   *links.Table // nil where no log wants them
	// unexpected is how many announcements of connections had no room, on all timelines.
	unexpected atomic.Uint64
	log        *slog.Logger
}

// newTimeline makes a timeline that does nothing yet, whose connections may take so
// much of the memory, with flow vectors where it is told how.
func (p *plant) newTimeline(vectors *flowvec.Config, percent int64) *timeline {
	t := &timeline{frontier: merge.NewFrontier(p.sizes), router: &dealer{Hasher: p.hasher, all: p.conn.IgnoreChecksums, lost: &p.unexpected}, carriers: carriers{log: p.log}}
	t.router.passed = func() packet.Time { return t.passed().at }
	conns := p.conn
	conns.Memory = percentOf(p.memory, percent) / int64(p.sizes.Shards)
	for i := range p.sizes.Shards {
		c := newCore(p, conns, vectors, &t.router.expected)
		c.save = func(frontier packet.Time, do func(w *snap.Writer)) { t.saving.Load().shard(i, frontier, do) }
		c.flushBytes = min(flushWaiting, p.backlog.pause) / p.sizes.Shards
		c.freshBytes = max(c.flushBytes/4, min(chunkSize, p.backlog.pause/8/p.sizes.Shards)) // less than a chunk is copied
		t.cores = append(t.cores, c)
		t.shards = append(t.shards, sharder.NewShard(merge.NewMerger(t.frontier, i), c, epoch))
	}
	fragments := defrag.DefaultConfig()
	fragments.Bytes = int(min(int64(fragments.Bytes), percentOf(p.memory, fragmentPercent)))
	t.defragmenter = source.NewDefragmenter(fragments, t.router, t.frontier, func(key packet.Order) {
		t.saving.Load().write(routingPart, func(w *snap.Writer) {
			t.defragmenter.Save(w)
			t.router.expected.Save(w, key.Eff)
		})
	})
	return t
}

// name is that of t in names of segments.
func (t *timeline) name() string {
	if t.catchUp {
		return "late"
	}
	return "live"
}

// start runs what handles packets, until the input has ended; g's context ends it
// early.
func (t *timeline) start(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return t.defragmenter.Run(ctx) })
	for i, s := range t.shards {
		t.cores[i].stop = ctx.Done()
		g.Go(func() error { return s.Run(ctx) })
	}
}

// account is that of t.
func (t *timeline) account(a *books.Accounts) *books.Totals {
	if t.catchUp {
		return &a.CatchUp
	}
	return &a.Live
}

// flow is what passed through t, whose input has ended.
func (t *timeline) flow() books.Flow {
	f := books.Flow{Handed: t.handed.Load()}
	f.Relayed, f.Made = t.defragmenter.Passed()
	for _, c := range t.cores {
		f.Arrived += c.handled
	}
	return f
}

// cut is where a commit cuts a timeline.
type cut struct {
	of  *timeline
	end place // everything before it was handed over by every shard
	// covered is the key below which every packet is handled.
	covered packet.Order
	// more says that further panes wait: reports are long, and a sparse capture has
	// a pane for each packet, so a commit takes so many only.
	more bool
	// saved is the state there; nil where lines alone are taken, or where nothing is
	// left to save.
	saved *saving
}

// passed is how far every shard has handed over what it brings.
func (t *timeline) passed() place {
	end := before(packet.MaxTime)
	for _, c := range t.cores {
		if f := c.out.progress(); f.compare(&end) < 0 {
			end = f
		}
	}
	return end
}

// cut cuts at the last epoch end that every shard has passed.
func (t *timeline) cut() cut {
	end, more := t.limited(t.passed())
	covered := packet.At(end.at)
	if end.at == packet.MaxTime {
		covered = packet.MaxOrder
	}
	return cut{of: t, end: end, covered: covered, more: more}
}

// covers says that of what has the books b, which may not be known yet, nothing lies
// behind the cut.
func (c cut) covers(b *books.File) bool {
	return b != nil && (!b.Sent || b.End.Less(c.covered))
}

// limited is end, or where a commit has to end before that because of the panes that
// wait.
func (t *timeline) limited(end place) (_ place, more bool) {
	for _, c := range t.cores {
		if limit, ok := c.out.paneLimit(); ok && limit.compare(&end) < 0 {
			end, more = limit, true
		}
	}
	return end, more
}

// fetch takes out what the shards brought before the cut.
func (c cut) fetch() (y yield) {
	for _, core := range c.of.cores {
		core.out.fetch(c.end, &y)
	}
	return y
}
