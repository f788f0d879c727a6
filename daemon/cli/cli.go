// Package cli is the command line: one file per subcommand. It turns flags into
// a configuration, errors into sentences and exit codes, and does no work itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// Exit codes. A service manager must not restart after exitUsage: nothing
// changes until somebody changes the configuration.
const (
	exitDone   = 0
	exitFailed = 1 // some input could not be read, or some output not written
	exitUsage  = 2 // command line or configuration
)

// meaning is what a code or a signal means, for the manual page and contrib/doc/commands.md.
type meaning struct{ of, what string }

var exitCodes = [...]meaning{
	{"0", "all went well"},
	{"1", "some input could not be read, an output not be written, or a daemon not be asked"},
	{"2", "the command line, the configuration or the state is at fault: starting again is of no use before that has changed"},
	{"130, 143", "a clean stop by SIGINT, by SIGTERM"},
}

var signals = [...]meaning{
	{"SIGTERM, SIGINT", "a clean stop: read logs what it has, run saves what is open for its next start or, with --flush, ends and logs it; a second one kills"},
	{"SIGHUP", "run reads its configuration anew (see reload)"},
	{"SIGUSR1", "run ignores it: logs may be renamed or removed at any time"},
}

// Streams are the standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Stopped is the cause of a context that a signal ended.
type Stopped struct{ Signal syscall.Signal }

// Error names the signal.
func (s Stopped) Error() string { return "stopped by " + s.Signal.String() }

// usageError is an error that another command line or configuration would mend.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Main runs the command that args name and returns the exit code. ctx ends with
// a cause of Stopped when a signal asks for a clean stop.
func Main(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	if err != nil && !errors.Is(err, pipeline.ErrFailedFiles) {
		_, _ = fmt.Fprintf(s.Err, "pcapdird: %v\n", err)
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	var problems config.Problems
	var usage usageError
	var stopped Stopped
	switch {
	case errors.As(err, &problems), errors.As(err, &usage), errors.Is(err, pipeline.ErrConfig), errors.Is(err, pipeline.ErrBusy), errors.Is(err, pipeline.ErrState), errors.Is(err, pipeline.ErrLedger):
		return exitUsage
	case errors.As(err, &stopped): // it had not begun
		return 128 + int(stopped.Signal)
	case err != nil && !errors.Is(err, pipeline.ErrFailedFiles):
		return exitFailed
	case errors.As(context.Cause(ctx), &stopped):
		return 128 + int(stopped.Signal)
	case err != nil:
		return exitFailed
	default:
		return exitDone
	}
}

const rootHelp = `pcapdird reads capture files and writes what they hold as JSON lines.

It puts the packets of all files into one time order, whatever the files are
called and whenever they come, tracks connections as Zeek does, keeps a flow
vector per <source, destination> pair, clusters the vectors, and reports what is
far from everything seen before. It writes

  conn.log      one line per connection, Zeek's fields
  open_conn.log connections that are still open, where conn.open_interval is set
  anomaly.log   what is unusual, and why
  kmeans.log    one report per interval: clusters, their size, centroid, spread
  vectors.log   a sample of the conversations of each report
  weird.log     oddities of the traffic, counted
  spool.log     what became of each file
  coverage.log  the time that files cover, gaps and overlaps
  stats.log     the heartbeat of the process`

const rootExample = `  pcapdird read --log-dir logs captures/            # read a directory once
  pcapdird report logs -o report.html               # see what is in its logs
  pcapdird run --config /etc/pcapdir/pcapdir.toml   # watch a spool
  mv trace.pcap /var/spool/pcapdir/incoming/        # what producers do
  tail -F /var/log/pcapdir/conn.log                 # what people do`

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "pcapdird",
		Short:         "read capture files as one stream; track connections, report anomalies",
		Long:          rootHelp,
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs, // an unknown command is one
		Version:       version(),
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Usage()
			return usageError{errors.New("a command is missing")}
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) { // only what is true or false refuses a word
			err = fmt.Errorf("--%s wants true or false, got %q", invalid.GetFlag().Name, invalid.GetValue())
		}
		return usageError{fmt.Errorf("%w%s (see %s --help)", err, meantFlag(c, err), c.CommandPath())}
	})
	root.AddCommand(newRun(s), newRead(s), newPlan(s), newReport(s), newCheck(s), newVersion(s), newCompletion(s), newMan(s))
	root.AddCommand(controls(s)...)
	addHelp(root)
	for _, c := range append(root.Commands(), root) {
		c.Args = asUsage(c.Args)
	}
	return root
}

