package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

// errCrash is what every operation of a dead process returns.
var errCrash = errors.New("crashed")

// fuse lets so many operations pass and then fails them: all of them, as in a
// dead process, or a number of them, as on a disk that is full for a while.
type fuse struct {
	pass, fail int // fail < 0: for ever
	err        error
	blown      bool // something failed
	trace      []string
}

func (f *fuse) step(what string) error {
	f.trace = append(f.trace, what)
	if f.pass > 0 {
		f.pass--
		return nil
	}
	if f.fail == 0 {
		return nil
	}
	f.fail--
	f.blown = true
	return f.err
}

// world is a directory in which processes live and die.
type world struct {
	t    *testing.T
	root string
	logs config.Logs // when they rotate
}

func newWorld(t *testing.T) world {
	w := world{t: t, root: t.TempDir()}
	for _, dir := range []string{"in", "in/tap", "done", "failed", "state", "logs"} {
		if err := os.Mkdir(w.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "tap/c", "d"} {
		if err := os.WriteFile(w.path("in/"+name), []byte("file "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w world) path(name string) string { return filepath.Join(w.root, name) }

// process is the committing side of one life of the daemon.
type process struct {
	w     world
	store *store
	spool *spool.Spool
}

// start begins a life whose operations go through the fuse.
func (w world) start(f *fuse) *process {
	w.t.Helper()
	fsys := &spooltest.Faults{}
	fsys.Fail(func(op spooltest.Op, path string) error {
		if op == spooltest.Lstat || op == spooltest.Resolve || op == spooltest.Stat || op == spooltest.Close {
			return nil // they change nothing
		}
		rel, _ := filepath.Rel(w.root, path)
		return f.step(string(op) + " " + rel)
	})
	dir, err := logs.OpenDir(w.path("logs"))
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	sp := spool.New(spool.Config{
		Dirs: []string{w.path("in")}, Done: w.path("done"), Failed: w.path("failed"), After: spool.AfterDone,
	}, spool.Deps{Files: spool.NewDescriptors(fsys, 4), Log: log})
	st := &store{fs: fsys, dir: w.path("state"), sink: &burningSink{dir, w.path("logs"), f}, mover: sp, log: log, setup: newSetup(&config.Config{Logs: w.logs})}
	w.t.Cleanup(func() { _ = dir.Close() })
	return &process{w, st, sp}
}

// burningSink is a sink on a fuse. A write that fails has done half of what it
// would have added to the file.
type burningSink struct {
	*logs.Dir
	path string
	fuse *fuse
}

func (s *burningSink) Append(log string, at logs.Position, lines logs.Lines) (logs.Position, error) {
	blown := s.fuse.step("append " + log)
	before, err := s.Dir.Position(log)
	if err != nil {
		return before, err
	}
	after, err := s.Dir.Append(log, at, lines)
	if blown == nil || err != nil {
		return after, err
	}
	half := before.Length + (after.Length-before.Length)/2
	return logs.Position{}, errors.Join(blown, os.Truncate(filepath.Join(s.path, log+".log"), max(half, before.Length)))
}

// Rotate fails before it has done anything, or behind all of it.
func (s *burningSink) Rotate(t logs.Turn) error {
	if err := s.fuse.step("rotate " + t.Log); err != nil {
		return err
	}
	return errors.Join(s.Dir.Rotate(t), s.fuse.step("rotated "+t.Log))
}

func (s *burningSink) Sync() error {
	if err := s.fuse.step("sync logs"); err != nil {
		return err
	}
	return s.Dir.Sync()
}

// script is what the commits of a test bring, in turn: lines by log, and files
// with their outcomes.
var script = []struct {
	lines [][2]string
	files map[string]spool.Outcome
}{
	{[][2]string{{"conn", "1 alpha\n1 beta\n"}, {"spool", "1 a\n"}}, map[string]spool.Outcome{"a": spool.Done}},
	{
		[][2]string{{"conn", "2 gamma\n2 delta\n2 epsilon\n"}, {"weird", "2 odd\n"}, {"spool", "2 b\n2 tap/c\n"}},
		map[string]spool.Outcome{"b": spool.Done, "tap/c": spool.Failed},
	},
	{[][2]string{{"conn", "3 zeta\n"}, {"weird", "3 odd\n"}, {"spool", "3 d\n"}}, map[string]spool.Outcome{"d": spool.Done}},
}

// commit builds commit n of the script, from 1.
func (p *process) commit(n int) *commit {
	p.w.t.Helper()
	b := p.store.begin()
	b.seq, b.cut, b.stage.path = uint64(n), packet.Unix(int64(n), 0), stagePath(p.store.dir, uint64(n))
	for _, l := range script[n-1].lines {
		b.add(l[0], []byte(l[1]))
	}
	for name, outcome := range script[n-1].files {
		f := p.file(name)
		m, err := p.spool.Plan(spool.Retirement{File: f, Outcome: outcome, Reason: "because"})
		if err != nil {
			p.w.t.Fatal(err)
		}
		b.moves = append(b.moves, m)
		b.done = append(b.done, &file{File: f, on: &timeline{}, books: &books.File{}})
	}
	return b
}

func (p *process) file(name string) *spool.File {
	p.w.t.Helper()
	path := p.w.path("in/" + name)
	st, err := spool.OS{}.Lstat(path)
	if err != nil {
		p.w.t.Fatal(err)
	}
	source := filepath.Dir(name)
	if source == "." {
		source = ""
	}
	return &spool.File{Path: path, Name: filepath.Base(name), Source: source, Identity: st.Identity, ContentID: 7}
}

// wantState wants exactly the first n commits of the script to have happened.
func (w world) wantState(when string, n int) {
	w.t.Helper()
	text := map[string]string{}
	where := map[string]string{"a": "in/a", "b": "in/b", "tap/c": "in/tap/c", "d": "in/d"}
	var reasons []string
	for _, c := range script[:n] {
		for _, l := range c.lines {
			text[l[0]] += l[1]
		}
		for name, outcome := range c.files {
			where[name] = filepath.Join(string(outcome), name)
			if outcome == spool.Failed {
				reasons = append(reasons, where[name]+".reason")
			}
		}
	}
	for _, log := range []string{"conn", "weird", "spool"} {
		files, err := logs.Files(w.path("logs"), log)
		if err != nil {
			w.t.Fatal(err)
		}
		var got []byte
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				w.t.Fatal(err)
			}
			got = append(got, text...)
		}
		if string(got) != text[log] {
			w.t.Errorf("%s: %s.log holds %q, want %q", when, log, got, text[log])
		}
	}
	want := reasons
	for _, path := range where {
		want = append(want, path)
	}
	slices.Sort(want)
	if got := w.files(); !slices.Equal(got, want) {
		w.t.Errorf("%s: files are at %q, want %q", when, got, want)
	}
}

// files are all files but those of logs and state.
func (w world) files() (all []string) {
	err := filepath.WalkDir(w.root, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(w.root, path)
		if err == nil && !e.IsDir() && !strings.HasPrefix(rel, "logs/") && !strings.HasPrefix(rel, "state/") {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// live runs a life to its end: it recovers, then publishes what is left of the
// script, to commit number to. The fuse may end it early.
func (w world) live(f *fuse, to int) error {
	p := w.start(f)
	if err := p.store.recover(); err != nil {
		return err
	}
	for n := int(p.store.seq) + 1; n <= to; n++ {
		if err := p.store.publish(p.commit(n)); err != nil {
			return err
		}
		if p.store.seq != uint64(n) {
			w.t.Fatalf("seq is %d after commit %d", p.store.seq, n)
		}
	}
	return nil
}

// A process dies before each of its operations in turn, in the middle of writes,
// and again while recovering. Whatever happened, the next life finds whole
// commits or none, and ends where an undisturbed one would.
func TestCrashAtEveryStep(t *testing.T) {
	t.Run("one file", func(t *testing.T) { crashAtEveryStep(t, config.Logs{}) })
	t.Run("a file for each commit", func(t *testing.T) { crashAtEveryStep(t, config.Logs{RotateSize: 1}) })
}

func crashAtEveryStep(t *testing.T, when config.Logs) {
	var crashes, committed int
	for n := 0; ; n++ {
		w := newWorld(t)
		w.logs = when
		if err := w.live(&fuse{}, 1); err != nil {
			t.Fatal(err)
		}
		f := &fuse{pass: n, fail: -1, err: errCrash}
		err := w.live(f, 2)
		if !f.blown {
			break
		}
		// A move that fails is no error: it is left for the next commit.
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatalf("step %d: %v", n, err)
		}
		crashes++
		when := fmt.Sprintf("crashed at step %d (%s)", n, f.trace[len(f.trace)-1])
		if crashWhileRecovering(t, w, when) {
			committed++
		}
	}
	if crashes < 15 || committed < 5 || committed == crashes {
		t.Errorf("%d crashes, of them %d after the commit: the steps are not what this test is for", crashes, committed)
	}
}

// crashWhileRecovering lets every other life die one step later than the one
// before, and then one go through. It says whether the second commit stood.
func crashWhileRecovering(t *testing.T, w world, when string) bool {
	t.Helper()
	for m := 0; ; m++ {
		f := &fuse{pass: m, fail: -1, err: errCrash}
		p := w.start(f)
		err := p.store.recover()
		if !f.blown {
			w.wantState(when+", recovered", int(p.store.seq))
			break
		}
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatalf("%s, recovery crashed at step %d: %v", when, m, err)
		}
	}
	p := w.start(&fuse{})
	if err := p.store.recover(); err != nil {
		t.Fatalf("%s: recovering twice: %v", when, err)
	}
	stood := p.store.seq == 2
	w.wantState(when+", recovered twice", int(p.store.seq))
	if err := w.live(&fuse{}, len(script)); err != nil {
		t.Fatalf("%s: going on: %v", when, err)
	}
	w.wantState(when+", at the end", len(script))
	if files, err := logs.Files(w.path("logs"), "conn"); err != nil || w.logs.RotateSize > 0 && len(files) != len(script) {
		t.Errorf("%s: files %q of %d commits (%v)", when, files, len(script), err)
	}
	stages, _ := filepath.Glob(w.path("state/stage-*"))
	if len(stages) != 0 {
		t.Errorf("%s: stages left: %q", when, stages)
	}
	return stood
}

// A disk that is full, or fails, for a while: the committer tries again, from
// the step that failed, and repeats and loses nothing.
func TestRetriesInTheSameProcess(t *testing.T) {
	for _, failures := range []int{1, 2, 5} {
		for n := 0; ; n++ {
			f := &fuse{pass: n, fail: failures, err: syscall.ENOSPC}
			if !retry(t, f, fmt.Sprintf("%d failures from step %d on", failures, n)) {
				break
			}
		}
	}
}

// retry runs the script over a fuse in one process, and says whether it blew.
func retry(t *testing.T, f *fuse, when string) (blew bool) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		p := w.start(f)
		c := &committer{store: p.store, files: &files{}, log: slog.New(slog.DiscardHandler)}
		for n := 1; n <= len(script); n++ {
			if err := c.publish(t.Context(), p.commit(n)); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if len(p.store.left) == 0 {
				w.wantState(when, n)
			}
		}
		// Moves that failed are carried along, and done with a later commit.
		for n := len(script) + 1; len(p.store.left) > 0; n++ {
			if err := c.publish(t.Context(), p.store.begin()); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
		w.wantState(when, len(script))
		if c.snapshot().err != nil {
			t.Errorf("%s: still in trouble: %v", when, c.snapshot().err)
		}
		if tally := c.files.snapshot(); tally.done != 3 || tally.failed != 1 {
			t.Errorf("%s: %d files done, %d failed", when, tally.done, tally.failed)
		}
	})
	return f.pass == 0 && f.fail == 0
}

// A batch gives up after some tries; a daemon that is stopped while its commit
// waits ends, and the next one finishes or forgets it.
func TestGivingUp(t *testing.T) {
	for n := range 12 {
		w := newWorld(t)
		synctest.Test(t, func(t *testing.T) {
			f := &fuse{pass: n, fail: -1, err: syscall.ENOSPC}
			p := w.start(f)
			c := &committer{store: p.store, files: &files{}, log: slog.New(slog.DiscardHandler), retries: 3}
			if err := c.publish(t.Context(), p.commit(1)); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("step %d: %v", n, err)
			}
			c.retries = 0
			ctx, stop := context.WithCancel(t.Context())
			go func() {
				synctest.Wait()
				stop()
			}()
			if err := c.publish(ctx, p.commit(1)); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("step %d: %v", n, err)
			}
		})
		if err := w.live(&fuse{}, len(script)); err != nil {
			t.Fatal(err)
		}
		w.wantState(fmt.Sprintf("given up at step %d", n), len(script))
	}
}

