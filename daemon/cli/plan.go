package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/daemon/plan"
	"pcapdir/source/coverage"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

const planHelp = `Say what a backlog holds before anything of it is run, and change nothing.

A PATH is what read takes, but for standard input. The answer has files, bytes and
packets, the time that each directory covers, with gaps and overlaps, how many
files have to be open at once, formats and link types, what will be refused and
why, and what a run will cost.

The ends of each file are read, and all of small ones (up to 1 MiB). For larger
ones packets are estimated from the first megabyte, and the last stamp is found
from the end; of compressed and damaged ones it is not known unless --full reads
all files, which takes as long as reading them does.

The exit code is 0, or 1 when something will be refused or set aside.`

// errRefused says that some files will not be read, which the output has told.
var errRefused = fmt.Errorf("%w: see above", pipeline.ErrFailedFiles)

func newPlan(s Streams) *cobra.Command {
	var flags settings
	var asJSON, full bool
	c := &cobra.Command{
		Use:     "plan [flags] PATH...",
		Short:   "what a backlog holds, before it is run",
		Long:    planHelp,
		Example: "  pcapdird plan /var/spool/pcapdir/incoming\n  pcapdird plan --json --full captures/ | jq .refused",
		Args: func(c *cobra.Command, args []string) error {
			if slices.Contains(args, "-") {
				return errors.New("standard input can be read once only: name files or directories")
			}
			return somePaths("capture file or directory")(c, args)
		},
		RunE: func(c *cobra.Command, paths []string) error {
			cfg, err := flags.load()
			if err != nil {
				return err
			}
			p, err := makePlan(c.Context(), s, cfg, full, paths)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(s.Out).Encode(p)
			} else {
				printPlan(s.Out, p)
			}
			if err == nil && len(p.Refused) > 0 {
				err = errRefused
			}
			return err
		},
	}
	flags.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for programs")
	c.Flags().BoolVar(&full, "full", false, "read every file to its end: exact packets and spans")
	return c
}

func makePlan(ctx context.Context, s Streams, cfg *config.Config, full bool, paths []string) (*plan.Plan, error) {
	d := spool.NewDescriptors(spool.OS{}, pipeline.OpenFiles(cfg.Limits.OpenFiles))
	d.TakeTurns(cfg.Spool.Streams)
	bar := newProgress(s.Err, false)
	defer bar.end()
	return plan.Make(ctx, plan.Options{
		Files: d, Window: cfg.Order.Window, Copies: cfg.Spool.Duplicates == config.DuplicatesRead,
		Full: full, Shards: pipeline.ShardCount(cfg), Progress: func(done, all int) { bar.show(int64(done), int64(all), "") },
	}, paths)
}

// most is how many lines of one kind people are shown.
const most = 20

func printPlan(w io.Writer, p *plan.Plan) {
	about := "about "
	if p.Exact {
		about = ""
	}
	say(w, "files", "%d, %s on disk, %s%d packets", p.Files, size(p.Bytes), about, p.Packets)
	for _, k := range p.Kinds {
		name := k.Format
		if k.Compression != "" {
			name += ", " + k.Compression
		}
		say(w, "", "%d %s, %s", k.Files, name, size(k.Bytes))
	}
	printCounts(w, p)
	if len(p.Sources) > 0 {
		say(w, "time", "%s to %s (%s)", clockTime(p.FirstTS), clockTime(p.LastTS), span(p.LastTS-p.FirstTS))
		least := ""
		if p.OpenEnds > 0 {
			say(w, "", "of %d files the end is not known (--full reads them): there may be fewer gaps, and more overlap", p.OpenEnds)
			least = "at least "
		}
		say(w, "overlap", "%s%d files of one instant; %d may be open at once", least, p.Depth, p.Limit)
		if len(p.Sources) > 1 || p.Sources[0].Gaps > 0 {
			printSources(w, p)
		}
	}
	for _, l := range p.Links {
		note := ""
		if !l.Decoded {
			note = " (not decoded)"
		}
		say(w, "link type", "%s: %d files%s", l.Name, l.Files, note)
	}
	printFiles(w, "set aside", p.Refused)
	printFiles(w, "odd clock", p.Suspect)
	e := p.Estimate
	say(w, "a run", "about %s and %s", span(e.Seconds), size(e.Memory))
	say(w, "", "(%s)", e.Basis)
}

