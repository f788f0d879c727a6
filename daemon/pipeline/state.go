package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/flowvec"
	"pcapdir/source"
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/spool"
)

// state is what the ledger says of what is open at a commit.
type state struct {
	Seed    uint64 // of the shard hash, by which tables find things
	Live    timelineState
	Late    *timelineState `json:",omitempty"` // what is caught up on
	Started bool           // a pane was reported
	Model   segment
	Panes   []paneState
}

// timelineState is a timeline at its cut. Of one that has ended there are only files,
// which are still to be put away.
type timelineState struct {
	Ended    bool
	Key      packet.Order // everything below was handled
	Last     packet.Time  // how far event time had got
	Frontier packet.Time  // lines before it are in the logs
	Shards   []segment
	Routing  segment // datagrams in the making, and what connections were announced
	Tunnels  segment
	Files    []fileState
}

// fileState is a file of which something was read.
type fileState struct {
	fileID
	From   packet.Order // all that it has below was handled
	Latest packet.Time  // as in spool.File
	Scan   scanState
	Inputs []inputState
	// Books are set if nothing is left to read: the file is only to be put away. Err is
	// theirs.
	Books *books.File
	Err   string
}

// fileID is how a file is known again after a restart, also one of the machine, which
// may number its devices anew.
type fileID struct {
	Path      string
	ContentID uint64
	Size      int64
}

func idOf(f *spool.File) fileID { return fileID{f.Path, f.ContentID, f.Size} }

// scanState is a source.Scan.
type scanState struct {
	source.Scan
	Err string // hides that of the scan
}

// inputState is one run of a file.
type inputState struct {
	source.Run
	Begun            bool // Floor and Watermark hold
	Floor, Watermark packet.Time
	Point            *source.Point // from where it is read on; nil: from its beginning
	Books            *books.File   // it is covered, and these are its books; else nil
}

// paneState is a closed pane of flow vectors.
type paneState struct {
	End packet.Time
	segment
}

// segments are all that st names.
func (st *state) segments() (all []segment) {
	all = append(st.Live.segments(), st.Model)
	if st.Late != nil {
		all = append(all, st.Late.segments()...)
	}
	for _, p := range st.Panes {
		all = append(all, p.segment)
	}
	return all
}

func (t *timelineState) segments() []segment {
	if t.Ended {
		return nil
	}
	return append(slices.Clone(t.Shards), t.Routing, t.Tunnels)
}

// keptModel is what was saved last of the reports' past. It changes with every pane,
// and not in between; closed panes never.
type keptModel struct {
	reported int // panes at that time
	model    segment
	panes    []paneState
}

// keep puts the state at the cuts into b, which to save has taken so long already.
func (c *committer) keep(ctx context.Context, b *commit, cuts []cut, took time.Duration) error {
	if cuts[0].saved == nil {
		return nil // all has ended, or it is a batch
	}
	st := state{Seed: c.seed, Started: c.started}
	err := c.again(ctx, func() (err error) {
		begin := time.Now()
		st.Live, err = c.keepTimeline(b, cuts[0])
		late := timelineState{Ended: true, Files: c.files.notes(true)}
		if err == nil && len(cuts) > 1 {
			late, err = c.keepTimeline(b, cuts[1])
		}
		if !late.Ended || len(late.Files) > 0 {
			st.Late = &late
		}
		if err == nil {
			err = c.keepModel(b)
		}
		if err == nil {
			c.spent(took + time.Since(begin))
		}
		return err
	})
	if err != nil {
		return err
	}
	st.Model, st.Panes = c.model.model, c.model.panes
	b.segments = st.segments()
	if b.state, err = json.Marshal(st); err != nil {
		panic(fmt.Sprintf("BUG: the state cannot be written: %v", err))
	}
	return nil
}

// keepTimeline makes what belongs to a cut durable, and says what the ledger needs.
func (c *committer) keepTimeline(b *commit, cut cut) (timelineState, error) {
	if cut.saved == nil {
		return timelineState{Ended: true, Files: c.files.openOf(cut, b)}, nil
	}
	t := timelineState{Key: cut.covered, Last: min(cut.of.frontier.Last(), cut.covered.Eff), Frontier: cut.end.at, Routing: cut.saved.segments[routingPart]}
	for i := range cut.of.cores {
		t.Shards = append(t.Shards, cut.saved.segments[strconv.Itoa(i)])
	}
	var err error
	t.Tunnels, err = c.writeDurable(cut.saved.prefix+"tunnels", func(w *snap.Writer) { cut.of.carriers.save(w, cut.end.at) })
	t.Files = c.files.openOf(cut, b)
	return t, err
}

// keepModel saves the detector, and the panes that are new, unless that is done.
func (c *committer) keepModel(b *commit) error {
	if c.model.model.Name != "" && c.model.reported == c.reported {
		return nil
	}
	next := keptModel{reported: c.reported}
	var err error
	if next.model, err = c.writeDurable(fmt.Sprintf("%smodel-%d", segmentPrefix, b.seq), c.detector.Save); err != nil {
		return err
	}
	for _, end := range c.detector.Panes() {
		at := slices.IndexFunc(c.model.panes, func(p paneState) bool { return p.End == end })
		if at >= 0 {
			next.panes = append(next.panes, c.model.panes[at])
			continue
		}
		seg, err := c.writeDurable(fmt.Sprintf("%spane-%d-%d", segmentPrefix, b.seq, end), func(w *snap.Writer) { c.detector.SavePane(end, w) })
		if err != nil {
			return err
		}
		next.panes = append(next.panes, paneState{end, seg})
	}
	c.model = next
	return nil
}

