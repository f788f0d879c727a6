package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Spool watches directories and admits the files in them in groups.
type Spool struct {
	cfg     Config
	files   *Descriptors
	fs      FS
	log     *slog.Logger
	now     func() time.Time
	retirer *retirer
	past    *history
	wake    chan struct{} // capacity 1: something was released

	// Owned by Run, and by Probe before it.
	probed   bool // all directories can be worked with
	watch    *watch
	dirs     map[string]*directory
	resolved map[string]string // watched directories as configured: what they were last
	first    bool              // the look that is going on is the first
	closing  bool              // the look that is going on says what the closed set has
	looks    uint64            // number of the look that is going on, or was last
	listing  time.Duration     // what listing took then
	began    bool              // the backlog was admitted

	mu sync.Mutex // guards what follows
	// entries holds every file that is in the spool and was not put away, by
	// path. Run adds to it, Retire takes out.
	entries  map[string]*entry
	problems map[string]Problem // directories that cannot be used, by path
	group    group
	set      closedSet
	paused   bool
	vanished uint64
	// inflight are the files in the group or admitted, by content id, one each:
	// copies of them wait, in held, until they are covered.
	inflight map[uint64]*File
	held     map[*File][]waiting
	listed   map[listedAs]*manifest // files in flight that a manifest names
	returned []*entry               // taken back since the last look

	admitting sync.Mutex    // held while a group is handed over
	ended     chan struct{} // closed when Run ends
}

// group is what will be admitted next.
type group struct {
	files  []*File
	opened time.Time // when its first file came
	last   time.Time // when anything came last
}

// New makes a spool that does nothing yet.
func New(cfg Config, deps Deps) *Spool {
	if cfg.Rescan == 0 {
		cfg.Rescan = defaultRescan
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Spool{
		cfg: cfg, files: deps.Files, fs: deps.Files.fs, log: deps.Log, now: deps.Now,
		retirer: &retirer{
			files: deps.Files, fs: deps.Files.fs, log: deps.Log,
			done: cfg.Done, failed: cfg.Failed, after: cfg.After, reserved: map[string]Identity{},
		},
		wake:     make(chan struct{}, 1),
		past:     newHistory(deps.Files.fs, cfg.State, deps.Now),
		inflight: map[uint64]*File{}, held: map[*File][]waiting{}, listed: map[listedAs]*manifest{},
		dirs: map[string]*directory{}, resolved: map[string]string{}, entries: map[string]*entry{}, problems: map[string]Problem{},
		set: closedSet{wanted: true}, ended: make(chan struct{}),
	}
}

// Run probes the directories unless Probe did, watches them and admits files until ctx is done,
// which is no error. The first call of admit has everything that lay there at
// the start, also when that is nothing; later ones have the groups that
// arrived, by path. Admitted files are in the receiver's hands until Do has
// carried out their moves. Errors are ErrConfig and those of admit.
func (s *Spool) Run(ctx context.Context, admit func(context.Context, []*File) error) error {
	if !s.probed {
		if err := s.Probe(); err != nil {
			return err
		}
	}
	if err := s.past.open(); err != nil {
		return err
	}
	s.watch = newWatch(s.cfg.Poll, s.log)
	defer s.watch.close()
	defer close(s.ended)
	s.first = true
	for {
		err := s.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.admit(ctx, admit)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		s.first = false
		// Where producers are busier than listing is cheap, listing takes at
		// most a twentieth of the time.
		if !s.sleep(ctx, min(max(minGap, 20*s.listing), max(minGap, s.cfg.Rescan))) {
			return nil
		}
	}
}

// minGap is the least time between two looks that hints ask for.
const minGap = 50 * time.Millisecond

// sleep waits for the time of the next look, a hint or a release, but at least for gap.
// It is false when ctx is done.
func (s *Spool) sleep(ctx context.Context, gap time.Duration) bool {
	now := s.now()
	rest := time.NewTimer(max(gap, s.next(now).Sub(now)))
	defer rest.Stop()
	least := time.NewTimer(gap)
	defer least.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-rest.C:
		return true
	case <-least.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-rest.C:
	case <-s.watch.hints:
	case <-s.wake:
	}
	return true
}

// next is when the spool must be looked at again without a hint.
func (s *Spool) next(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now.Add(s.cfg.Rescan)
	for _, e := range s.entries {
		if t, ok := e.due(s.cfg.Settle); ok && e.look == s.looks && t.Before(at) {
			at = t
		}
	}
	if !s.set.gathering && !s.paused && len(s.group.files) > 0 {
		if t := s.group.due(s.cfg.HoldBack); t.Before(at) {
			at = t
		}
	}
	return at
}

// due is the time to admit the group.
func (g *group) due(hold time.Duration) time.Time {
	quiet, latest := g.last.Add(hold), g.opened.Add(maxHolds*hold)
	if quiet.Before(latest) {
		return quiet
	}
	return latest
}

