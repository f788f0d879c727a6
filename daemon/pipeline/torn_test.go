package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pcapdir/daemon/pipeline"
	"pcapdir/source/spool"
)

// Half a line that a full disk or a killed batch has left in a log takes no other with
// it: all that come after are whole, in a batch and in a daemon, in every log.
func TestHalfALineTakesNoOther(t *testing.T) {
	const half = `{"half":`
	micro := filepath.Join(testdata, "containers/micro.pcap")
	tear := func(dir string) {
		for _, log := range []string{"conn", "spool", "stats"} {
			writeFile(t, filepath.Join(dir, log+".log"), []byte(half))
		}
	}
	want := lines(newJob(t).read(t, micro).logs["conn"])
	check := func(how, dir string) {
		t.Helper()
		for _, log := range []string{"conn", "spool", "stats"} {
			text := readFile(t, filepath.Join(dir, log+".log"))
			rest, ok := bytes.CutPrefix(text, []byte(half+"\n"))
			if !ok || len(rest) == 0 {
				t.Fatalf("%s: %s.log begins with %q", how, log, text[:min(len(text), 80)])
			}
			if n := len(lines(rest)); log == "conn" && n != len(want) {
				t.Errorf("%s: %d lines in conn.log, want %d", how, n, len(want))
			}
			for l := range bytes.Lines(rest) {
				if !json.Valid(l) {
					t.Errorf("%s: %s.log has %q", how, log, l)
				}
			}
		}
	}
	j := newJob(t)
	if err := (spool.OS{}).MkdirAll(j.cfg.Logs.Dir); err != nil {
		t.Fatal(err)
	}
	tear(j.cfg.Logs.Dir)
	if _, err := pipeline.Read(t.Context(), pipeline.Options{Config: j.cfg, Log: slog.New(slog.DiscardHandler)}, []string{micro}); err != nil {
		t.Fatal(err)
	}
	check("read", j.cfg.Logs.Dir)

	cfg := site(newRoot(t))
	if err := (spool.OS{}).MkdirAll(cfg.Logs.Dir); err != nil {
		t.Fatal(err)
	}
	tear(cfg.Logs.Dir)
	spooled := writeFile(t, filepath.Join(filepath.Dir(cfg.Logs.Dir), "a"), readFile(t, micro))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- pipeline.Run(ctx, pipeline.Options{Config: cfg, Flush: true, Log: slog.New(slog.DiscardHandler), Ready: func() {
			if err := os.Rename(spooled, filepath.Join(cfg.Spool.Dirs[0], "a")); err != nil {
				t.Error(err)
			}
		}})
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(cfg.Spool.Done, "a")); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	check("run", cfg.Logs.Dir)
}