func (c *committer) writeDurable(name string, do func(w *snap.Writer)) (segment, error) {
	seg, file, err := writeSegment(c.store.fs, c.store.dir, name, do)
	if err != nil {
		return segment{}, err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return segment{}, fmt.Errorf("write state: %w", err)
	}
	return seg, nil
}

// coreState is what a shard saves beside its tables.
type coreState struct {
	Open, Touched bool // of the pane
	PaneEnd       packet.Time
	Pane          time.Duration // the length of panes; 0: there are no vectors
	Weirds        []weirdCount
	Conns, Opens  []savedLine // that no Advance has handed over yet
	Tunnels       []conn.Carrier
}

// savedLine is a line and its place.
type savedLine struct {
	place
	text []byte
}

func (ls *lines) saved() (all []savedLine) {
	for i := range ls.list {
		all = append(all, savedLine{ls.list[i].place, ls.text(&ls.list[i])})
	}
	return all
}

// Save implements sharder.Handler. What ended in the instant of the key stays there.
func (c *core) Save(key packet.Order) {
	c.Advance(key.Eff)
	c.save(c.out.frontier.at, func(w *snap.Writer) {
		st := coreState{
			Open: c.open, Touched: c.touched, PaneEnd: c.paneEnd, Pane: c.pane,
			Conns: c.fresh.saved(), Opens: c.shown.saved(), Tunnels: c.tunnels,
		}
		for _, count := range c.weirds.open {
			st.Weirds = append(st.Weirds, *count)
		}
		w.Put(&st)
		c.tracker.Save(w)
		if c.vectors != nil {
			c.vectors.Save(w)
		}
	})
}

// restore makes t go on from st, with any number of shards. It is called before t
// starts.
func (t *timeline) restore(s *store, p *plant, st *timelineState) error {
	t.from = st.Key
	t.frontier.Resume(st.Key, st.Last)
	var trackers []*conn.Tracker
	for i, c := range t.cores {
		trackers = append(trackers, c.tracker)
		c.out.frontier = before(st.Frontier)
		t.shards[i].Resume(st.Key)
	}
	for _, seg := range st.Shards {
		err := readSegment(s.fs, s.dir, seg, func(r *snap.Reader) error {
			var shard coreState
			if !r.Get(&shard) {
				return r.Err()
			}
			t.deal(&shard)
			if err := conn.Load(r, trackers, st.Key.Eff, t.router.Route); err != nil {
				return err
			}
			if !t.hasPanes(shard.Pane) {
				return nil // other ones are configured now, or none
			}
			return flowvec.LoadTable(r, t.tables(), t.router.Route)
		})
		if err != nil {
			return err
		}
	}
	for _, c := range t.cores {
		c.countOpen()
	}
	err := readSegment(s.fs, s.dir, st.Routing, func(r *snap.Reader) error {
		if err := t.defragmenter.Load(r); err != nil {
			return err
		}
		t.router.expected.Load(r)
		return r.End()
	})
	if err != nil {
		return err
	}
	return readSegment(s.fs, s.dir, st.Tunnels, func(r *snap.Reader) error {
		t.carriers.load(r)
		return r.End()
	})
}

// deal gives to shards what one of them saved. What all of them have together does
// not depend on which has it.
func (t *timeline) deal(st *coreState) {
	first := t.cores[0]
	for _, w := range st.Weirds {
		if have := first.weirds.open[w.weirdKey]; have != nil {
			have.merge(w.n, &w.first)
		} else {
			first.weirds.open[w.weirdKey] = &w
		}
	}
	for _, l := range st.Conns {
		first.fresh.add(l.place, func(dst []byte) []byte { return append(dst, l.text...) })
	}
	for _, l := range st.Opens {
		first.shown.add(l.place, func(dst []byte) []byte { return append(dst, l.text...) })
	}
	first.tunnels = append(first.tunnels, st.Tunnels...)
	for _, c := range t.cores {
		if st.Open && t.hasPanes(st.Pane) {
			c.open, c.paneEnd = true, st.PaneEnd
			c.touched = c.touched || st.Touched
		}
	}
}

// hasPanes says whether the timeline has panes of that length.
func (t *timeline) hasPanes(length time.Duration) bool {
	return length > 0 && t.cores[0].pane == length
}

func (t *timeline) tables() (all []*flowvec.Table) {
	for _, c := range t.cores {
		all = append(all, c.vectors)
	}
	return all
}

// restore makes the reports go on from st, or begin anew where they are configured in
// another way than before, or were saved by another version: that costs a warm-up.
func (c *committer) restore(st *state) error {
	c.started, c.savedAt, c.state.watermark = st.Started, st.Live.Key, st.Live.Frontier
	err := c.restoreModel(st)
	if errors.Is(err, flowvec.ErrConfig) || errors.Is(err, snap.ErrLayout) {
		c.log.Warn("what was learned from the traffic so far is forgotten: vectors, kmeans or anomaly are configured in another way now, or this is another version")
		c.detector, c.started = c.newDetector(), false
		return nil
	}
	return err
}

func (c *committer) restoreModel(st *state) error {
	if err := readSegment(c.store.fs, c.store.dir, st.Model, c.detector.Load); err != nil {
		return err
	}
	for _, p := range st.Panes {
		if err := readSegment(c.store.fs, c.store.dir, p.segment, c.detector.LoadPane); err != nil {
			return err
		}
	}
	c.model = keptModel{model: st.Model, panes: st.Panes}
	return nil
}