// admit hands over the group if it is time. Of an empty one only the backlog is
// worth a call.
func (s *Spool) admit(ctx context.Context, admit func(context.Context, []*File) error) error {
	s.admitting.Lock()
	defer s.admitting.Unlock()
	files, set, ok := s.due()
	if !ok {
		return nil
	}
	if len(files) > 0 || !s.began {
		s.began = true
		if err := admit(ctx, files); err != nil {
			return fmt.Errorf("admit %d files: %w", len(files), err)
		}
	}
	set.tell(nil)
	return nil
}

// due takes the group if it is time, and the closed set that it makes whole. A
// closed set is not held back: it is due as soon as all of it has settled or turned
// out to be still written to.
func (s *Spool) due() (files []*File, set closedSet, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.paused, s.set.wanted:
		return nil, set, false
	case s.set.gathering:
		for _, e := range s.entries {
			if e.closed && e.state == settling && e.look == s.looks {
				return nil, set, false
			}
		}
	case len(s.group.files) == 0 || s.now().Before(s.group.due(s.cfg.HoldBack)):
		return nil, set, false
	}
	set, s.set = s.set, closedSet{}
	files = s.group.files
	s.group = group{last: s.group.last}
	for _, f := range files {
		// Under the path of one that vanished there may be another file by now.
		if e := s.entries[f.Path]; e != nil && e.file == f {
			e.state, e.file = admitted, nil
		}
	}
	slices.SortFunc(files, byPath)
	return files, set, true
}

// Plan decides what becomes of a file, for the ledger; nothing moves yet. The
// move's outcome is failed, whatever was wanted, if the file is no longer what
// was indexed. An error means that the file system could not say; the file
// stays admitted and can be planned again.
func (s *Spool) Plan(r Retirement) (Move, error) { return s.retirer.plan(r) }

// Do carries out planned moves, durably. Every move is tried; left are those
// that are still to be done, in order, and err says why, joined. All of them
// may be repeated, alone or with others, and after a crash the ledger's are
// done before Run: a file whose move is left then is not admitted again. One
// that someone else replaced is left where it is.
func (s *Spool) Do(moves []Move) (left []Move, err error) {
	done, left, err := s.retirer.do(moves)
	s.mu.Lock()
	records := s.records(done)
	s.mu.Unlock()
	pastErr := s.past.add(records)
	s.mu.Lock()
	defer s.mu.Unlock()
	if pastErr != nil {
		// Without its record a file that stays would be read again: all is done
		// again instead, which changes nothing for what is done.
		left, err = moves, errors.Join(err, pastErr)
		done = nil
	}
	now := s.now()
	for _, m := range left {
		if s.entries[m.From] == nil && m.List == 0 {
			s.entries[m.From] = &entry{path: m.From, state: admitted, id: m.Identity, arrived: now}
		}
	}
	for _, m := range done {
		s.covered(m)
	}
	return left, err
}

// records are what the history gets of moves that are done. The caller holds mu.
func (s *Spool) records(done []moved) (out []record) {
	for _, m := range done {
		r := record{Path: rawName(m.place), Identity: m.Identity, Failed: m.Outcome == Failed}
		if m.Handled {
			r.ContentID = m.ContentID
		}
		if m.place == m.From && (m.Outcome != Failed || m.List != 0) {
			r.Place = place(m.From, m.List, m.Identity)
		}
		if r.Failed {
			r.Reason = m.Reason
		}
		if m.place != "" && (r.ContentID != 0 || r.Place != 0) {
			out = append(out, r)
		}
		if key := place(m.From, m.List, m.Identity); m.place != m.From && s.past.has(key) {
			out = append(out, record{Place: key}) // moved back, it is new
		}
		if o := s.inflight[m.ContentID]; o != nil && o.Path == m.From {
			out = append(out, s.copies(o, cmp.Or(m.place, m.From), m.Handled)...)
		}
	}
	return out
}

// covered moves the entry of a file on whose move is done. The caller holds mu.
func (s *Spool) covered(m moved) {
	if o := s.inflight[m.ContentID]; o != nil && o.Path == m.From {
		s.free(o, cmp.Or(m.place, m.From), m.Handled)
	}
	if m.List != 0 {
		s.endListed(m.From, m.List, nil)
		return
	}
	e := s.entries[m.From]
	switch {
	case e == nil || e.state != admitted || !e.id.SameFile(m.Identity):
		// From before a crash, or of a file that vanished: not this one.
	case m.Outcome != Failed && m.To == "" && !m.Remove:
		// Kept: it must not look new at the next listing.
		e.state, e.id = kept, m.Identity
	default:
		delete(s.entries, m.From)
	}
}

// Return takes back an admitted file that could not be opened, with the error
// of that, before anything of it was read. It stays where it is and counts as
// unreadable; once it can be opened it is admitted again, as another File. It
// is tried the more rarely the more often it comes back. A file that a manifest
// names is tried again with the manifest, once the others that it names are
// covered. A file that vanished cannot come back.
func (s *Spool) Return(f *File, err error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(f, "", false)
	if f.List != 0 {
		s.endListed(f.Path, f.List, err)
		return
	}
	e := s.entries[f.Path]
	if e == nil || e.state != admitted || e.id != f.Identity { // inodes are used again
		return
	}
	e.failed(err, now)
	s.returned = append(s.returned, e)
}
