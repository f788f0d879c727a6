package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"pcapdir/contrib/gen/traffic"
)

// Packets of a set of the tables, at scale 1, connections at once where they are not what
// changes, and how many packets a connection has at least.
const (
	scalePackets = 3_000_000
	scaleFlows   = 100_000
	scalePerFlow = 3
)

// runScale prints how the cost of a packet depends on how many connections are open, how
// many files overlap, and how many shards there are.
func runScale(args []string, out io.Writer) error {
	o := options{}
	f := flag.NewFlagSet("scale", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 3, "of each measurement")
	f.Float64Var(&o.scale, "scale", 1, "of packets, connections and files")
	most := f.Int("flows", 1_000_000, "most connections at once; 10000000 takes 3 GB of disk and 10 GB of memory")
	shards := f.Int("shards", runtime.NumCPU(), "most shards")
	f.StringVar(&o.root, "root", ".", "`DIR` of the repository, to build from")
	f.StringVar(&o.dir, "dir", "", "`DIR` in which captures and output go to a directory that is removed at the end")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.rounds < 1 || o.scale <= 0 || f.NArg() > 0 {
		return errors.New("wants -rounds of at least 1, a -scale above 0, and nothing besides flags")
	}
	return o.inside(func() error {
		if err := buildAll(&o); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s, %d CPUs; medians of %d rounds\n", runtime.Version(), runtime.NumCPU(), o.rounds)
		return errors.Join(byFlows(&o, out, *most), byFiles(&o, out), byShards(&o, out, *shards))
	})
}

// byFlows is the table over connections that are open at once.
func byFlows(o *options, out io.Writer, most int) error {
	fmt.Fprintln(out, "\nsmall packets, one file\n\n| connections at once | M packets | CPU ns/packet | without vectors | resident MB | without vectors |\n|---|---|---|---|---|---|")
	for flows := 10_000; flows <= most; flows *= 10 {
		n := o.scaled(flows)
		s, err := overlapping(o, "flows", 1, n, max(o.scaled(scalePackets), scalePerFlow*n))
		if err != nil {
			return err
		}
		all, err := o.repeat("pcapdird", read(), s)
		if err != nil {
			return err
		}
		conns, err := o.repeat("pcapdird", read("vectors.windows=[]"), s)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %d | %.1f | %s | %s | %s | %s |\n", n, float64(s.packets)/1e6, perPacket(s, all), perPacket(s, conns), megabytes(all), megabytes(conns))
	}
	return nil
}

// byFiles is the table over files that all cover the same time.
func byFiles(o *options, out io.Writer) error {
	fmt.Fprintf(out, "\nsmall packets, all files over the same time, %d connections at once\n\n| files | M packets | CPU ns/packet, order alone | without vectors | wall s | resident MB |\n|---|---|---|---|---|---|\n", o.scaled(scaleFlows))
	for files := 1; files <= 4096; files *= 8 {
		n := o.scaled(files)
		s, err := overlapping(o, "files", n, o.scaled(scaleFlows), o.scaled(scalePackets))
		if err != nil {
			return err
		}
		order, err := o.repeat("stage", stage("order"), s)
		if err != nil {
			return err
		}
		conns, err := o.repeat("pcapdird", read("vectors.windows=[]"), s)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %d | %.1f | %s | %s | %.2f | %s |\n", n, float64(s.packets)/1e6, perPacket(s, order), perPacket(s, conns), median(conns, wall), megabytes(conns))
	}
	return nil
}

// byShards is the table over shards. On fewer cores than shards wall time says nothing.
func byShards(o *options, out io.Writer, most int) error {
	fmt.Fprintf(out, "\nsmall packets, 8 files over the same time, %d connections at once\n\n| shards | CPU ns/packet | without vectors | wall s | without vectors |\n|---|---|---|---|---|\n", o.scaled(scaleFlows))
	s, err := overlapping(o, "shards", 8, o.scaled(scaleFlows), o.scaled(scalePackets))
	if err != nil {
		return err
	}
	for n := 1; n <= most; n *= 2 {
		count := fmt.Sprintf("shards.count=%d", n)
		all, err := o.repeat("pcapdird", read(count), s)
		if err != nil {
			return err
		}
		conns, err := o.repeat("pcapdird", read(count, "vectors.windows=[]"), s)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %d | %s | %s | %.2f | %.2f |\n", n, perPacket(s, all), perPacket(s, conns), median(all, wall), median(conns, wall))
	}
	return nil
}

func wall(c cost) float64 { return c.wall }

func perPacket(s *set, costs []cost) string {
	return strconv.FormatFloat(median(costs, func(c cost) float64 { return c.cpu })*1e9/float64(s.packets), 'f', 0, 64)
}

func megabytes(costs []cost) string {
	return strconv.FormatFloat(median(costs, func(c cost) float64 { return c.resident })/1e6, 'f', 0, 64)
}

func (o *options) scaled(n int) int { return max(1, int(float64(n)*o.scale)) }

// repeat runs a program of ours on a set, for each round.
func (o *options) repeat(name string, args func(*set, string) []string, s *set) (costs []cost, err error) {
	t := tool{path: filepath.Join(o.dir, name), args: args}
	for range o.rounds {
		c, _, err := t.run(o, s)
		if err = errors.Join(err, c.err); err != nil {
			return nil, fmt.Errorf("%s on %s: %w", name, s.name, err)
		}
		costs = append(costs, c)
	}
	return costs, nil
}

// overlapping writes files with so many packets and connections in all, each over the
// same time and with conversations of its own, in the place of the set before.
func overlapping(o *options, name string, files, flows, packets int) (*set, error) {
	dir := filepath.Join(o.dir, "captures")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		return nil, err
	}
	s := &set{name: name}
	for i := range files {
		path := filepath.Join(dir, fmt.Sprintf("%05d.pcap", i))
		each := max(1, packets/files)
		if err := writeCapture(path, traffic.Config{Kind: "small", Seed: uint64(i + 1), Flows: max(1, flows/files), Packets: uint64(each)}); err != nil {
			return nil, err
		}
		s.paths, s.packets = append(s.paths, path), s.packets+each
	}
	return s, nil
}

func writeCapture(path string, c traffic.Config) error {
	g, err := traffic.New(c)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = traffic.Write(w, g, traffic.Container{Link: traffic.Ethernet})
	return errors.Join(err, w.Flush(), f.Close())
}
