package spool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/source/spool"
	"pcapdir/source/spool/spooltest"
)

const (
	settle = 5 * time.Second
	hold   = 10 * time.Second
	rescan = 2 * time.Second
)

// running is a spool whose Run runs, by listing alone and on a fake clock.
type running struct {
	t      *testing.T
	root   string
	faults *spooltest.Faults
	*spool.Spool
	start time.Time
	cfg   spool.Config
	quit  func() // ends Run

	// Run goes on when the test's sleep ends: admit and the test take turns.
	mu     sync.Mutex
	groups []admission
	files  []*spool.File // all that were admitted
}

// admission is one call of admit.
type admission struct {
	at    time.Duration // since the start
	files string        // source/name, and what is wrong
}

// runSpool runs test in a bubble, after before has filled the spool.
func runSpool(t *testing.T, after spool.After, before, test func(r *running)) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{t: t, root: t.TempDir(), faults: &spooltest.Faults{}, start: time.Now()}
		r.cfg = spool.Config{
			Dirs: []string{r.at("in")}, Done: r.at("in/done"), Failed: r.at("failed"), After: after,
			Settle: settle, HoldBack: hold, Rescan: rescan, Poll: true,
			State: r.at("state"), Window: 100 * time.Millisecond,
		}
		must(t, os.Mkdir(r.at("in"), 0o755))
		must(t, os.Mkdir(r.at("state"), 0o755))
		r.make()
		if before != nil {
			before(r)
		}
		r.run()
		test(r)
		r.quit()
		if r.faults.NowOpen() != 0 {
			t.Errorf("%d files are still open", r.faults.NowOpen())
		}
	})
}

func (r *running) make() {
	r.Spool = spool.New(r.cfg, spool.Deps{Files: spool.NewDescriptors(r.faults, 4), Log: quiet()})
}

// run starts the Spool, or one that comes after it, which finishes its commit.
func (r *running) run(finish ...spool.Move) {
	if r.quit != nil {
		r.make()
	}
	_, err := r.Do(finish)
	must(r.t, err)
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx, r.admit) }()
	synctest.Wait()
	r.quit = func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	}
}

func (r *running) at(name string) string { return filepath.Join(r.root, name) }

func (r *running) admit(_ context.Context, files []*spool.File) error {
	var names []string
	for _, f := range files {
		s := filepath.Join(f.Source, f.Name)
		if f.Err != nil {
			s += fmt.Sprintf("(%v)", f.Err)
		}
		if f.Verdict.Outcome != "" {
			s += fmt.Sprintf("[%s]", f.Verdict.Outcome)
		}
		names = append(names, s)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups = append(r.groups, admission{time.Since(r.start).Truncate(time.Second), strings.Join(names, " ")})
	r.files = append(r.files, files...)
	return nil
}

// put moves a finished file in whose mtime is age ago.
func (r *running) put(name string, age time.Duration) {
	r.t.Helper()
	r.putBytes(name, age, pcap(r.t, 1))
}

// putBytes is put of a file that holds b.
func (r *running) putBytes(name string, age time.Duration, b []byte) {
	r.t.Helper()
	path := write(r.t, r.at("outside"), b)
	at := time.Now().Add(-age)
	must(r.t, os.Chtimes(path, at, at))
	must(r.t, os.MkdirAll(filepath.Dir(r.at("in/"+name)), 0o755))
	must(r.t, os.Rename(path, r.at("in/"+name)))
}

// until lets the spool run until d after the start.
func (r *running) until(d time.Duration) {
	time.Sleep(time.Until(r.start.Add(d)))
	synctest.Wait()
}

// want compares the admissions so far: at, names, at, names, …
func (r *running) want(want ...admission) {
	r.t.Helper()
	if got := r.got(); fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("admitted %v, want %v", got, want)
	}
}

// retire puts all admitted files away as done, or failed if they cannot be
// read, and returns their moves.
func (r *running) retire() []spool.Move {
	r.t.Helper()
	moves := r.plan()
	_, err := r.Do(moves)
	must(r.t, err)
	return moves
}

// plan plans what retire does.
func (r *running) plan() (moves []spool.Move) {
	r.t.Helper()
	for _, f := range r.take() {
		moves = append(moves, r.planned(f))
	}
	return moves
}

func (r *running) planned(f *spool.File) spool.Move {
	r.t.Helper()
	want := spool.Retirement{File: f, Outcome: spool.Done, Handled: f.HasRecords}
	switch {
	case f.Verdict.Outcome != "":
		want.Outcome, want.Reason = f.Verdict.Outcome, f.Verdict.Reason
	case f.Err != nil:
		want.Outcome, want.Reason = spool.Failed, f.Err.Error()
	}
	m, err := r.Plan(want)
	must(r.t, err)
	return m
}

// take takes the files that were admitted and not taken yet.
func (r *running) take() []*spool.File {
	r.mu.Lock()
	defer r.mu.Unlock()
	files := r.files
	r.files = nil
	return files
}

// got is the admissions so far.
func (r *running) got() []admission {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.groups)
}

// forget starts the list of groups anew.
func (r *running) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups = nil
}

// old is the age of files that need not settle.
const old = time.Hour
