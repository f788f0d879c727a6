package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/pipeline"
	"pcapdir/daemon/status"
)

// ask has the daemon do an operation.
func ask[A any](t *testing.T, d *daemon, operation, argument string) (answer A, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = status.Ask(ctx, d.cfg.ControlPath(), operation, argument, &answer)
	for errors.Is(err, status.ErrNoDaemon) && ctx.Err() == nil { // it listens a moment after it is ready
		time.Sleep(time.Millisecond)
		err = status.Ask(ctx, d.cfg.ControlPath(), operation, argument, &answer)
	}
	return answer, err
}

// wantAnswer is ask where it has to go well.
func wantAnswer[A any](t *testing.T, d *daemon, operation, argument string) A {
	t.Helper()
	answer, err := ask[A](t, d, operation, argument)
	if err != nil {
		t.Fatalf("%s %s: %v", operation, argument, err)
	}
	return answer
}

// A seal reads at once what would be held back for an hour, and leaves the logs as
// they are in a batch at that time; a flush completes them to those of the batch.
func TestSealAndFlush(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	want := newJob(t).read(t, c.write(t, t.TempDir(), "all"))
	cfg := site(newRoot(t))
	cfg.Order.HoldBack = time.Hour
	d := start(t, cfg)
	if s := wantAnswer[pipeline.Sealed](t, d, "seal", ""); s.UpTo != "" {
		t.Errorf("an empty spool is sealed up to %s", s.UpTo)
	}
	for i, p := range c.cut(6, true, newRand(4)) {
		d.mv(t, fmt.Sprint(9-i), formOf(p).encode(t, p))
	}
	last := c.recs[len(c.recs)-1].TS
	for range 2 { // the second finds it done
		if s := wantAnswer[pipeline.Sealed](t, d, "seal", ""); s.UpTo != last.Add(1).UTC() {
			t.Errorf("sealed up to %s, the last packet is of %s", s.UpTo, last.UTC())
		}
	}
	sealed := readLogs(t, cfg.Logs.Dir)
	if n := len(fates(t, sealed["spool"])); n != 6 {
		t.Errorf("%d files are put away at a seal, want 6", n)
	}
	if !bytes.HasPrefix(want.logs["conn"], sealed["conn"]) || len(sealed["conn"]) == 0 {
		t.Errorf("after a seal:\n%s", firstDifference(want.logs["conn"], sealed["conn"]))
	}
	open := wantAnswer[pipeline.Report](t, d, "status", "").ActiveConns
	if left := bytes.Count(want.logs["conn"], []byte("\n")) - bytes.Count(sealed["conn"], []byte("\n")); uint64(left) != open || left == 0 {
		t.Errorf("%d connections are open, %d are not logged", open, left)
	}
	wantAnswer[pipeline.Sealed](t, d, "flush", "")
	if flushed := readLogs(t, cfg.Logs.Dir)["conn"]; !bytes.Equal(flushed, want.logs["conn"]) {
		t.Errorf("after a flush:\n%s", firstDifference(want.logs["conn"], flushed))
	}
	d.quit(t)
	if after := readLogs(t, cfg.Logs.Dir)["conn"]; !bytes.Equal(after, want.logs["conn"]) {
		t.Errorf("the stop adds lines to those of the flush:\n%s", firstDifference(want.logs["conn"], after))
	}
}

