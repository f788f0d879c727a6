package pipeline

import (
	"slices"
	"sync"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/daemon/config"
	"pcapdir/source/packet"
)

// outbox is where a shard leaves what its epochs have brought, for the
// committer to fetch. The shard never waits for the committer, but where much ends at
// once: when event time jumps, and in a flush.
type outbox struct {
	mu       sync.Mutex
	frontier place // everything before it is here, or was fetched
	conns    queue
	opens    queue
	weirds   []weirdCount
	panes    []pane
	tunnels  []conn.Carrier
	most     int           // panes that a commit takes
	fetched  chan struct{} // capacity 1: lines were fetched
}

func newOutbox(panes int) *outbox {
	return &outbox{most: panes, frontier: before(-packet.MaxTime), fetched: make(chan struct{}, 1)}
}

// panesPerCommit is how many panes a commit takes at most: fewer where the reports of
// each show many conversations, so that what is said of them stays some megabytes.
func panesPerCommit(cfg *config.Config) int {
	const most, room, line = 32, 64 << 20, 1 << 10
	return max(1, min(most, room/line/max(1, cfg.Vectors.Sample*len(cfg.Vectors.Windows))))
}

// paneLimit is where a commit has to end because of the panes that wait.
func (b *outbox) paneLimit() (place, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.panes) <= b.most {
		return place{}, false
	}
	return before(b.panes[b.most-1].end), true
}

// waiting is how many bytes of lines wait to be fetched.
func (b *outbox) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conns.bytes() + b.opens.bytes()
}

// pane is one shard's part of a pane of flow vectors.
type pane struct {
	end     packet.Time
	part    *flowvec.Pane
	touched bool // by a late packet, or cut short by the end of input
}

// yield is what outboxes give for a commit.
type yield struct {
	conns  []queue // of each
	opens  []queue
	weirds []weirdCount
	panes  []pane
	// tunnels are all that were seen, also after the cut.
	tunnels []conn.Carrier
}

// fetch adds to y what came to be before end, which is at most the frontier, and
// takes it out.
func (b *outbox) fetch(end place, y *yield) {
	b.mu.Lock()
	defer b.mu.Unlock()
	conns := b.conns.cut(end)
	y.conns = append(y.conns, conns)
	opens := b.opens.cut(end)
	y.opens = append(y.opens, opens)
	var weirds []weirdCount
	weirds, b.weirds = split(b.weirds, func(w weirdCount) bool { return w.end <= end.at })
	y.weirds = append(y.weirds, weirds...)
	var panes []pane
	panes, b.panes = split(b.panes, func(p pane) bool { return p.end <= end.at })
	y.panes = append(y.panes, panes...)
	y.tunnels = append(y.tunnels, b.tunnels...)
	b.tunnels = nil
	if len(conns)+len(opens) > 0 {
		select {
		case b.fetched <- struct{}{}:
		default:
		}
	}
}

// split splits s into what is due and the rest, each in memory of its own.
func split[T any](s []T, due func(T) bool) (taken, rest []T) {
	taken = slices.DeleteFunc(slices.Clone(s), func(e T) bool { return !due(e) })
	return taken, slices.DeleteFunc(s, due)
}

// progress is the frontier.
func (b *outbox) progress() place {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.frontier
}
