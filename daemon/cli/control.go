package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
	"pcapdir/daemon/status"
)

const controlHelp = `

The command speaks with the daemon through its control socket (status.control, by
default control.sock in commit.dir): give the configuration that the daemon has.`

// controls are the commands that speak with a running daemon.
func controls(s Streams) []*cobra.Command {
	return []*cobra.Command{
		newStatus(s),
		newReload(s),
		newControl(s, "seal", "take what is there as all there is: exact logs now", `Say that nothing older will come. What lies in the spool is read without being
held back, silent taps are not waited for, and when the command returns the logs
are complete up to the last packet. Connections stay open. A file that comes
later and begins before is late: it joins what is open, or is caught up on.`, printSealed),
		newControl(s, "flush", "seal, and log every open connection", `Seal, and then end every connection as the end of input would, and log it. What
comes later begins anew: a connection that goes on has two records.`, printSealed),
		newControl(s, "pause", "take no further files until resume", `Leave new files in the spool; those that were taken are read to their end. A
restart ends the pause. What has come meanwhile is one closed set at resume: it is
put into one exact order, however long it took to arrive.`, printPaused),
		newControl(s, "resume", "end a pause", `Take what has come during a pause as one closed set. The command returns when all
of it is admitted.`, printPaused),
		newRequeue(s),
	}
}

// newReload is the one whose refusal says that the daemon's configuration is wrong.
func newReload(s Streams) *cobra.Command {
	c := newControl(s, "reload", "have the configuration read anew", `Have a running daemon read its configuration file anew, as SIGHUP does. One with
problems changes nothing, and they are told. These keys hold at once: `+config.Live()+`.
All others hold from the next start on, which goes on with what is open and loses
nothing. What is given here only says where the daemon is: where commit.dir or
status.control has changed, send SIGHUP instead, or start it anew.`, printReloaded)
	ask := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		err := ask(c, args)
		var refused *status.RefusedError
		if errors.As(err, &refused) {
			return usageError{err}
		}
		return err
	}
	return c
}

// newControl makes the command of an operation without an argument, whose answer
// print shows.
func newControl[A any](s Streams, name, short, long string, print func(io.Writer, A)) *cobra.Command {
	var flags settings
	c := &cobra.Command{
		Use: name, Short: short, Long: long + controlHelp, Args: noArgs,
		Example: "  pcapdird " + name + " --config /etc/pcapdir/pcapdir.toml",
		RunE: func(c *cobra.Command, _ []string) error {
			var answer A
			if err := flags.ask(c, name, "", &answer); err != nil {
				return err
			}
			print(s.Out, answer)
			return nil
		},
	}
	flags.register(c)
	return c
}

// ask has the daemon do an operation. ^C ends the wait, not the operation.
func (f *settings) ask(c *cobra.Command, operation, argument string, answer any) error {
	cfg, err := f.load()
	if err != nil {
		return err
	}
	return status.Ask(c.Context(), cfg.ControlPath(), operation, argument, answer)
}

func printSealed(w io.Writer, s pipeline.Sealed) {
	if s.UpTo == "" {
		_, _ = fmt.Fprintln(w, "nothing was read yet")
		return
	}
	_, _ = fmt.Fprintf(w, "the logs are complete up to %s\n", s.UpTo)
}

func printReloaded(w io.Writer, r pipeline.Reloaded) {
	for _, t := range r.Taken {
		_, _ = fmt.Fprintf(w, "now: %s\n", t)
	}
	if len(r.Waiting) > 0 {
		_, _ = fmt.Fprintf(w, "from the next start on: %s\n", strings.Join(r.Waiting, ", "))
	}
	if len(r.Taken)+len(r.Waiting) == 0 {
		_, _ = fmt.Fprintln(w, "nothing has changed")
	}
}

func printPaused(w io.Writer, p pipeline.Paused) {
	if p.Paused {
		_, _ = fmt.Fprintln(w, "paused: files stay in the spool until pcapdird resume")
		return
	}
	_, _ = fmt.Fprintln(w, "running: what had come is admitted")
}

