package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pcapdir/daemon/report"
)

const reportHelp = `Make one HTML page of the logs in a directory: traffic over time, the conversations
of each report as a picture, its clusters, and what is unusual, with the reasons.

The page needs nothing but itself and a browser: it can be mailed, and it loads
nothing from anywhere. It embeds addresses and file names out of the logs.

LOGDIR is what read --log-dir or logs.dir names. Its logs have to be in JSON. Those
that the daemon has rotated (conn.2026-11-21-05-00-00.log, also with .gz) are read,
too; those that others have (conn.log.1) are not. Logs of any size do: of long ones
the page holds the newest reports, and those of the highest alerts, and says what it
left out. A line that cannot be read is counted, and the first one is named.

With --uid no page is made: it says what is known of a connection, and which
captures may hold its packets, by the times in spool.log.

The exit code is 0, 1 when logs cannot be read, the page not be written or the
connection not be found, 2 when the command line is at fault.`

func newReport(s Streams) *cobra.Command {
	var out, uid string
	c := &cobra.Command{
		Use:   "report [flags] LOGDIR",
		Short: "make a page of the logs, or find a connection's captures",
		Long:  reportHelp,
		Example: `  pcapdird read --log-dir logs captures/ && pcapdird report logs -o report.html
  pcapdird report -o - /var/log/pcapdir | ssh desk 'cat > sensor7.html'
  pcapdird report --uid CpiYEhTEmI4iiNmgt logs`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("name one directory of logs")
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "report.html", "`FILE` to write; - is standard output")
	c.Flags().StringVar(&uid, "uid", "", "say where the packets of the connection of that `UID` may be")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !c.Flags().Changed("uid") {
			return writeReport(c.Context(), s, args[0], out)
		}
		if c.Flags().Changed("output") {
			return usageError{errors.New("--uid makes no page: leave --output out (see pcapdird report --help)")}
		}
		return printConn(c.Context(), s.Out, args[0], uid)
	}
	return c
}

func writeReport(ctx context.Context, s Streams, dir, out string) error {
	if err := checkOutput(out); err != nil {
		return err
	}
	bar := newProgress(s.Err, true)
	r, err := report.Read(ctx, dir, func(done, all int64) { bar.show(done, all, "") })
	bar.end()
	if err != nil {
		return err
	}
	for _, b := range r.Bad {
		_, _ = fmt.Fprintf(s.Err, "pcapdird: %s: %s could not be read, the first is line %d: %s\n", b.Log, things(b.Lines, "line"), b.First, quoted(b.Reason))
	}
	if out == "-" {
		return r.WritePage(s.Out)
	}
	if err := writeFile(out, r.WritePage); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	_, _ = fmt.Fprintf(s.Err, "%s: %s, %s, %s\n", quoted(out), things(r.AllWindows, "report"), things(r.AllAlerts, "alert"), things(int(r.Conns), "connection"))
	return nil
}

// things is a number of things: "1 line", "2 lines".
func things(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}

// checkOutput says what is wrong with where a page should go, before logs are read,
// which may be long.
func checkOutput(path string) error {
	switch path {
	case "":
		return usageError{errors.New("--output is empty; - is standard output (see pcapdird report --help)")}
	case "-":
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("page: %s is a directory: name a file in it, as %s", quoted(path), quoted(filepath.Join(path, "report.html")))
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("page: there is no directory %s: make it, or name another file with --output", quoted(dir))
	case err != nil:
		return fmt.Errorf("page: %w", err)
	case !info.IsDir():
		return fmt.Errorf("page: %s is no directory: name another file with --output", quoted(dir))
	}
	return nil
}

// writeFile puts a page where path says: a device or a pipe gets it, a link's target
// is replaced, not the link.
func writeFile(path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular() && !info.IsDir():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	return replaceFile(path, write)
}

// replaceFile writes a file beside path and renames it, so that path never has
// half a page.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return writing(path, err)
	}
	err = errors.Join(f.Chmod(0o640), write(f), f.Close()) // the mode of logs
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(writing(path, err), os.Remove(f.Name()))
	}
	return err
}

// writing is an error with the name that the user gave, instead of the temporary one.
func writing(path string, err error) error {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		err = file.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("cannot write %s: %w", quoted(path), err)
}
