package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pcapdir/daemon/pipeline"
	"pcapdir/daemon/status"
)

// standIn answers at a control socket as a daemon would.
func standIn(t *testing.T, path string, ops ...status.Operation) {
	t.Helper()
	l, err := status.ListenControl(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- status.ServeControl(ctx, l, slog.New(slog.DiscardHandler), ops) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestControlCommands(t *testing.T) {
	dir := t.TempDir()
	where := "--set=commit.dir=" + dir
	run(t.Context(), nil, "status", where).want(t, 1, "no pcapdird answers at "+filepath.Join(dir, "control.sock"))
	run(t.Context(), nil, "requeue", where).want(t, 2, "name at least one file")
	run(t.Context(), nil, "seal", "x", where).want(t, 2)
	r := pipeline.Report{
		PID: 7, Since: time.Unix(1e9, 0), Paused: true, Held: 3, LoggedUpTo: "2026-01-01T00:00:00Z", CommitError: "disk full", BookErrors: 2,
		CatchingUp: true, Oldest: 90, Problems: []pipeline.Problem{{Path: "/in/\x1b[2J", Reason: "permission denied", Since: time.Unix(2e9, 0)}},
	}
	r.WaitsFor = []string{"/in/\x1bempty"}
	r.Books.Live.Read.Count(60)
	r.Books.Live.Handled.Count(60)
	r.Books.CatchUp.Read.Count(40)
	r.Books.CatchUp.Dropped[1].Count(40)
	var asked string
	var reloaded pipeline.Reloaded
	var refuse error
	standIn(t, filepath.Join(dir, "control.sock"),
		status.Operation{Name: "status", Do: func(context.Context, string) (any, error) { return r, nil }},
		status.Operation{Name: "flush", Do: func(context.Context, string) (any, error) { return pipeline.Sealed{}, nil }},
		status.Operation{Name: "reload", Do: func(context.Context, string) (any, error) { return reloaded, refuse }},
		status.Operation{Name: "requeue", Do: func(_ context.Context, path string) (any, error) {
			if asked = path; filepath.Base(path) == "bad" {
				return nil, errors.New("no such file")
			}
			return pipeline.Requeued{Path: "/in/x"}, nil
		}},
	)
	run(t.Context(), nil, "status", where).want(t, 0,
		"paused", "pid 7", "2001-09-09T01:46:40Z", "3 held back", "waited for 1m30s", "up to 2026-01-01T00:00:00Z", "catching up", `"/in/\x1bempty": what may still come`,
		"2 packets (100 bytes) read = 1 handled + 1 dropped", "WRONG", "commits wait: disk full", "did not balance 2 times",
		`"/in/\x1b[2J": permission denied, since 2033-05-18T03:33:20Z`)
	var back pipeline.Report
	if err := json.Unmarshal([]byte(run(t.Context(), nil, "status", "--json", where).out), &back); err != nil || back.Books != r.Books || back.PID != 7 {
		t.Errorf("%v: %+v", err, back)
	}
	run(t.Context(), nil, "flush", where).want(t, 0, "nothing was read yet")
	run(t.Context(), nil, "reload", where).want(t, 0, "nothing has changed")
	reloaded = pipeline.Reloaded{Taken: []string{`logs.rotate = "24h"`}, Waiting: []string{"shards.count", "conn.vlan"}}
	run(t.Context(), nil, "reload", where).want(t, 0, `now: logs.rotate = "24h"`, "from the next start on: shards.count, conn.vlan")
	refuse = errors.New("line 3: a typing error")
	run(t.Context(), nil, "reload", where).want(t, 2, "line 3: a typing error")
	run(t.Context(), nil, "requeue", "failed/x", where).want(t, 0, "/in/x\n")
	if !filepath.IsAbs(asked) {
		t.Errorf("asked to requeue %s", asked)
	}
	run(t.Context(), nil, "requeue", "bad", "failed/x", where).want(t, 1, "requeue bad: no such file", "/in/x\n")
	run(t.Context(), nil, "pause", where).want(t, 1, "same version")
}