// asUsage marks complaints about arguments as usage errors.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w%s (see %s --help)", err, meantCommand(c, args), c.CommandPath())}
		}
		return nil
	}
}

// addHelp adds the command that shows what --help of another does. Without a word of its
// own about it, the library shows the help of pcapdird for a command that there is not.
func addHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	c, _, err := root.Find([]string{"help"})
	if err != nil {
		panic("BUG: " + err.Error()) // it was just added
	}
	c.Use, c.Short, c.Long = "help [COMMAND]", "show what a command does, as --help does", ""
	c.Example = "  pcapdird help read"
	c.Args = func(_ *cobra.Command, args []string) error {
		if found, _, err := root.Find(args); len(args) > 0 && (err != nil || found == root) {
			return fmt.Errorf("unknown command %q for %q%s", args[0], root.CommandPath(), meantCommand(root, args))
		}
		return nil
	}
}

// noArgs refuses arguments. That a file of a configuration is one is the likely slip.
func noArgs(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.Flags().Lookup("config") != nil && strings.HasSuffix(args[0], ".toml"):
		return fmt.Errorf("%s takes no arguments, got %q: %s", c.CommandPath(), args[0], config.DidYouMean("--config "+args[0]))
	default:
		return fmt.Errorf("%s takes no arguments, got %q", c.CommandPath(), args[0])
	}
}

// somePaths refuses no PATH at all, and an empty one; what says what it may be.
func somePaths(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return errors.New("name at least one " + what)
		case slices.Contains(args, ""):
			return errors.New("a PATH is empty, as an unset variable makes it; for this directory say .")
		}
		return nil
	}
}

// meantFlag is the flag that may have been meant by one that there is not.
func meantFlag(c *cobra.Command, err error) string {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return ""
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return didYouMean("--", config.Nearest(missing.GetSpecifiedName(), names))
}

// meantCommand is the command that may have been meant by one that there is not.
func meantCommand(c *cobra.Command, args []string) string {
	if c.HasParent() || len(args) == 0 {
		return ""
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return didYouMean("", config.Nearest(strings.ToLower(args[0]), names))
}

func didYouMean(dashes, name string) string {
	if name == "" {
		return ""
	}
	return ": " + config.DidYouMean(dashes+name)
}

// settings are the flags that make a configuration.
type settings struct {
	file  string
	set   []string
	flags *pflag.FlagSet // that have them, or nil
}

func (f *settings) register(c *cobra.Command) {
	f.flags = c.Flags()
	c.Flags().StringVar(&f.file, "config", "", "configuration `FILE` (TOML); the defaults without it")
	c.Flags().StringArrayVar(&f.set, "set", nil, "override one `section.key=value`; repeatable")
	_ = c.MarkFlagFilename("config", "toml") // there is such a flag, and each is asked to once
	_ = c.RegisterFlagCompletionFunc("set", completeSet)
}

// load reads the file and the overrides, and names the problems of both at once.
func (f *settings) load() (*config.Config, error) {
	if f.file == "" && f.flags != nil && f.flags.Changed("config") {
		return nil, usageError{errors.New("--config is empty, as an unset variable makes it; for the defaults leave it out")}
	}
	cfg := config.Default()
	var err error
	if f.file != "" {
		cfg, err = config.Load(f.file)
	}
	if cfg == nil {
		return nil, usageError{err}
	}
	return cfg, errors.Join(err, cfg.Set(f.set))
}

// loadAgain is load of a file that can be read a second time: a pipe would have the
// daemon wait, or be empty by now.
func (f *settings) loadAgain() (*config.Config, error) {
	if f.file != "" {
		if info, err := os.Stat(f.file); err != nil || !info.Mode().IsRegular() {
			return nil, usageError{errors.Join(err, fmt.Errorf("%s cannot be read anew: it is no regular file any more, or never was", f.file))}
		}
	}
	return f.load()
}

// boundMemory has the collector work harder rather than let the process outgrow
// limits.memory, unless the environment says what else it should do.
func boundMemory(cfg *config.Config) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(pipeline.MemoryLimit(cfg))
	}
}
