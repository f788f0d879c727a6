package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pcapdir/daemon/pipeline"
)

const readHelp = `Read a closed set of captures in exact time order, write the logs, and exit.

A PATH is a file, a directory with all below it, a manifest (*.manifest: paths of
captures, one a line, or each ended by a NUL; relative ones are taken from its
directory), a pipe, or - for standard input. A symbolic link is followed where it is
named, not where it is found below a directory. The files are left as they are.
A copy of another file is not read (spool.duplicates). Lines are appended to the logs in the
log directory, which nobody else may be writing: give an empty one for logs of this
run alone.

The exit code is 0 when all went well, 1 when some file could not be read to its
end (what was readable is in the logs, spool.log says why), 2 when the command
line or the configuration is at fault.`

func newRead(s Streams) *cobra.Command {
	var flags settings
	var dir string
	var quiet bool
	c := &cobra.Command{
		Use:   "read [flags] PATH...",
		Short: "read captures once, in exact order",
		Long:  readHelp,
		Example: `  pcapdird read --log-dir logs captures/ more.pcap.gz
  tcpdump -w - -c 1000 | pcapdird read --log-dir logs -
  pcapdird read --log-dir logs new.pcap <(unrar p -inul old.rar)
  pcapdird read --set order.inside=file --log-dir logs trace.pcap   # as Zeek does`,
		Args: somePaths("capture file or directory, or - for standard input"),
		RunE: func(c *cobra.Command, paths []string) error {
			return readBatch(c.Context(), s, &flags, dir, quiet, paths)
		},
	}
	flags.register(c)
	c.Flags().StringVar(&dir, "log-dir", ".", "`DIR` for the logs, made where it is missing")
	c.Flags().BoolVar(&quiet, "quiet", false, "no summary; errors only")
	return c
}

func readBatch(ctx context.Context, s Streams, flags *settings, dir string, quiet bool, paths []string) error {
	if dir == "" {
		return usageError{errors.New("--log-dir is empty, as an unset variable makes it; for this directory say .")}
	}
	if slices.ContainsFunc(flags.set, func(s string) bool { return strings.HasPrefix(s, "logs.dir=") }) {
		return usageError{errors.New("--set logs.dir has no effect on read, whose logs must not get among those of a daemon: use --log-dir")}
	}
	cfg, err := flags.load()
	if err != nil {
		return err
	}
	cfg.Logs.Dir = dir
	if !quiet {
		noteExisting(s.Err, dir)
	}
	log := newLog(s.Err, slog.LevelWarn, false)
	boundMemory(cfg)
	options := pipeline.Options{Config: cfg, Log: log, Input: s.In}
	bar := newProgress(s.Err, true)
	if !quiet {
		options.Progress = func(p pipeline.Progress) {
			bar.show(p.Bytes, p.AllBytes, fmt.Sprintf("%d of %d files, %.1f M packets", p.Files, p.AllFiles, float64(p.Packets)/1e6))
		}
	}
	sum, err := pipeline.Read(ctx, options, paths)
	bar.end()
	if err != nil && !errors.Is(err, pipeline.ErrFailedFiles) {
		return err
	}
	for _, f := range sum.Failures {
		_, _ = fmt.Fprintf(s.Err, "pcapdird: %q failed: %s\n", f.Path, f.Reason)
	}
	if more := int(sum.Failed) - len(sum.Failures); more > 0 {
		_, _ = fmt.Fprintf(s.Err, "pcapdird: and %d more, each with its reason in %s\n", more, filepath.Join(dir, "spool.log"))
	}
	if !quiet {
		printSummary(s.Err, sum, dir)
	}
	return err
}

// noteExisting says when lines will follow those of another run.
func noteExisting(w io.Writer, dir string) {
	if _, err := os.Stat(filepath.Join(dir, "conn.log")); err == nil {
		_, _ = fmt.Fprintf(w, "pcapdird: %s has logs already; lines are appended to them\n", dir)
	}
}