// What goes on after a flush has a second record, and none of its packets is lost.
func TestFlushCutsConnections(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap").sorted()
	parts := c.cut(2, true, newRand(1))
	d := start(t, site(newRoot(t)))
	d.mv(t, "a", formOf(parts[0]).encode(t, parts[0]))
	wantAnswer[pipeline.Sealed](t, d, "flush", "")
	d.mv(t, "b", formOf(parts[1]).encode(t, parts[1]))
	wantAnswer[pipeline.Sealed](t, d, "flush", "")
	d.quit(t)
	if n, want := countPackets(t, d.cfg.Logs.Dir), len(c.recs); n != want {
		t.Errorf("%d packets in the logs, want %d", n, want)
	}
	var apart []string
	for _, p := range parts {
		apart = append(apart, connPackets(t, newJob(t).read(t, p.write(t, t.TempDir(), "x")).logs["conn"])...)
	}
	got := connPackets(t, readLogs(t, d.cfg.Logs.Dir)["conn"])
	slices.Sort(apart)
	slices.Sort(got)
	if !slices.Equal(got, apart) {
		t.Errorf("records\n%s\nwant those of each part\n%s", strings.Join(got, "\n"), strings.Join(apart, "\n"))
	}
}

// connPackets are the lines of conn.log without their uid, which tells when a
// connection's time began.
func connPackets(t *testing.T, text []byte) (all []string) {
	t.Helper()
	for l := range bytes.Lines(text) {
		before, rest, _ := strings.Cut(string(l), `"uid":"`)
		_, rest, _ = strings.Cut(rest, `"`)
		all = append(all, before+rest)
	}
	return all
}

// What comes during a pause stays where it is, and is one closed set afterwards:
// however it came, its logs are those of a batch.
func TestPauseGathersAClosedSet(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	want := newJob(t).read(t, c.write(t, t.TempDir(), "all"))
	d := start(t, site(newRoot(t)))
	if p := wantAnswer[pipeline.Paused](t, d, "pause", ""); !p.Paused {
		t.Error("not paused")
	}
	parts := c.cut(8, true, newRand(5))
	slices.Reverse(parts) // the newest first
	for i, p := range parts {
		d.mv(t, fmt.Sprint(i), formOf(p).encode(t, p))
		time.Sleep(30 * time.Millisecond) // longer than hold_back
	}
	if _, err := ask[pipeline.Sealed](t, d, "seal", ""); err == nil || !strings.Contains(err.Error(), "paused") {
		t.Errorf("a seal in a pause: %v", err)
	}
	d.until(t, "all files are known", func() bool { return wantAnswer[pipeline.Report](t, d, "status", "").Held == 8 })
	if r := wantAnswer[pipeline.Report](t, d, "status", ""); !r.Paused || r.Packets > 0 || r.Admitted > 0 {
		t.Errorf("in the pause: %+v", r)
	}
	if p := wantAnswer[pipeline.Paused](t, d, "resume", ""); p.Paused {
		t.Error("still paused")
	}
	wantAnswer[pipeline.Sealed](t, d, "flush", "")
	r := wantAnswer[pipeline.Report](t, d, "status", "")
	if r.Paused || r.Done != 8 || r.Books.Live.Read.Packets != uint64(len(c.recs)) || r.BookErrors > 0 || r.LoggedUpTo == "" {
		t.Errorf("afterwards: %+v", r)
	}
	d.quit(t)
	got := output{logs: readLogs(t, d.cfg.Logs.Dir)}
	if !bytes.Equal(got.logs["conn"], want.logs["conn"]) {
		t.Error(firstDifference(want.logs["conn"], got.logs["conn"]))
	}
}

