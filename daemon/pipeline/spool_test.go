package pipeline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// What lies in the spool at the start is one closed set: whatever is wrong with
// some of it, the logs are those of a batch over the same files, byte for byte.
func TestBacklogIsABatch(t *testing.T) {
	root := newRoot(t)
	in := filepath.Join(root, "in")
	rnd := rand.New(rand.NewPCG(1, 3))
	for i, p := range loadCapture(t, "pcap/lab-00.pcap.zst").cut(20, false, rnd) {
		writeFile(t, filepath.Join(in, string(rune('z'-i))), forms[i%6].encode(t, p))
	}
	for _, b := range badCases {
		writeFile(t, filepath.Join(in, b.name), readFile(t, b.path()))
	}
	want := newJob(t).read(t, in)
	d := start(t, site(root))
	for _, b := range badCases {
		f := d.fate(t, b.name)
		b.check(t, f)
		d.wantPut(t, b.name, f)
	}
	d.until(t, "all files put away", func() bool { return len(d.fates(t)) == len(want.spool) })
	d.quit(t)
	got := output{logs: readLogs(t, d.cfg.Logs.Dir)}
	got.spool = fates(t, got.logs["spool"])
	wantSameLogs(t, want, got)
	wantSameFates(t, want, got)
	if left, _ := os.ReadDir(in); len(left) > 0 {
		t.Errorf("%d files were left in the spool", len(left))
	}
}

// Whatever comes while the daemon runs has an outcome, and good files before
// and after are read.
func TestBadInputWhileRunning(t *testing.T) {
	d := start(t, site(newRoot(t)))
	rnd := rand.New(rand.NewPCG(1, 3))
	good := loadCapture(t, "containers/micro.pcap").cut(30, true, rnd)
	var packets int
	send := func(name string) {
		if len(good) == 0 {
			t.Fatal("no good files left")
		}
		d.mv(t, name, formOf(good[0]).encode(t, good[0]))
		if f := d.fate(t, name); f.Outcome != "done" || f.Reason != "" || f.Packets != uint64(len(good[0].recs)) || f.Late > 0 {
			t.Errorf("%q: %+v", name, f)
		} else {
			d.wantPut(t, name, f)
		}
		packets += len(good[0].recs)
		good = good[1:]
	}
	for i, b := range badCases {
		if b.records > 0 {
			continue // its stamps would make the good ones late
		}
		send("good-" + string(rune('a'+i)))
		d.mv(t, b.name, readFile(t, b.path()))
		f := d.fate(t, b.name)
		b.check(t, f)
		d.wantPut(t, b.name, f)
	}
	for _, name := range oddNames {
		send(name)
		bad := name[:len(name)-1] + "!"
		d.mv(t, bad, []byte("no capture"))
		if f := d.fate(t, bad); f.Outcome != "failed" || !strings.Contains(f.Reason, "not a capture") {
			t.Errorf("%q: %+v", bad, f)
		}
		if len(bad)+len(".reason") <= 255 {
			d.wantPut(t, bad, d.fate(t, bad))
		}
	}
	d.quit(t)
	if got := countPackets(t, d.cfg.Logs.Dir); got != packets {
		t.Errorf("conn.log has %d packets, want %d", got, packets)
	}
}

var oddNames = []string{
	"new\nline.pcap", "-rf", "a b\t'\"\\", "%41%", "tmp", "\xff\xfe.pcap", "é.pcap",
	strings.Repeat("n", 255), strings.Repeat("é", 127) + "x",
}

// countPackets is how many packets the connections have, and spool.log says
// were dropped.
func countPackets(t *testing.T, dir string) (n int) {
	t.Helper()
	all := readLogs(t, dir)
	for l := range bytes.Lines(all["conn"]) {
		var c struct {
			O int `json:"orig_pkts"`
			R int `json:"resp_pkts"`
		}
		if err := json.Unmarshal(l, &c); err != nil {
			t.Fatal(err)
		}
		n += c.O + c.R
	}
	for _, f := range fates(t, all["spool"]) {
		for _, dropped := range f.Dropped {
			n += int(dropped)
		}
	}
	return n
}