func printCounts(w io.Writer, p *plan.Plan) {
	if p.Duplicates > 0 {
		say(w, "", "copies of others, not read: %d", p.Duplicates)
	}
	if p.Empty > 0 {
		say(w, "", "captures without packets: %d", p.Empty)
	}
}

// printSources draws when each directory has captures.
func printSources(w io.Writer, p *plan.Plan) {
	say(w, "coverage", "# captures, + some, . none")
	for i, s := range p.Sources {
		if i == most {
			say(w, "", "and %d directories more (--json has all)", len(p.Sources)-most)
			break
		}
		name := s.Name
		if name == "" {
			name = "."
		}
		_, _ = fmt.Fprintf(w, "%s %s  %s\n", strings.Repeat(" ", 10), picture(&s.Cover, p.FirstTS, p.LastTS), quoted(name))
		say(w, "", "%d files, %s covered, %d gaps of %s in all, overlaps of %s", s.Files, span(s.Covered), s.Gaps, span(s.Missing), span(s.Overlap))
		for _, g := range s.Longest[:min(3, len(s.Longest))] {
			say(w, "", "  gap from %s to %s (%s)", clockTime(g.FromTS), clockTime(g.ToTS), span(g.ToTS-g.FromTS))
		}
	}
}

// columns is the width of a picture of coverage.
const columns = 60

// picture is the time from first to last, a character for each part of it.
func picture(s *coverage.Set, first, last float64) string {
	line := []byte(strings.Repeat(".", columns))
	part := max((last-first)/columns, 1e-9)
	covered := make([]float64, columns)
	for _, a := range s.Spans() {
		from, to := (a.From.Seconds()-first)/part, (a.To.Seconds()-first)/part
		for i := max(0, int(from)); i < columns && float64(i) <= to; i++ {
			covered[i] += max(0, min(to, float64(i+1))-max(from, float64(i)))
			line[i] = '+'
		}
	}
	for i, c := range covered {
		if c > 0.99 {
			line[i] = '#'
		}
	}
	return string(line)
}

// printFiles tells of files, those with one reason together.
func printFiles(w io.Writer, what string, files []plan.File) {
	byReason := map[string][]plan.File{}
	var reasons []string
	for _, f := range files {
		if byReason[f.Reason] == nil {
			reasons = append(reasons, f.Reason)
		}
		byReason[f.Reason] = append(byReason[f.Reason], f)
	}
	for i, reason := range reasons {
		if i == most {
			say(w, "", "and for %d reasons more (--json has all)", len(reasons)-most)
			break
		}
		alike := byReason[reason]
		if len(alike) == 1 {
			say(w, what, "%s: %s", quoted(alike[0].Path), reason)
		} else {
			say(w, what, "%d files, as %s: %s", len(alike), quoted(alike[0].Path), reason)
		}
	}
}

// say prints a line of a table of two columns.
func say(w io.Writer, name, format string, values ...any) {
	_, _ = fmt.Fprintf(w, "%-10s %s\n", name, fmt.Sprintf(format, values...))
}

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n)/unit, 0
	for value >= unit && prefix < 5 {
		value, prefix = value/unit, prefix+1
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPE"[prefix])
}

// span is a length of time for people.
func span(seconds float64) string {
	d := time.Duration(min(seconds, 1e9) * float64(time.Second))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

func clockTime(seconds float64) string { return packet.Time(seconds * 1e9).UTC() }
