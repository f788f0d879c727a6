package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// body is a file of Zeek's TSV without its header, which stands at the beginning
// and nowhere else.
func body(t *testing.T, path string) []byte {
	t.Helper()
	text := readFile(t, path)
	if !bytes.HasPrefix(text, []byte("#separator")) {
		t.Errorf("%s begins without a header: %.60q", path, text)
	}
	at := bytes.LastIndex(text, []byte("\n#types\t"))
	end := at + 1 + bytes.IndexByte(text[at+1:], '\n') + 1
	if n := bytes.Count(text, []byte("#separator")); n != 1 {
		t.Errorf("%s has %d headers", path, n)
	}
	return text[end:]
}

// The rows are those of the JSON, in a batch and in a daemon over two lives, with
// one header for each file.
func TestTSV(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	path := c.write(t, t.TempDir(), "all")
	want := newJob(t).read(t, path)
	rows := func(log string) []byte {
		return logs.NewEncoder(logs.TSV).Encode(log, want.logs[log], false, time.Time{})
	}
	j := newJob(t)
	j.cfg.Logs.Format = config.FormatTSV
	if _, err := pipeline.Read(context.Background(), pipeline.Options{Config: j.cfg, Log: slog.New(slog.DiscardHandler)}, []string{path}); err != nil {
		t.Fatal(err)
	}
	for _, log := range []string{"conn", "weird", "kmeans"} {
		if got := body(t, filepath.Join(j.cfg.Logs.Dir, log+".log")); !bytes.Equal(got, rows(log)) || len(got) == 0 {
			t.Errorf("%s.log:\n%s", log, firstDifference(rows(log), got))
		}
	}
	body(t, filepath.Join(j.cfg.Logs.Dir, "stats.log"))
	body(t, filepath.Join(j.cfg.Logs.Dir, "coverage.log"))

	cfg := site(newRoot(t))
	cfg.Logs.Format = config.FormatTSV
	parts := c.cut(2, true, newRand(8))
	for i, p := range parts {
		d := start(t, cfg)
		d.mv(t, string(rune('a'+i)), formOf(p).encode(t, p))
		name := filepath.Join(d.root, "done", string(rune('a'+i)))
		d.until(t, "it is done", func() bool { _, err := os.Lstat(name); return err == nil })
		d.stop()
		<-d.ended
	}
	if got := bytes.Count(body(t, filepath.Join(cfg.Logs.Dir, "spool.log")), []byte("\n")); got != 2 {
		t.Errorf("%d rows in spool.log", got)
	}
	body(t, filepath.Join(cfg.Logs.Dir, "conn.log"))
}

// No file has two forms: where another one is configured, the next line begins a new file,
// and a batch, which leaves files as they are, refuses.
func TestFormsAreNotMixed(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	cfg := site(newRoot(t))
	for i, p := range c.cut(2, true, newRand(8)) {
		if i == 0 {
			cfg.Logs.Format = config.FormatTSV
		} else {
			cfg.Logs.Format = config.FormatJSON
		}
		name := string(rune('a' + i))
		d := startAs(t, pipeline.Options{Config: cfg, Flush: true})
		d.mv(t, name, formOf(p).encode(t, p))
		d.until(t, "it is done", func() bool { _, err := os.Lstat(filepath.Join(d.root, "done", name)); return err == nil })
		d.stop()
		<-d.ended
	}
	for _, log := range []string{"conn", "spool", "stats"} {
		now := readFile(t, filepath.Join(cfg.Logs.Dir, log+".log"))
		old, err := filepath.Glob(filepath.Join(cfg.Logs.Dir, log+".2*.log"))
		if err != nil || len(old) != 1 {
			t.Fatalf("%s: %q, %v", log, old, err)
		}
		before := readFile(t, old[0])
		if now[0] != '{' || bytes.Contains(now, []byte("#fields")) || before[0] != '#' || bytes.Contains(before, []byte("\n{")) {
			t.Errorf("%s.log begins with %.40q, what was before with %.40q", log, now, before)
		}
	}
	cfg.Logs.Format = config.FormatTSV
	_, err := pipeline.Read(t.Context(), pipeline.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, nil)
	if !errors.Is(err, pipeline.ErrConfig) {
		t.Errorf("a batch in another form than what is there: %v", err)
	}
}

// With times as text the logs are those with numbers, in a batch and after a flush of a
// daemon.
func TestTimesAsText(t *testing.T) {
	c := loadCapture(t, "golden/cases.pcap.gz").sorted()
	path := c.write(t, t.TempDir(), "all")
	want := newJob(t).read(t, path)
	j := newJob(t)
	j.cfg.Logs.TS = config.TimesISO8601
	if _, err := pipeline.Read(context.Background(), pipeline.Options{Config: j.cfg, Log: slog.New(slog.DiscardHandler)}, []string{path}); err != nil {
		t.Fatal(err)
	}
	for _, log := range []string{"conn", "open_conn", "weird", "kmeans"} {
		text := logs.NewEncoder(logs.JSONDate).Encode(log, want.logs[log], false, time.Time{})
		if got := readFile(t, filepath.Join(j.cfg.Logs.Dir, log+".log")); !bytes.Equal(got, text) || !bytes.HasPrefix(got, []byte(`{"ts":"20`)) {
			t.Errorf("%s.log:\n%s", log, firstDifference(text, got))
		}
	}
}