// Things that are no files are refused, never opened or followed, and put away.
func TestNoFiles(t *testing.T) {
	d := start(t, site(newRoot(t)))
	outside := writeFile(t, filepath.Join(d.root, "precious"), readFile(t, filepath.Join(testdata, "containers/micro.pcap")))
	make := []struct {
		name, kind string
		make       func(path string) error
	}{
		{"fifo", "fifo", func(p string) error { return syscall.Mkfifo(p, 0o644) }},
		{"loop", "symbolic link", func(p string) error { return os.Symlink("loop", p) }},
		{"loop-1", "symbolic link", func(p string) error { return os.Symlink("loop-2", p) }},
		{"loop-2", "symbolic link", func(p string) error { return os.Symlink("loop-1", p) }},
		{"up", "symbolic link", func(p string) error { return os.Symlink("..", p) }},
		{"link", "symbolic link", func(p string) error { return os.Symlink(outside, p) }},
		{"nowhere", "symbolic link", func(p string) error { return os.Symlink("/no/such/file", p) }},
		{"socket", "socket", func(p string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		}},
	}
	for _, m := range make {
		if err := m.make(d.in(m.name)); err != nil {
			t.Fatal(err)
		}
		f := d.fate(t, m.name)
		if f.Outcome != "failed" || !strings.Contains(f.Reason, m.kind) {
			t.Errorf("%s: %+v", m.name, f)
		}
		d.wantPut(t, m.name, f)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("what a link names was touched: %v", err)
	}
	// A directory is a source, whatever its name, however deep.
	if err := os.MkdirAll(d.in("x.pcap/empty.gz"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.mv(t, "x.pcap/empty.gz/y", readFile(t, outside))
	f := d.fate(t, "x.pcap/empty.gz/y")
	if f.Outcome != "done" || f.Source != "x.pcap/empty.gz" {
		t.Errorf("in a directory: %+v", f)
	}
	d.wantPut(t, "x.pcap/empty.gz/y", f)
	d.quit(t)
}

// A file that may not be read stays, is tried again, and is read once it may be;
// one that goes away unread is reported.
func TestPermissionDenied(t *testing.T) {
	root := newRoot(t)
	if os.Geteuid() == 0 {
		unprivileged(t, root)
	}
	d := start(t, site(root))
	text := readFile(t, filepath.Join(testdata, "containers/micro.pcap"))
	for _, name := range []string{"mended", "removed"} {
		outside := writeFile(t, filepath.Join(d.root, "outside"), text)
		if err := os.Chmod(outside, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(outside, d.in(name)); err != nil {
			t.Fatal(err)
		}
		d.until(t, "word of it", func() bool { return d.said.has("/in/" + name) })
	}
	d.mv(t, "good", text)
	if f := d.fate(t, "good"); f.Outcome != "done" {
		t.Errorf("a good file beside: %+v", f)
	}
	if got := d.places(t); !slices.Equal(got, []string{"done/good", "in/mended", "in/removed"}) {
		t.Errorf("files at %q", got)
	}
	if err := os.Chmod(d.in("mended"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f := d.fate(t, "mended"); f.Outcome != "done" || f.Packets != 60 {
		t.Errorf("mended: %+v", f)
	}
	if err := os.Remove(d.in("removed")); err != nil {
		t.Fatal(err)
	}
	if f := d.fate(t, "removed"); f.Outcome != "failed" || !strings.Contains(f.Reason, "vanished") {
		t.Errorf("removed: %+v", f)
	}
	d.quit(t)
	if got := d.places(t); !slices.Equal(got, []string{"done/good", "done/mended"}) {
		t.Errorf("files at %q", got)
	}
}

// unprivileged gives root to nobody and becomes nobody until the end of the
// test: root may read whatever the mode says.
func unprivileged(t *testing.T, root string) {
	t.Helper()
	const nobody = 65534
	err := filepath.Walk(root, func(path string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	})
	if err != nil {
		t.Skipf("cannot give the spool to somebody else: %v", err)
	}
	if err := syscall.Setresuid(-1, nobody, -1); err != nil {
		t.Skipf("cannot become somebody else: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Setresuid(-1, 0, -1); err != nil {
			panic(err)
		}
	})
	if _, err := os.ReadDir(root); err != nil {
		t.Skipf("the temporary directory is not for others: %v", err)
	}
}

// A file that goes away between being indexed and being opened: it is reported,
// and nothing waits for it.
func TestVanishesBeforeItIsOpened(t *testing.T) {
	cfg := site(newRoot(t))
	cfg.Order.HoldBack *= 25 // the time for it to vanish in
	cfg.Spool.Duplicates = config.DuplicatesRead
	d := start(t, cfg)
	text := readFile(t, filepath.Join(testdata, "containers/micro.pcap"))
	d.mv(t, "first", text)
	d.fate(t, "first") // from here on groups are held back
	indexed := closedAfterReading(t, func(path string) {
		if err := os.Rename(path, d.in("gone")); err != nil {
			t.Fatal(err)
		}
	}, writeFile(t, filepath.Join(d.root, "outside"), text))
	indexed()
	if err := os.Remove(d.in("gone")); err != nil {
		t.Fatal(err)
	}
	if f := d.fate(t, "gone"); f.Outcome != "failed" || !strings.Contains(f.Reason, "taken out of the spool") || f.Packets != 0 {
		t.Errorf("%+v", f)
	}
	d.mv(t, "good", text)
	if f := d.fate(t, "good"); f.Outcome != "done" || f.Packets != 60 {
		t.Errorf("%+v", f)
	}
	d.quit(t)
	if got := d.places(t); !slices.Equal(got, []string{"done/first", "done/good"}) {
		t.Errorf("files at %q", got)
	}
}

// closedAfterReading watches the inode at path, which act may move, and returns
// a wait for its being closed by a reader for the first time.
func closedAfterReading(t *testing.T, act func(path string), path string) (wait func()) {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		t.Skipf("inotify: %v", err)
	}
	if _, err := syscall.InotifyAddWatch(fd, path, syscall.IN_CLOSE_NOWRITE); err != nil {
		t.Fatal(err)
	}
	act(path)
	return func() {
		defer syscall.Close(fd)
		if _, err := syscall.Read(fd, make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
}

// Two daemons on one state directory would take each other's files, on one spool read
// all twice, and two writers of one log write over each other's lines.
func TestOneDaemonOnly(t *testing.T) {
	d := start(t, site(newRoot(t)))
	for key, share := range map[string]func(mine, its *config.Config){
		"commit.dir": func(mine, its *config.Config) { mine.Commit.Dir = its.Commit.Dir },
		"logs.dir":   func(mine, its *config.Config) { mine.Logs.Dir = its.Logs.Dir },
		"spool.dirs": func(mine, its *config.Config) { mine.Spool.Dirs = its.Spool.Dirs },
	} {
		other := site(newRoot(t))
		share(other, site(d.root))
		o := pipeline.Options{Config: other, Log: slog.New(slog.DiscardHandler)}
		if err := pipeline.Run(t.Context(), o); !errors.Is(err, pipeline.ErrBusy) || !strings.Contains(err.Error(), key) {
			t.Errorf("a second daemon with the same %s: %v", key, err)
		}
		if key != "logs.dir" {
			continue
		}
		if _, err := pipeline.Read(t.Context(), o, nil); !errors.Is(err, pipeline.ErrBusy) || !strings.Contains(err.Error(), "--log-dir") {
			t.Errorf("a batch with the same %s: %v", key, err)
		}
	}
	d.mv(t, "good", readFile(t, filepath.Join(testdata, "containers/micro.pcap")))
	if f := d.fate(t, "good"); f.Outcome != "done" {
		t.Errorf("the first daemon after that: %+v", f)
	}
	d.quit(t)
	again := start(t, site(d.root))
	again.quit(t)
}

// Whoever is refused lets go of what it has claimed before.
func TestRefusedLetsGo(t *testing.T) {
	d := start(t, site(newRoot(t)))
	other := site(newRoot(t))
	theirs := other.Logs.Dir
	other.Logs.Dir = site(d.root).Logs.Dir
	if err := pipeline.Run(t.Context(), pipeline.Options{Config: other, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, pipeline.ErrBusy) {
		t.Fatalf("with the logs of another daemon: %v", err)
	}
	other.Logs.Dir = theirs
	start(t, other).quit(t)
	d.quit(t)
}

// What the daemon writes is not watched, by whatever name.
func TestLogsInTheSpoolByAnotherName(t *testing.T) {
	for _, of := range []func(c *config.Config) *string{
		func(c *config.Config) *string { return &c.Logs.Dir },
		func(c *config.Config) *string { return &c.Commit.Dir },
	} {
		cfg := site(newRoot(t))
		inside, link := filepath.Join(cfg.Spool.Dirs[0], "inside"), filepath.Join(t.TempDir(), "link")
		if err := errors.Join(os.MkdirAll(inside, 0o755), os.Symlink(inside, link)); err != nil {
			t.Fatal(err)
		}
		*of(cfg) = link
		err := pipeline.Run(t.Context(), pipeline.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
		if !errors.Is(err, pipeline.ErrConfig) || !strings.Contains(err.Error(), link) {
			t.Errorf("%s in the spool: %v", link, err)
		}
	}
}

// One directory by two names is no other's.
func TestClaimsOfOneDirectory(t *testing.T) {
	root := newRoot(t)
	cfg := site(root)
	link := filepath.Join(t.TempDir(), "state")
	if err := errors.Join(os.MkdirAll(cfg.Logs.Dir, 0o755), os.Symlink(cfg.Logs.Dir, link)); err != nil {
		t.Fatal(err)
	}
	cfg.Commit.Dir = link
	start(t, cfg).quit(t)
}

// A stop at any time leaves every file in one place and every log whole, and
// the next daemon goes on where this one stopped.
func TestStopAnyTime(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	whole := newJob(t)
	whole.read(t, c.write(t, t.TempDir(), "one"))
	packets := countPackets(t, whole.cfg.Logs.Dir)
	rnd := rand.New(rand.NewPCG(1, 9))
	for round := range 4 {
		root := newRoot(t)
		parts := c.cut(150, false, rnd)
		for i, p := range parts {
			writeFile(t, filepath.Join(root, "in", strings.Repeat("x", i+1)), forms[i%6].encode(t, p))
		}
		cfg := site(root)
		cfg.Commit.Interval /= 10
		enough := round * len(parts) / 5
		for lives := 0; ; lives++ {
			d := start(t, cfg)
			d.until(t, "some files", func() bool { return len(d.fates(t)) >= min(enough*(lives+1), len(parts)) })
			d.quit(t)
			if got := d.places(t); len(got) != len(parts) {
				t.Fatalf("life %d: %d files, want %d", lives, len(got), len(parts))
			}
			done := fates(t, readLogs(t, cfg.Logs.Dir)["spool"])
			if len(done) != len(d.fates(t)) {
				t.Fatalf("life %d: a file has two lines in spool.log", lives)
			}
			left, err := os.ReadDir(filepath.Join(root, "in"))
			if err != nil || len(left)+len(done) != len(parts) {
				t.Fatalf("life %d: %d files done, %d left, of %d (%v)", lives, len(done), len(left), len(parts), err)
			}
			if len(left) == 0 {
				break
			}
			enough = max(enough, 1)
		}
		if got := countPackets(t, cfg.Logs.Dir); got != packets {
			t.Errorf("round %d: %d packets in conn.log, want %d", round, got, packets)
		}
	}
}

// While a log cannot be written files stay and lines wait; once it can be, all
// goes on, with nothing lost and nothing twice.
func TestLogCannotBeWritten(t *testing.T) {
	root := newRoot(t)
	cfg := site(root)
	obstacle := filepath.Join(cfg.Logs.Dir, "spool.log")
	if err := os.MkdirAll(obstacle, 0o755); err != nil {
		t.Fatal(err)
	}
	capture := loadCapture(t, "golden/cases.pcap.gz")
	capture.write(t, filepath.Join(root, "in"), "a")
	want := newJob(t).read(t, filepath.Join(root, "in"))
	d := start(t, cfg)
	d.until(t, "word of it", func() bool { return d.said.has("the commit waits") })
	if got := d.places(t); !slices.Equal(got, []string{"in/a"}) {
		t.Errorf("files at %q", got)
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	d.wantPut(t, "a", d.fate(t, "a"))
	d.quit(t)
	got := output{logs: readLogs(t, cfg.Logs.Dir)}
	got.spool = fates(t, got.logs["spool"])
	wantSameLogs(t, want, got)
	wantSameFates(t, want, got)
}

// Files come one by one in order of time: the logs are those of the batch, as
// long as nothing is late.
func TestTrickleInOrder(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	want := newJob(t).read(t, c.write(t, t.TempDir(), "one"))
	d := start(t, site(newRoot(t)))
	for i, p := range c.cut(12, true, rand.New(rand.NewPCG(8, 8))) {
		name := string(rune('z' - i))
		d.mv(t, name, formOf(p).encode(t, p))
		if f := d.fate(t, name); f.Late > 0 || f.Outcome != "done" {
			t.Errorf("%+v", f)
		}
	}
	d.quit(t)
	wantSameLogs(t, want, output{logs: readLogs(t, d.cfg.Logs.Dir)})
}

// A file that lies wholly before what was handled is read all the same, and
// told about; one that lies partly before is no reason to worry.
func TestWhollyLateFile(t *testing.T) {
	parts := loadCapture(t, "golden/cases.pcap.gz").sorted().cut(3, true, rand.New(rand.NewPCG(8, 8)))
	d := start(t, site(newRoot(t)))
	send := func(name string, c capture) fate {
		d.mv(t, name, formOf(c).encode(t, c))
		return d.fate(t, name)
	}
	send("second", parts[1])
	send("third", capture{"both", slices.Concat(parts[1].recs, parts[2].recs)})
	if d.said.has("wholly before") {
		t.Error("a file that is not wholly late was said to be")
	}
	if f := send("first", parts[0]); f.Late != f.Packets || f.Packets != uint64(len(parts[0].recs)) || f.Outcome != "done" {
		t.Errorf("%+v", f)
	}
	d.until(t, "a warning", func() bool { return d.said.has("wholly before") && d.said.has(d.in("first")) })
	d.quit(t)
}

// What becomes of a file that was read is for the operator to say.
func TestAfter(t *testing.T) {
	for after, where := range map[config.After][]string{
		config.AfterDone: {"done/a"}, config.AfterDelete: nil, config.AfterKeep: {"in/a"},
	} {
		t.Run(string(after), func(t *testing.T) {
			cfg := site(newRoot(t))
			cfg.Spool.After = after
			if err := os.Mkdir(cfg.Spool.Done, 0o755); err != nil {
				t.Fatal(err)
			}
			d := start(t, cfg)
			d.mv(t, "a", readFile(t, filepath.Join(testdata, "containers/micro.pcap")))
			if f := d.fate(t, "a"); f.Outcome != "done" {
				t.Errorf("%+v", f)
			}
			d.until(t, "the file put away", func() bool { return slices.Equal(d.places(t), where) })
			d.quit(t)
		})
	}
}
