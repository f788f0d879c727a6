package pipeline_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/daemon/pipeline"
)

// Logs get new files when their time is over, also when nothing comes any more; what
// an earlier life has rotated is packed, and all files together hold each line once.
func TestLogsRotate(t *testing.T) {
	root := newRoot(t)
	cfg := site(root)
	cfg.Logs.Rotate = time.Second
	old := []string{filepath.Join(cfg.Logs.Dir, "conn.2020-01-01-00-00-00.log"), filepath.Join(cfg.Logs.Dir, "conn.2020-01-01-01-00-00.log")}
	if err := os.Mkdir(cfg.Logs.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range old {
		writeFile(t, path, []byte("{}\n"))
	}
	c := loadCapture(t, "golden/cases.pcap.gz")
	d := start(t, cfg)
	rotated := 0
	for _, part := range c.cut(2, true, newRand(1)) {
		name := "part" + strings.Repeat("x", rotated)
		d.mv(t, name, formOf(c).encode(t, part))
		d.until(t, "spool.log is rotated", func() bool {
			files, err := logs.Files(cfg.Logs.Dir, "spool")
			if err != nil {
				t.Fatal(err)
			}
			return len(files) > rotated && filepath.Base(files[rotated]) != "spool.log"
		})
		rotated++
	}
	d.until(t, "an old log is packed", func() bool {
		files, err := logs.Files(cfg.Logs.Dir, "conn")
		if err != nil {
			t.Fatal(err)
		}
		return len(files) > 1 && files[0] == old[0]+logs.PackedSuffix && files[1] == old[1]
	})
	d.quit(t)
	if got := fates(t, readLogs(t, cfg.Logs.Dir)["spool"]); len(got) != 2 {
		t.Errorf("%d files in spool.log, want 2", len(got))
	}
}

// A batch adds to the logs that are there, however large they are.
func TestBatchRotatesNothing(t *testing.T) {
	j := newJob(t)
	j.cfg.Logs.RotateSize = 1 << 10
	path := loadCapture(t, "golden/cases.pcap.gz").write(t, t.TempDir(), "a")
	for range 3 {
		o := pipeline.Options{Config: j.cfg, Log: slog.New(slog.DiscardHandler)}
		if _, err := pipeline.Read(t.Context(), o, []string{path}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range logs.Names {
		if files, err := logs.Files(j.cfg.Logs.Dir, name); err != nil || len(files) > 1 {
			t.Errorf("%s: %q, %v", name, files, err)
		}
	}
	if info, err := os.Stat(filepath.Join(j.cfg.Logs.Dir, "stats.log")); err != nil || info.Size() <= j.cfg.Logs.RotateSize {
		t.Errorf("stats.log did not grow beyond %d bytes: %v", j.cfg.Logs.RotateSize, err)
	}
}
