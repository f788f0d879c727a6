package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	ledger "pcapdir/source/books"
	"pcapdir/source/spool"
)

// daemon is a Run over a spool of its own. Its waits have no limit but that of
// the whole test run: they end when what they wait for happens, or the daemon ends.
type daemon struct {
	root  string
	cfg   *config.Config
	said  *journal
	stop  context.CancelFunc
	ended chan struct{}
	err   error // holds when ended is closed
}

// site is a configuration whose spool, logs and state lie below root, with
// waits as short as they can be.
func site(root string) *config.Config {
	cfg := withOpen(config.Default())
	cfg.Spool.Dirs = []string{filepath.Join(root, "in")}
	cfg.Spool.Done = filepath.Join(root, "done")
	cfg.Spool.Failed = filepath.Join(root, "failed")
	cfg.Spool.Settle = 20 * time.Millisecond
	cfg.Order.HoldBack = 20 * time.Millisecond
	cfg.Logs.Dir, cfg.Logs.Rotate = filepath.Join(root, "logs"), 0 // the hour may end in a test
	cfg.Commit.Dir = filepath.Join(root, "state")
	cfg.Commit.Interval = 10 * time.Millisecond
	cfg.Shards.Count = 2
	return cfg
}

// newRoot is a directory with an empty spool in it.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// start starts a daemon, whose stop ends and logs what is open, and waits until it
// watches. It is stopped at the end of the test unless it was before.
func start(t *testing.T, cfg *config.Config) *daemon {
	t.Helper()
	return startAs(t, pipeline.Options{Config: cfg, Flush: true})
}

func startAs(t *testing.T, o pipeline.Options) *daemon {
	t.Helper()
	cfg := o.Config
	ctx, stop := context.WithCancel(context.Background())
	d := &daemon{root: filepath.Dir(cfg.Spool.Dirs[0]), cfg: cfg, said: &journal{}, stop: stop, ended: make(chan struct{})}
	ready := make(chan struct{})
	o.Log, o.Ready = slog.New(slog.NewTextHandler(d.said, nil)), sync.OnceFunc(func() { close(ready) })
	go func() {
		defer close(d.ended)
		d.err = pipeline.Run(ctx, o)
	}()
	t.Cleanup(func() {
		stop()
		<-d.ended
	})
	select {
	case <-ready:
	case <-d.ended:
		t.Fatalf("the daemon ended at once: %v", d.err)
	}
	return d
}

// journal is the operational log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) has(s string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.text.String(), s)
}

// quit stops the daemon as a signal would, and wants a clean end.
func (d *daemon) quit(t *testing.T) {
	t.Helper()
	d.stop()
	<-d.ended
	if d.err != nil {
		t.Fatalf("the daemon ended with %v\n%s", d.err, d.said.text.String())
	}
	d.wantLedgerBalance(t)
}

// wantLedgerBalance checks that the totals in the ledger are the sums of spool.log,
// of all lives of the daemon, unless the log was taken away meanwhile.
func (d *daemon) wantLedgerBalance(t *testing.T) {
	t.Helper()
	l, err := spool.LoadLedger(spool.OS{}, d.cfg.Commit.Dir)
	if err != nil || l == nil || d.said.has("changed by someone else") {
		return
	}
	var live, old []fate
	for _, f := range fates(t, readLogs(t, d.cfg.Logs.Dir)["spool"]) {
		if err := f.unbalanced(); err != "" {
			t.Errorf("%s: %s", f.File, err)
		}
		if f.Outcome == "catchup" {
			old = append(old, f)
		} else {
			live = append(live, f)
		}
	}
	for _, c := range []struct {
		name string
		sum  books
		n    int
		want ledger.Totals
	}{{"live", booksOf(live), len(live), l.Books.Live}, {"catch-up", booksOf(old), len(old), l.Books.CatchUp}} {
		got := ledger.Tally{Packets: c.sum.Packets, Bytes: c.sum.Bytes}
		handled := ledger.Tally{Packets: c.sum.Handled, Bytes: c.sum.HandledBytes}
		if got != c.want.Read || handled != c.want.Handled || uint64(c.n) != c.want.Files || c.want.Mismatches > 0 {
			t.Errorf("%s: spool.log sums up to %d files, %+v read, %+v handled; the ledger says %+v", c.name, c.n, got, handled, c.want)
		}
	}
}

// until waits for a condition.
func (d *daemon) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-d.ended:
			t.Fatalf("the daemon ended before: %s: %v\n%s", what, d.err, d.said.text.String())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// fates is what spool.log says so far, by path.
func (d *daemon) fates(t *testing.T) map[string]fate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.cfg.Logs.Dir, "spool.log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // a line may be half written
	all := map[string]fate{}
	for _, f := range fates(t, text) {
		all[f.File] = f
	}
	return all
}

// shown is how logs show bytes that are no characters: four characters for each.
var shown = strings.NewReplacer("\xff", `\xff`, "\xfe", `\xfe`)

// fate waits for the line of a file in the spool.
func (d *daemon) fate(t *testing.T, name string) (f fate) {
	t.Helper()
	d.until(t, fmt.Sprintf("a line for %q", name), func() (ok bool) {
		f, ok = d.fates(t)[shown.Replace(d.in(name))]
		return ok
	})
	return f
}

func (d *daemon) in(name string) string { return filepath.Join(d.root, "in", name) }

// mv moves a new file into the spool.
func (d *daemon) mv(t *testing.T, name string, text []byte) {
	t.Helper()
	outside := writeFile(t, filepath.Join(d.root, "outside"), text)
	if err := os.Rename(outside, d.in(name)); err != nil {
		t.Fatal(err)
	}
}

// places are the files below root other than logs and state, by path.
func (d *daemon) places(t *testing.T) (all []string) {
	t.Helper()
	for _, dir := range []string{"in", "done", "failed"} {
		err := filepath.WalkDir(filepath.Join(d.root, dir), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				rel, _ := filepath.Rel(d.root, path)
				all = append(all, rel)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

// wantPut wants a file to have been put away: in failed beside its reason, or
// in done, and no longer in the spool. What does not exist counts for nothing.
func (d *daemon) wantPut(t *testing.T, name string, f fate) {
	t.Helper()
	var want []string
	if f.Outcome == "done" {
		want = []string{filepath.Join("done", name)}
	} else {
		want = []string{filepath.Join("failed", name), filepath.Join("failed", name+".reason")}
	}
	d.until(t, fmt.Sprintf("%q put away as %v", name, want), func() bool {
		var got []string
		for _, p := range d.places(t) {
			if strings.HasSuffix(strings.TrimSuffix(p, ".reason"), "/"+name) {
				got = append(got, p)
			}
		}
		return slices.Equal(got, want)
	})
	if f.Outcome != "done" {
		d.until(t, fmt.Sprintf("the reason of %q, %q, in its file", name, f.Reason), func() bool {
			return string(readFile(t, filepath.Join(d.root, want[1]))) == f.Reason+"\n"
		})
	}
}
