// Command gen writes capture files full of made-up traffic, the same bytes for the
// same flags: for benchmarks, tests and demonstrations.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"pcapdir/contrib/gen/traffic"
)

const usage = `gen writes made-up traffic to capture files.

  gen -kind small -out small.pcap                 12.9 M packets of 67 bytes, 1 M flows at once
  gen -kind mix -compress zstd -out mix.pcap.zst   1.7 M packets of 612 bytes
  gen -kind small -files 64 -out spool/            64 files that overlap, as from 4 interfaces
  gen -kind mix -packets 1000 -out - | …           to standard output

`

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "gen:", err)
		}
		os.Exit(2)
	}
}

// options are the flags.
type options struct {
	config    traffic.Config
	container traffic.Container
	files     int
	compress  string
	out       string
}

// run does it all. The summary goes to stderr.
func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	begin := time.Now()
	g, err := traffic.New(o.config)
	if err != nil {
		return err
	}
	var s traffic.Summary
	if o.files == 1 {
		s, err = writeOne(g, o, stdout)
	} else {
		s, err = writeSplit(g, o)
	}
	if err != nil {
		return err
	}
	took := time.Since(begin).Seconds()
	fmt.Fprintf(stderr, "%d packets, mean %.1f bytes, up to %d conversations, %.1f s of traffic, %.1f MB; %.2f M packets/s\n",
		s.Packets, float64(s.Wire)/float64(s.Packets), g.Started(), float64(s.Last-s.First)/1e9, float64(s.Bytes)/1e6,
		float64(s.Packets)/1e6/took)
	return nil
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("gen", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	f.StringVar(&o.config.Kind, "kind", "mix", "small or mix")
	f.IntVar(&o.config.Flows, "flows", 0, "conversations open at once; 0: 1 000 000 (small), 100 000 (mix), fewer for few packets")
	f.Uint64Var(&o.config.Packets, "packets", 0, "packets in all; 0: 12.9 (small) or 17 (mix) times flows")
	f.Uint64Var(&o.config.Seed, "seed", 0, "other seeds make other traffic")
	f.IntVar(&o.config.Snap, "snap", 0, "cut frames to so many bytes; 0: whole")
	f.IntVar(&o.files, "files", 1, "split into so many files, which overlap in time")
	f.BoolVar(&o.container.Nano, "nano", false, "stamps in nanoseconds")
	f.BoolVar(&o.container.BigEndian, "big-endian", false, "byte order of the headers")
	f.StringVar(&o.compress, "compress", "", "gzip or zstd")
	f.StringVar(&o.out, "out", "", "file, - for standard output, or directory with -files")
	format := f.String("format", "pcap", "pcap or pcapng")
	link := f.String("link", "ethernet", "ethernet, raw, null, sll or sll2")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.resolve(*format, *link, f.NArg())
}

// resolve turns words into values and refuses what makes no sense.
func (o *options) resolve(format, link string, rest int) error {
	links := map[string]traffic.Link{
		"ethernet": traffic.Ethernet, "raw": traffic.Raw, "null": traffic.Null, "sll": traffic.SLL, "sll2": traffic.SLL2,
	}
	number, known := links[link]
	switch {
	case !known:
		return fmt.Errorf("unknown -link %q", link)
	case format != "pcap" && format != "pcapng":
		return fmt.Errorf("unknown -format %q", format)
	case o.compress != "" && o.compress != "gzip" && o.compress != "zstd":
		return fmt.Errorf("unknown -compress %q", o.compress)
	case o.out == "" || rest > 0:
		return errors.New("say -out FILE, and nothing besides flags")
	case o.files < 1 || o.files > 1 && o.out == "-":
		return fmt.Errorf("cannot split into %d files at %s", o.files, o.out)
	}
	o.container.Link, o.container.NG, o.container.Snap = number, format == "pcapng", uint32(o.config.Snap)
	return nil
}
