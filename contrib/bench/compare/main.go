// Command compare runs pcapdird and whatever else is installed that makes flows or
// statistics out of captures, in turns, on the same files, and prints what each takes:
//
//	contrib/bench/peers
//	contrib/bench/peers -scale 0.1 -sets mix,small
//	contrib/bench/scale
//
// The captures are made up, the same bytes each time: mix (612 bytes a packet, 100 000
// conversations at once), small (67 bytes, a million), both split into 64 files that
// overlap, and mix packed with gzip and zstd. CPU time counts, user and system: the median
// of the rounds, and ratios to pcapdird in the same rounds. scale runs pcapdird alone, on
// more and more connections, files and shards.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	do, args := run, os.Args[1:]
	if len(args) > 0 && args[0] == "scale" {
		do, args = runScale, args[1:]
	}
	if err := do(args, os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "peers:", err)
		}
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	scale  float64
	rounds int
	sets   []string
	files  []string // captures of one's own
	tools  []string // nil: all
	zeek   string
	suri   string
	asura  string
	dir    string
	ctx    context.Context // ends with a signal: then what runs is ended, and what was made goes
	root   string          // of the repository
}

func run(args []string, out io.Writer) error {
	var o options
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.Float64Var(&o.scale, "scale", 1, "of the captures: 1 is a gigabyte each")
	f.IntVar(&o.rounds, "rounds", 3, "of all tools, in turns")
	sets := f.String("sets", strings.Join(setNames(), ","), "captures that are made")
	files := f.String("files", "", "captures of your own, instead")
	tools := f.String("tools", "", "only these, beside pcapdird; empty: all that are installed")
	f.StringVar(&o.zeek, "zeek", "", "`PATH` of zeek, which is run with its default scripts and with conn alone")
	f.StringVar(&o.suri, "suricata", "", "`PATH` of suricata")
	f.StringVar(&o.asura, "asura", "", "`PATH` of asura")
	f.StringVar(&o.root, "root", ".", "`DIR` of the repository, to build from")
	f.StringVar(&o.dir, "dir", "", "`DIR` in which captures and output go to a directory that is removed at the end; 7 GB at scale 1")
	if err := f.Parse(args); err != nil {
		return err
	}
	o.sets, o.files, o.tools = fields(*sets), fields(*files), fields(*tools)
	if o.rounds < 1 || o.scale <= 0 || f.NArg() > 0 {
		return errors.New("wants -rounds of at least 1, a -scale above 0, and nothing besides flags")
	}
	return o.inside(func() error { return compare(&o, out) })
}

// inside does something with a directory of its own in o.dir, which goes at the end.
func (o *options) inside(do func() error) error {
	dir, err := os.MkdirTemp(o.dir, "pcapdir-peers-")
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return err
	}
	o.dir = dir
	var stop func()
	o.ctx, stop = signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return errors.Join(do(), os.RemoveAll(dir))
}

// fields are the words between commas.
func fields(s string) []string {
	return slices.DeleteFunc(strings.Split(s, ","), func(f string) bool { return f == "" })
}
