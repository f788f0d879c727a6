package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
)

// identical are the logs that must not differ by a byte whatever the shape of
// the run. stats.log is about the process, spool.log about the files.
var identical = []string{"conn", "open_conn", "anomaly", "kmeans", "vectors", "weird"}

// job is one batch in the making.
type job struct {
	cfg   *config.Config
	sizes merge.Config
	input io.Reader
}

// withOpen has open_conn.log written, so that it is compared, too.
func withOpen(cfg *config.Config) *config.Config {
	cfg.Conn.OpenInterval = 20 * time.Second
	return cfg
}

// newJob is the plainest run: one shard, defaults otherwise.
func newJob(t *testing.T) *job {
	t.Helper()
	cfg := withOpen(config.Default())
	cfg.Logs.Dir = t.TempDir()
	cfg.Shards.Count = 1
	return &job{cfg: cfg}
}

// output is what a batch left.
type output struct {
	logs  map[string][]byte // by name; a file that is absent is empty
	spool []fate
	sum   pipeline.Summary
	err   error // nil or ErrFailedFiles
}

// fate is a line of spool.log.
type fate struct {
	TS           float64           `json:"ts"`
	File         string            `json:"file"`
	Source       string            `json:"source"`
	ContentID    string            `json:"content_id"`
	Size         int64             `json:"size"`
	Format       string            `json:"format"`
	Compression  string            `json:"compression"`
	LinkTypes    []string          `json:"link_types"`
	FirstTS      float64           `json:"first_ts"`
	LastTS       float64           `json:"last_ts"`
	Packets      uint64            `json:"packets"`
	Bytes        uint64            `json:"bytes"`
	Late         uint64            `json:"late"`
	Inversions   uint64            `json:"inversions"`
	Lifted       uint64            `json:"lifted"`
	Suspect      uint64            `json:"suspect"`
	Handled      uint64            `json:"handled"`
	HandledBytes uint64            `json:"handled_bytes"`
	Dropped      map[string]uint64 `json:"dropped"`
	DroppedBytes map[string]uint64 `json:"dropped_bytes"`
	Outcome      string            `json:"outcome"`
	Reason       string            `json:"reason"`
}

// read runs the batch. Files that fail are for the caller to expect.
func (j *job) read(t *testing.T, paths ...string) output {
	t.Helper()
	o := pipeline.Options{Config: j.cfg, Log: slog.New(slog.DiscardHandler), Merge: j.sizes, Input: j.input}
	sum, err := pipeline.Read(context.Background(), o, paths)
	if err != nil && !errors.Is(err, pipeline.ErrFailedFiles) {
		t.Fatalf("read %d paths: %v", len(paths), err)
	}
	out := output{logs: readLogs(t, j.cfg.Logs.Dir), sum: sum, err: err}
	out.spool = fates(t, out.logs["spool"])
	wantBalance(t, out)
	return out
}

// wantBalance checks that every record has one fate, in packets and in bytes, file
// by file, and that the sums of spool.log are what the program adds up to.
func wantBalance(t *testing.T, o output) {
	t.Helper()
	sum := booksOf(o.spool)
	for _, f := range o.spool {
		if err := f.unbalanced(); err != "" {
			t.Errorf("%s: %s", f.File, err)
		}
	}
	want := books{
		Packets: o.sum.Books.Read.Packets, Bytes: o.sum.Books.Read.Bytes, Late: o.sum.Books.Late,
		Handled: o.sum.Books.Handled.Packets, HandledBytes: o.sum.Books.Handled.Bytes,
		Dropped: map[string]uint64{}, DroppedBytes: map[string]uint64{}, First: sum.First, Last: sum.Last, Failed: sum.Failed,
	}
	for d, n := range o.sum.Books.Dropped {
		if n.Packets > 0 {
			want.Dropped[packet.Drop(d).String()], want.DroppedBytes[packet.Drop(d).String()] = n.Packets, n.Bytes
		}
	}
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("the sums of spool.log are\n%+v, the totals\n%+v", sum, want)
	}
	if o.sum.BookErrors > 0 {
		t.Errorf("%d mismatches", o.sum.BookErrors)
	}
}

// unbalanced says what is wrong with the books of a file.
func (f fate) unbalanced() string {
	packets, bytes := f.Handled, f.HandledBytes
	for name, n := range f.Dropped {
		packets, bytes = packets+n, bytes+f.DroppedBytes[name]
	}
	if packets != f.Packets || bytes != f.Bytes || len(f.Dropped) != len(f.DroppedBytes) {
		return fmt.Sprintf("%d packets of %d bytes read, %d of %d handled or dropped", f.Packets, f.Bytes, packets, bytes)
	}
	return ""
}

