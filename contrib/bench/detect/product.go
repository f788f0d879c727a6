package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// everything are the settings with which no incident and no conversation is
// left out of the logs.
var everything = []string{"anomaly.lines=10000", "anomaly.mute=0s", "vectors.sample=1048576", "vectors.full=true"}

// window is one report's stretch of time.
type window struct {
	TS     float64 `json:"ts"`     // its end, seconds since 1970
	Length float64 `json:"window"` // seconds
}

// incident is what is needed of a line of anomaly.log.
type incident struct {
	window
	Rank     int        `json:"rank"`
	Label    string     `json:"label"`
	Actor    netip.Addr `json:"actor"`
	Orig     netip.Addr `json:"id.orig_h"`
	Resp     netip.Addr `json:"id.resp_h"`
	Score    float64    `json:"score"`
	Baseline string     `json:"baseline"`
}

// row is what is needed of a line of vectors.log.
type row struct {
	window
	Actor    netip.Addr         `json:"actor"`
	Orig     netip.Addr         `json:"id.orig_h"`
	Resp     netip.Addr         `json:"id.resp_h"`
	Service  string             `json:"service"`
	Scored   bool               `json:"scored"`
	Score    float64            `json:"score"`
	Features map[string]float64 `json:"features"`
}

// outcome is what the product made of some captures.
type outcome struct {
	packets     uint64
	first, last float64  // packets, seconds since 1970
	reports     []window // one for each line of kmeans.log
	incidents   []incident
	rows        []row
}

// run reads captures as `pcapdird read` does, with the default configuration but
// for some settings, and takes the logs in.
func run(ctx context.Context, captures []string, settings ...string) (_ *outcome, err error) {
	cfg := config.Default()
	if err := cfg.Set(settings); err != nil {
		return nil, err
	}
	cfg.Logs.Dir, err = os.MkdirTemp("", "pcapdir-detect-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cfg.Logs.Dir)) }()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	sum, err := pipeline.Read(ctx, pipeline.Options{Config: cfg, Log: quiet}, captures)
	if err != nil {
		return nil, err
	}
	o := &outcome{packets: sum.Books.Read.Packets, first: sum.First.Seconds(), last: sum.Last.Seconds()}
	if o.reports, err = readLog[window](cfg.Logs.Dir, "kmeans"); err != nil {
		return nil, err
	}
	if o.incidents, err = readLog[incident](cfg.Logs.Dir, "anomaly"); err != nil {
		return nil, err
	}
	o.rows, err = readLog[row](cfg.Logs.Dir, "vectors")
	return o, err
}

// readLog reads the lines of a log; a log that was not written has none.
func readLog[T any](dir, log string) ([]T, error) {
	file, err := os.Open(filepath.Join(dir, log+".log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // opened for reading
	var lines []T
	for r := bufio.NewReader(file); ; {
		text, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(text)) > 0 {
			var line T
			if err := json.Unmarshal(text, &line); err != nil {
				return nil, fmt.Errorf("%s.log: %w", log, err)
			}
			lines = append(lines, line)
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// available says whether the product knows a mode of vectors.features.
func available(mode string) bool {
	return config.Default().Set([]string{featuresOf(mode)}) == nil
}

func featuresOf(mode string) string { return "vectors.features=" + mode }

// windowName is a length in seconds as the configuration has it: 1m, 30s.
func windowName(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