// The order of operations is what makes a crash harmless also where the disk
// keeps only what was synced.
func TestOrderOfOperations(t *testing.T) {
	w := newWorld(t)
	f := &fuse{}
	if err := w.live(&fuse{}, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.live(f, 2); err != nil {
		t.Fatal(err)
	}
	// What recovering commit 1 did ends with its stage being asked to go.
	trace := f.trace[slices.Index(f.trace, "write state/stage-2"):]
	from := 0
	for _, what := range []string{
		"write state/stage-2", "sync state/stage-2",
		"write state/ledger.json.tmp", "sync state/ledger.json.tmp", "rename state/ledger.json.tmp", "syncdir state",
		"append conn", "append weird", "append spool", "sync logs", "remove state/stage-2",
		"rename in/", "sync",
	} {
		at := slices.IndexFunc(trace[from:], func(s string) bool { return strings.HasPrefix(s, what) })
		if at < 0 {
			t.Fatalf("%q is missing or too early in:\n%s", what, strings.Join(trace, "\n"))
		}
		from += at + 1
	}
	for _, what := range []string{"syncdir in", "syncdir in/tap", "syncdir done", "syncdir failed/tap"} {
		if !slices.Contains(trace, what) {
			t.Errorf("%q is missing in:\n%s", what, strings.Join(trace, "\n"))
		}
	}
}

// With a stage that was cut short a ledger cannot be carried out: that is said,
// not skipped.
func TestStageIsDamaged(t *testing.T) {
	w := newWorld(t)
	if err := w.live(&fuse{}, 1); err != nil {
		t.Fatal(err)
	}
	p := w.start(&fuse{})
	if err := p.store.recover(); err != nil {
		t.Fatal(err)
	}
	w.promise(p.commit(2), p)
	if err := os.Truncate(w.path("state/stage-2"), 5); err != nil {
		t.Fatal(err)
	}
	if err := w.start(&fuse{}).store.recover(); !errors.Is(err, spool.ErrLedger) {
		t.Errorf("damaged stage: %v", err)
	}
	w.wantState("stage damaged", 1)
}

// Once a commit is finished, what happens to the logs is not its business: after
// a clean stop they may be rotated, and nothing is written again.
func TestFinishedCommitIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	if err := w.live(&fuse{}, 2); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(w.path("logs/conn.log"), w.path("logs/conn.1")); err != nil {
		t.Fatal(err)
	}
	p := w.start(&fuse{})
	if err := p.store.recover(); err != nil || p.store.seq != 2 {
		t.Fatalf("seq %d, %v", p.store.seq, err)
	}
	if _, err := os.Stat(w.path("logs/conn.log")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a new conn.log was begun: %v", err)
	}
}

