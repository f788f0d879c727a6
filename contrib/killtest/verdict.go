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

	analysis "pcapdir/analysis/logs"
	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// verdict holds the end against what is promised.
func (t *trial) verdict() error {
	err := errors.Join(t.places(), t.books(), t.leftovers())
	rotated := 0
	for _, log := range logs {
		files, failed := analysis.Files(t.rig.Log(), log)
		rotated += max(0, len(files)-1)
		err = errors.Join(err, failed, t.whole(log))
	}
	if err != nil {
		return err
	}
	if err := t.compare(); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%d kills and stops at random instants, %d at each of %d steps of the commit; %d outages that were endured, and others with a kill; %d files, %d rotations of logs: all logs are as without them, each file is in one place and logged once, no packet is missing from the books, no line was torn or changed, no state is left\n",
		t.kills, t.steps, len(steps), t.endured, t.files, rotated)
	return nil
}

// places says whether each file is in exactly one place.
func (t *trial) places() error {
	found := map[string]int{}
	for _, dir := range []string{"in", "done", "failed"} {
		names, err := filepath.Glob(t.rig.Path("spool", dir, "*"))
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
	text, err := textOf(t.rig.Log(), "spool")
	if err != nil {
		return err
	}
	err = eachLine(text, func(text []byte) error {
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
func (t *trial) whole(log string) error {
	text, err := textOf(t.rig.Log(), log)
	if err == nil {
		err = eachLine(text, isLine)
	}
	if err != nil {
		return fmt.Errorf("%s.log: %w", log, err)
	}
	return nil
}

func isLine(text []byte) error {
	if !json.Valid(text) || !bytes.HasSuffix(text, []byte("\n")) {
		return fmt.Errorf("%q is no line of JSON", text)
	}
	return nil
}

func eachLine(text []byte, do func(text []byte) error) error {
	for line := range bytes.Lines(text) {
		if err := do(line); err != nil {
			return err
		}
	}
	return nil
}

// textOf is what all files of a log in dir hold.
func textOf(dir, log string) (text []byte, err error) {
	files, err := analysis.Files(dir, log)
	for _, path := range files {
		packed, failed := os.ReadFile(path)
		if failed != nil {
			return nil, errors.Join(err, failed)
		}
		plain, failed := analysis.Unpack(path, bytes.NewReader(packed))
		if failed != nil {
			return nil, errors.Join(err, failed)
		}
		more, failed := io.ReadAll(plain)
		text, err = append(text, more...), errors.Join(err, failed)
	}
	return text, err
}

// leftovers says whether the state directory holds what no run needs.
func (t *trial) leftovers() error {
	names, err := filepath.Glob(t.rig.Path("state", "*-*"))
	for _, name := range names {
		if filepath.Base(name) != "hash-seed" {
			err = errors.Join(err, fmt.Errorf("%s is left", name))
		}
	}
	return err
}

// compare holds the logs against those of a run over the same files without a kill.
func (t *trial) compare() error {
	cfg := config.Default()
	cfg.Logs.Dir = t.rig.Path("undisturbed")
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	if _, err := pipeline.Read(context.Background(), pipeline.Options{Config: cfg, Log: quiet}, []string{t.rig.Path("spool", "done")}); err != nil {
		return err
	}
	var errs []error
	for _, log := range logs {
		if log != "spool" {
			errs = append(errs, t.same(log, cfg.Logs.Dir))
		}
	}
	return errors.Join(errs...)
}

// same says whether a log is that of the undisturbed run, or what is the first
// difference and how many lines differ in all.
func (t *trial) same(log, undisturbed string) error {
	got, err := textOf(t.rig.Log(), log)
	if err != nil {
		return err
	}
	want, err := textOf(undisturbed, log)
	if err != nil || bytes.Equal(got, want) {
		return err
	}
	count := map[string]int{}
	for line := range bytes.Lines(want) {
		count[string(line)]++
	}
	more, all := 0, 0
	for line := range bytes.Lines(got) {
		if all++; count[string(line)] == 0 {
			more++
		} else {
			count[string(line)]--
		}
	}
	missing := 0
	for _, n := range count {
		missing += n
	}
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	n := 0
	for n < min(len(g), len(w))-1 && bytes.Equal(g[n], w[n]) {
		n++
	}
	return fmt.Errorf("%s.log: %d lines are missing, %d of %d are wrong or twice; line %d is\n%s\nand without a kill\n%s", log, missing, more, all, n+1, g[n], w[n])
}
