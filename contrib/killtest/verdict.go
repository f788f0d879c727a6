package main

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
	"strings"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// verdict holds the end against what is promised.
func (t *trial) verdict() error {
	err := errors.Join(t.places(), t.books())
	for _, r := range t.readers {
		err = errors.Join(err, r.whole())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%d kills, %d files: each is in one place and logged once, no packet is missing from the books, no line was torn or changed\n", t.kills, t.files)
	return t.compare()
}

// places says whether each file is in exactly one place.
func (t *trial) places() error {
	found := map[string]int{}
	for _, dir := range []string{"in", "done", "failed"} {
		names, err := filepath.Glob(t.rig.Path(dir, "*"))
		if err != nil {
			return err
		}
		for _, name := range names {
			found[filepath.Base(name)]++
		}
	}
	for n := 1; n <= t.files; n++ {
		if found[t.name(n)] != 1 {
			return fmt.Errorf("%s is in %d places", t.name(n), found[t.name(n)])
		}
	}
	if len(found) != t.files {
		return fmt.Errorf("%d files where %d were deposited", len(found), t.files)
	}
	return nil
}

// books says whether spool.log has each file once, with all its packets.
func (t *trial) books() error {
	logged := map[string]int{}
	packets := 0
	err := eachLine(t.rig.Path("logs", "spool.log"), func(text []byte) error {
		var line struct {
			File    string `json:"file"`
			Packets int    `json:"packets"`
			Outcome string `json:"outcome"`
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return err
		}
		if line.Outcome != "done" {
			return fmt.Errorf("%s is %s", line.File, line.Outcome)
		}
		logged[line.File]++
		packets += line.Packets
		return nil
	})
	for name, n := range logged {
		if n != 1 {
			err = errors.Join(err, fmt.Errorf("spool.log has %s %d times", name, n))
		}
	}
	if err == nil && (len(logged) != t.files || packets != t.files*t.packets) {
		err = fmt.Errorf("spool.log has %d files of %d, %d packets of %d", len(logged), t.files, packets, t.files*t.packets)
	}
	return err
}

// whole says whether a log consists of whole lines.
func (r *reader) whole() error {
	err := eachLine(r.path, func(text []byte) error {
		if !json.Valid(text) {
			return fmt.Errorf("%q is no JSON", text)
		}
		return nil
	})
	if err == nil && len(r.seen) > 0 && r.seen[len(r.seen)-1] != '\n' {
		err = errors.New("the last line has no end")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(r.path), err)
	}
	return nil
}

func eachLine(path string, do func(text []byte) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if err := do(line); err != nil {
			return err
		}
	}
	return nil
}

// compare measures what is not promised yet: conn.log against that of a run over the
// same files without a kill.
func (t *trial) compare() error {
	want, err := t.undisturbed()
	if err != nil {
		return err
	}
	got, err := countLines(t.rig.Path("logs", "conn.log"))
	if err != nil {
		return err
	}
	var same, missing, more int
	for line, n := range want {
		same += min(n, got[line])
		missing += max(0, n-got[line])
	}
	for line, n := range got {
		more += max(0, n-want[line])
	}
	fmt.Fprintf(t.out, "conn.log: %d lines as without a kill, %d missing, %d more (state does not survive a kill yet)\n", same, missing, more)
	return nil
}

// undisturbed reads all files in one go.
func (t *trial) undisturbed() (map[string]int, error) {
	cfg := config.Default()
	cfg.Logs.Dir = t.rig.Path("undisturbed")
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	if _, err := pipeline.Read(context.Background(), pipeline.Options{Config: cfg, Log: quiet}, []string{t.rig.Path("done")}); err != nil {
		return nil, err
	}
	return countLines(filepath.Join(cfg.Logs.Dir, "conn.log"))
}

func countLines(path string) (map[string]int, error) {
	lines := map[string]int{}
	return lines, eachLine(path, func(text []byte) error {
		lines[strings.TrimSpace(string(text))]++
		return nil
	})
}
