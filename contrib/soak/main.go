// Command soak runs the daemon on a spool at full speed for as long as it is told,
// on made-up traffic, and says whether what it takes stays flat and whether its books
// balance:
//
//	go run ./contrib/soak -minutes 60
//	go run ./contrib/soak -flood syn -total 50000000
//
// It plays the capture tool, which moves files in, and logrotate, which moves logs
// away. It exits with 1 when memory, descriptors or goroutines grow, when a packet is
// missing, or when the daemon counts an error in its books. In a flood, of packets from
// sources that nobody has, there are a thousand real connections, and it exits with 1,
// too, when more memory is taken than limits.memory and a tenth, or when the record of
// one of them is not as it is without the flood.
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
			fmt.Fprintln(os.Stderr, "soak:", err)
		}
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	minutes float64
	kind    string
	flows   int
	packets int // of a file
	flood   string
	total   uint64 // packets; 0: until the time is over
	memory  string
	dir     string // where everything is; removed when all is well
}

func run(args []string, out io.Writer) error {
	var o options
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.Float64Var(&o.minutes, "minutes", 2, "how long files come")
	f.StringVar(&o.kind, "kind", "mix", "traffic: mix or small")
	f.IntVar(&o.flows, "flows", 20_000, "conversations open at once")
	f.IntVar(&o.packets, "packets", 100_000, "of each file")
	f.StringVar(&o.flood, "flood", "", "a flood instead of traffic: syn, udp (from any address and port to any port), pairs (a million of them), fragments (that lack the rest)")
	f.Uint64Var(&o.total, "total", 0, "packets in all; 0: as many as -minutes take, or 10 million of a flood")
	f.StringVar(&o.memory, "memory", "512MiB", "limits.memory")
	f.StringVar(&o.dir, "dir", "", "`DIR` in which a directory for spool and logs is made; a few hundred megabytes should be free")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.flood != "" && o.total == 0 {
		o.total = 10_000_000
	}
	dir, err := os.MkdirTemp(o.dir, "pcapdir-soak-") // nothing but ours is in it, so it can go
	if err != nil {
		return err
	}
	o.dir = dir
	s := &soak{options: o, out: out}
	if err := s.run(); err != nil {
		return fmt.Errorf("%w (everything is left in %s)", err, o.dir)
	}
	return os.RemoveAll(o.dir)
}
