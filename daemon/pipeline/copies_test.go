package pipeline_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pcapdir/daemon/config"
)

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

// Copies do not count: a batch over a capture, a copy and a hard link of it has
// the logs of the capture.
func TestCopiesInABatch(t *testing.T) {
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	want := newJob(t).read(t, c.write(t, t.TempDir(), "one"))
	dir := t.TempDir()
	mkdir(t, filepath.Join(dir, "tap"))
	writeFile(t, filepath.Join(dir, "tap/a"), readFile(t, c.write(t, dir, "b")))
	if err := os.Link(filepath.Join(dir, "b"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	got := newJob(t).read(t, dir)
	wantSameLogs(t, want, got)
	outcomes := map[string]int{}
	for _, f := range got.spool {
		outcomes[f.Outcome]++
		if f.Outcome == "duplicate" && (f.Packets != 0 || !strings.HasSuffix(f.Reason, filepath.Join(dir, "b"))) {
			t.Errorf("%+v", f)
		}
	}
	if outcomes["done"] != 1 || outcomes["duplicate"] != 2 || got.err != nil {
		t.Errorf("outcomes %v, %v", outcomes, got.err)
	}
	j := newJob(t)
	j.cfg.Spool.Duplicates = config.DuplicatesRead
	if all := j.read(t, dir); all.sum.Books.Read.Packets != 3*want.sum.Books.Read.Packets {
		t.Errorf("%d packets with copies read, want %d", all.sum.Books.Read.Packets, 3*want.sum.Books.Read.Packets)
	}
}

// Each packet in a file of its own, the same one twice with the same stamp: no
// cut of a capture loses a packet.
func TestTwinPacketsAreNoCopies(t *testing.T) {
	c := loadCapture(t, "containers/micro.pcap").sorted()
	dir := t.TempDir()
	for i, r := range c.recs {
		for _, twin := range []string{"", "-twin"} {
			capture{"piece", []record{r}}.write(t, dir, string(rune('A'+i))+twin)
		}
	}
	if got := newJob(t).read(t, dir); got.sum.Books.Read.Packets != uint64(2*len(c.recs)) {
		t.Errorf("%d packets, want %d", got.sum.Books.Read.Packets, 2*len(c.recs))
	}
}

// A daemon that is stopped and started again takes no copy of what it read
// before, and reads what a manifest names once, in place and in one order.
func TestCopiesAndManifestsOverARestart(t *testing.T) {
	root := newRoot(t)
	c := loadCapture(t, "pcap/lab-00.pcap.zst").sorted()
	parts := c.cut(20, false, newRand(7))
	far := filepath.Join(root, "far")
	mkdir(t, far)
	var list strings.Builder
	for i, p := range parts {
		name := string(rune('z' - i))
		writeFile(t, filepath.Join(far, name), formOf(p).encode(t, p))
		list.WriteString("../far/" + name + "\n")
	}
	want := newJob(t).read(t, far)
	writeFile(t, filepath.Join(root, "in", "all.manifest"), []byte(list.String()))
	d := start(t, site(root))
	if f := d.fate(t, "all.manifest"); f.Outcome != "done" || f.Packets != 0 {
		t.Errorf("the manifest: %+v", f)
	}
	d.quit(t)
	wantSameLogs(t, want, output{logs: readLogs(t, d.cfg.Logs.Dir)})
	if left, err := os.ReadDir(far); err != nil || len(left) != len(parts) {
		t.Errorf("%d files where the manifest names %d, %v", len(left), len(parts), err)
	}

	writeFile(t, filepath.Join(root, "in", "again.manifest"), []byte(list.String()))
	d = start(t, site(root))
	d.mv(t, "copy", readFile(t, filepath.Join(far, "z")))
	for _, name := range []string{"again.manifest", "copy"} {
		d.fate(t, name)
	}
	if f := d.fate(t, "copy"); f.Outcome != "duplicate" || !strings.Contains(f.Reason, filepath.Join(far, "z")) {
		t.Errorf("the copy: %+v", f)
	}
	d.quit(t)
	wantSameLogs(t, want, output{logs: readLogs(t, d.cfg.Logs.Dir)})
	if got := d.places(t); !slices.Equal(got, []string{"done/again.manifest", "done/all.manifest", "done/copy"}) {
		t.Errorf("files at %q", got)
	}
}
