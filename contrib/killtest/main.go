// Command killtest kills the daemon again and again while captures arrive, and says
// whether what it promises after a kill holds:
//
//	go run ./contrib/killtest -kills 50
//
// In the end all logs are byte for byte those of a run without a kill, each file is in
// exactly one place and has one line in spool.log, the packets of all add up, no log
// has a torn line, nothing that a reader of the logs saw was changed afterwards, and no
// state is left over. Restarts change the number of shards and what they are hashed by.
// Some kills are at random instants, some are stops, and with -steps the daemon is built
// with the tag faults and killed at each named step of the commit in turn. With -outages
// the disks of logs and of state are full for a while, the log directory is gone, the
// spool is read-only, or there are no more descriptors: then the daemon says so, and goes
// on by itself when it is over.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "killtest:", err)
		}
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	kills, files, packets int
	steps, outages        int
	seed                  uint64
	dir                   string
}

func run(args []string, out io.Writer) error {
	var o options
	f := flag.NewFlagSet("killtest", flag.ContinueOnError)
	f.IntVar(&o.kills, "kills", 50, "how often at random instants")
	f.IntVar(&o.steps, "steps", 1, "how often at each step of the commit, beside that")
	f.IntVar(&o.outages, "outages", 0, "how often of each kind, likewise; needs user namespaces")
	f.IntVar(&o.files, "files", 0, "captures that arrive; 0: four for each kill, 25 for each outage")
	f.IntVar(&o.packets, "packets", 2000, "of each")
	f.Uint64Var(&o.seed, "seed", 1, "of the times between kills, and of the traffic")
	f.StringVar(&o.dir, "dir", "", "`DIR` in which a directory for everything is made; it is removed when all is well")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.files == 0 {
		o.files = 4*(o.kills+o.steps*len(steps)) + (morePerOutage+5)*o.outages*len(outages)
	}
	if o.outages > 0 && os.Getenv(inside) == "" {
		return secluded(args, out)
	}
	dir, err := os.MkdirTemp(o.dir, "pcapdir-kill-") // nothing but ours is in it, so it can go
	if err != nil {
		return err
	}
	o.dir = dir
	if err := newTrial(o, out).run(); err != nil {
		return fmt.Errorf("%w (everything is left in %s)", err, o.dir)
	}
	return os.RemoveAll(o.dir)
}