func newRequeue(s Streams) *cobra.Command {
	var flags settings
	c := &cobra.Command{
		Use:   "requeue FILE...",
		Short: "read files again that were put away",
		Long: `Move files from the done or failed directory back into the spool, where they are
read again as if they were new, and remove the reasons beside them. What they had
logged stays in the logs.` + controlHelp,
		Example: "  pcapdird requeue /var/spool/pcapdir/failed/tap1/trace.pcap",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || slices.Contains(args, "") {
				return errors.New("name at least one file in the done or failed directory")
			}
			return nil
		},
		RunE: func(c *cobra.Command, paths []string) error {
			var refused []error
			for _, p := range paths {
				abs, err := filepath.Abs(p) // the daemon's directory is another one
				if err != nil {
					return err
				}
				var to pipeline.Requeued
				err = flags.ask(c, "requeue", abs, &to)
				var one *status.RefusedError // of this file; the others may do
				switch {
				case err == nil:
					_, _ = fmt.Fprintln(s.Out, to.Path)
				case errors.As(err, &one):
					refused = append(refused, fmt.Errorf("requeue %s: %w", p, err))
				default:
					return fmt.Errorf("requeue %s: %w", p, err)
				}
			}
			return errors.Join(refused...)
		},
	}
	flags.register(c)
	return c
}

func newStatus(s Streams) *cobra.Command {
	var flags settings
	var asJSON bool
	var uid string
	c := &cobra.Command{
		Use:   "status",
		Short: "what the daemon is doing",
		Long: `Show what a running daemon has done, what waits, and what is wrong. With --uid, show
what its logs (logs.dir) know of a connection, and which captures may hold its
packets; then the daemon need not run.` + controlHelp,
		Args:    noArgs,
		Example: "  pcapdird status --config /etc/pcapdir/pcapdir.toml\n  pcapdird status --config /etc/pcapdir/pcapdir.toml --uid CpiYEhTEmI4iiNmgt",
	}
	flags.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for programs")
	c.Flags().StringVar(&uid, "uid", "", "say where the packets of the connection of that `UID` may be")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("uid") {
			if asJSON {
				return usageError{errors.New("--uid answers in words: leave --json out (see pcapdird status --help)")}
			}
			cfg, err := flags.load()
			if err != nil {
				return err
			}
			return printConn(c.Context(), s.Out, cfg.Logs.Dir, uid)
		}
		var answer json.RawMessage
		if err := flags.ask(c, "status", "", &answer); err != nil {
			return err
		}
		printStatus(s.Out, answer, asJSON)
		return nil
	}
	return c
}

func printStatus(w io.Writer, answer json.RawMessage, asJSON bool) {
	var report pipeline.Report
	if err := json.Unmarshal(answer, &report); asJSON || err != nil {
		_, _ = fmt.Fprintf(w, "%s\n", answer)
		return
	}
	printReport(w, &report)
}

func printReport(w io.Writer, r *pipeline.Report) {
	state := "running"
	if r.Paused {
		state = "paused (pcapdird resume ends it)"
	}
	say(w, "daemon", "%s, pid %d, since %s, %d MiB", state, r.PID, r.Since.UTC().Format(time.RFC3339), r.Memory>>20)
	say(w, "spool", "%d files settling, %d held back, %d taken (%d open, %d waiting for their turn), %d unreadable",
		r.Settling, r.Held, r.Admitted, r.Open, r.Ahead, r.Unreadable)
	if r.Oldest > 0 {
		say(w, "", "the oldest has waited for %s", time.Duration(r.Oldest*float64(time.Second)).Round(time.Second))
	}
	say(w, "since then", "%d files done, %d failed; %d packets; %d connections ended, %d open", r.Done, r.Failed, r.Packets, r.Conns, r.ActiveConns)
	if r.LoggedUpTo != "" {
		say(w, "logged", "up to %s", r.LoggedUpTo)
	}
	all := r.Books.Live
	all.Add(&r.Books.CatchUp)
	lost := all.Lost()
	say(w, "books", "%d files, %d failed; %d packets (%d bytes) read = %d handled + %d dropped", all.Files, all.Failed,
		all.Read.Packets, all.Read.Bytes, all.Handled.Packets, lost.Packets)
	for _, dir := range r.WaitsFor {
		say(w, "waits for", "%s: what may still come from there belongs before the rest (pcapdird seal does not wait)", quoted(dir))
	}
	if r.CatchingUp {
		say(w, "late", "catching up on files that came too late for the others")
	}
	if r.CommitError != "" {
		say(w, "WRONG", "commits wait: %s", quoted(r.CommitError))
	}
	if r.BookErrors > 0 {
		say(w, "WRONG", "books did not balance %d times: a bug, please report it", r.BookErrors)
	}
	for _, p := range r.Problems {
		say(w, "WRONG", "%s: %s, since %s", quoted(p.Path), quoted(p.Reason), p.Since.UTC().Format(time.RFC3339))
	}
}

// quoted is a path, or a text with one, as people may see it: bytes that would move a
// cursor are shown.
func quoted(path string) string {
	if q := fmt.Sprintf("%q", path); strings.Contains(q, `\`) {
		return q
	}
	return path
}