// promise does what makes b a commit, and no more.
func (w world) promise(b *commit, p *process) {
	w.t.Helper()
	if err := p.store.spill(b); err != nil {
		w.t.Fatal(err)
	}
	l, err := p.store.place(b)
	if err != nil {
		w.t.Fatal(err)
	}
	b.ledger = l
	if err := p.store.promise(b); err != nil {
		w.t.Fatal(err)
	}
}

// A log that somebody rotates between the crash and the next start: the lines
// go to the new file, and none of the old one's are touched.
func TestLogRotatedBeforeRecovery(t *testing.T) {
	w := newWorld(t)
	if err := w.live(&fuse{}, 1); err != nil {
		t.Fatal(err)
	}
	p := w.start(&fuse{})
	if err := p.store.recover(); err != nil {
		t.Fatal(err)
	}
	w.promise(p.commit(2), p)
	if err := os.Rename(w.path("logs/conn.log"), w.path("logs/conn.1")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.start(&fuse{}).store.recover(); err != nil {
			t.Fatal(err)
		}
		old, _ := os.ReadFile(w.path("logs/conn.1"))
		now, _ := os.ReadFile(w.path("logs/conn.log"))
		if string(old) != script[0].lines[0][1] || string(now) != script[1].lines[0][1] {
			t.Errorf("old %q, new %q", old, now)
		}
	}
}