// only is the one line of spool.log.
func (o output) only(t *testing.T) fate {
	t.Helper()
	if len(o.spool) != 1 {
		t.Fatalf("%d lines in spool.log, want 1; %s", len(o.spool), o.sum)
	}
	return o.spool[0]
}

// readLogs reads every log of a directory, with what was rotated and is not packed, and
// checks that each is made of whole lines of JSON.
func readLogs(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for l := range bytes.Lines(text) {
			if l[len(l)-1] != '\n' || !json.Valid(l) {
				t.Fatalf("%s: not a whole line: %q", path, l)
			}
		}
		log, _, _ := strings.Cut(filepath.Base(path), ".")
		all[log] = append(all[log], text...) // rotated ones sort first
	}
	return all
}

func fates(t *testing.T, text []byte) (all []fate) {
	t.Helper()
	for l := range bytes.Lines(text) {
		var f fate
		if err := json.Unmarshal(l, &f); err != nil {
			t.Fatalf("spool.log: %v: %s", err, l)
		}
		all = append(all, f)
	}
	return all
}

// wantSameLogs compares the logs that must be identical.
func wantSameLogs(t *testing.T, want, got output) {
	t.Helper()
	for _, name := range identical {
		if !bytes.Equal(want.logs[name], got.logs[name]) {
			t.Errorf("%s.log differs:\n%s", name, firstDifference(want.logs[name], got.logs[name]))
		}
	}
}

// firstDifference shows the first line in which two texts differ, around the
// place where it does.
func firstDifference(want, got []byte) string {
	for n := 1; ; n++ {
		w, restW, _ := bytes.Cut(want, []byte("\n"))
		g, restG, _ := bytes.Cut(got, []byte("\n"))
		if !bytes.Equal(w, g) || len(want) == 0 || len(got) == 0 {
			at := 0
			for at < min(len(w), len(g)) && w[at] == g[at] {
				at++
			}
			return fmt.Sprintf("line %d, byte %d\nwant %s\ngot  %s", n, at, around(w, at), around(g, at))
		}
		want, got = restW, restG
	}
}

// around is a line, or the beginning of it and what is near the byte at.
func around(line []byte, at int) string {
	if len(line) <= 800 {
		return string(line)
	}
	from := max(100, at-100)
	return fmt.Sprintf("%s … %s …", line[:100], line[min(from, len(line)):min(from+300, len(line))])
}

// wantSameFates compares spool.log of two runs over the very same files: equal
// as sets, but for the wall clock.
func wantSameFates(t *testing.T, want, got output) {
	t.Helper()
	w, g := setOf(want.spool, nil), setOf(got.spool, nil)
	if !slices.Equal(w, g) {
		t.Errorf("spool.log differs:\n%s", firstDifference([]byte(strings.Join(w, "\n")), []byte(strings.Join(g, "\n"))))
	}
}

// setOf is the lines without the wall clock, and without what blank clears, sorted.
func setOf(all []fate, blank func(*fate)) (lines []string) {
	for _, f := range all {
		f.TS = 0
		if blank != nil {
			blank(&f)
		}
		b, _ := json.Marshal(f)
		lines = append(lines, string(b))
	}
	slices.Sort(lines)
	return lines
}

// books is what the lines of spool.log sum up to: the same however a capture is
// cut.
type books struct {
	Packets, Bytes, Late  uint64
	Handled, HandledBytes uint64
	Dropped, DroppedBytes map[string]uint64
	First, Last           *float64
	Failed                int
}

func booksOf(all []fate) books {
	b := books{Dropped: map[string]uint64{}, DroppedBytes: map[string]uint64{}}
	for _, f := range all {
		b.Packets, b.Bytes, b.Late = b.Packets+f.Packets, b.Bytes+f.Bytes, b.Late+f.Late
		b.Handled, b.HandledBytes = b.Handled+f.Handled, b.HandledBytes+f.HandledBytes
		for name, n := range f.Dropped {
			b.Dropped[name] += n
			b.DroppedBytes[name] += f.DroppedBytes[name]
		}
		if f.Packets > 0 && (b.First == nil || f.FirstTS < *b.First) {
			b.First = &f.FirstTS
		}
		if f.Packets > 0 && (b.Last == nil || f.LastTS > *b.Last) {
			b.Last = &f.LastTS
		}
		if f.Outcome != "done" {
			b.Failed++
		}
	}
	return b
}

func wantSameBooks(t *testing.T, want, got output) {
	t.Helper()
	w, _ := json.Marshal(booksOf(want.spool))
	g, _ := json.Marshal(booksOf(got.spool))
	if !bytes.Equal(w, g) {
		t.Errorf("the books differ:\nwant %s\ngot  %s", w, g)
	}
	if want.sum.Conns != got.sum.Conns {
		t.Errorf("the summaries differ:\nwant %+v\ngot  %+v", want.sum, got.sum)
	}
}