// A file that was put away is read again when somebody asks for it, from wherever
// it lies, and only then.
func TestRequeue(t *testing.T) {
	cfg := site(newRoot(t))
	cfg.Order.Idle = 50 * time.Millisecond // the two taps do not wait for each other for long
	d := start(t, cfg)
	if err := os.Mkdir(d.in("tap"), 0o755); err != nil {
		t.Fatal(err)
	}
	good, bad := readFile(t, filepath.Join(testdata, "containers/micro.pcap")), readFile(t, filepath.Join(testdata, "bad/cut-in-record.pcap"))
	d.mv(t, "tap/good", good)
	d.mv(t, "bad", bad)
	d.fate(t, "tap/good")
	d.fate(t, "bad")
	for name, from := range map[string]string{"tap/good": "done/tap/good", "bad": "failed/bad"} {
		path := filepath.Join(d.root, from)
		d.until(t, from, func() bool { _, err := os.Lstat(path); return err == nil })
		if r := wantAnswer[pipeline.Requeued](t, d, "requeue", path); r.Path != d.in(name) {
			t.Errorf("%s is requeued to %s", from, r.Path)
		}
		if _, err := os.Lstat(path + ".reason"); err == nil {
			t.Errorf("%s.reason is left behind", path)
		}
		d.until(t, "a second line for "+name, func() bool { return d.lines(t, name) == 2 })
		d.until(t, from, func() bool { _, err := os.Lstat(path); return err == nil })
	}
	for path, why := range map[string]string{
		d.in("tap"): "not a file in spool.done", "/etc/passwd": "not a file in spool.done", filepath.Join(d.root, "done/none"): "no such file",
		filepath.Join(d.root, "done/tap"): "directory", filepath.Join(d.root, "failed/bad.reason"): "no capture",
	} {
		if _, err := ask[pipeline.Requeued](t, d, "requeue", path); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("requeue %s: %v", path, err)
		}
	}
	writeFile(t, filepath.Join(d.root, "done/x.manifest"), nil)
	if _, err := ask[pipeline.Requeued](t, d, "requeue", filepath.Join(d.root, "done/x.manifest")); err == nil || !strings.Contains(err.Error(), "spool.duplicates") {
		t.Errorf("a manifest: %v", err)
	}
	writeFile(t, d.in("bad.part"), nil)
	if err := os.Rename(d.in("bad.part"), filepath.Join(d.root, "done/bad.part")); err != nil {
		t.Fatal(err)
	}
	if _, err := ask[pipeline.Requeued](t, d, "requeue", filepath.Join(d.root, "done/bad.part")); err == nil {
		t.Error("a name that is never read is requeued")
	}
	d.quit(t)
	// By hand, while nothing runs: the ledger must not put it away again unread.
	if err := os.Rename(filepath.Join(d.root, "done/tap/good"), d.in("tap/good")); err != nil {
		t.Fatal(err)
	}
	d = start(t, cfg)
	d.until(t, "a third line", func() bool { return d.lines(t, "tap/good") == 3 })
	d.quit(t)
}

// lines is how many lines of spool.log a file has, all of which say that it was read.
func (d *daemon) lines(t *testing.T, name string) (n int) {
	t.Helper()
	text := readFile(t, filepath.Join(d.cfg.Logs.Dir, "spool.log"))
	for _, f := range fates(t, text[:bytes.LastIndexByte(text, '\n')+1]) {
		if f.File == d.in(name) {
			n++
			if f.Packets == 0 || f.Outcome == "duplicate" {
				t.Fatalf("%+v", f)
			}
		}
	}
	return n
}

// Nothing is replaced in the spool, and where the daemon cannot listen it works all
// the same.
func TestRequeueReplacesNothing(t *testing.T) {
	cfg := site(newRoot(t))
	d := start(t, cfg)
	d.mv(t, "x", readFile(t, filepath.Join(testdata, "containers/micro.pcap")))
	d.fate(t, "x")
	path := filepath.Join(d.root, "done/x")
	d.until(t, "x is put away", func() bool { _, err := os.Lstat(path); return err == nil })
	wantAnswer[pipeline.Paused](t, d, "pause", "")
	d.mv(t, "x", readFile(t, filepath.Join(testdata, "containers/nano.pcap")))
	if _, err := ask[pipeline.Requeued](t, d, "requeue", path); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("over another file: %v", err)
	}
	d.quit(t)

	cfg = site(newRoot(t))
	cfg.Status.Control = filepath.Join(cfg.Commit.Dir, strings.Repeat("long", 30))
	d = start(t, cfg)
	d.mv(t, "x", readFile(t, filepath.Join(testdata, "containers/micro.pcap")))
	d.fate(t, "x")
	d.quit(t)
	if !d.said.has("longer than 107 bytes") {
		t.Error("a socket path that is too long goes unsaid")
	}
}
