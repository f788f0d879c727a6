package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// patience is how long a tool may take.
const patience = 20 * time.Minute

// cost is what a run took.
type cost struct {
	cpu, wall float64 // seconds
	resident  float64 // bytes, at most
	err       error
}

// compare makes the sets and measures.
func compare(o *options, out io.Writer) error {
	if err := buildAll(o); err != nil {
		return err
	}
	tools := ours()
	for i := range tools {
		tools[i].path = filepath.Join(o.dir, tools[i].path)
	}
	fmt.Fprintf(out, "%s, %d CPUs; medians of %d rounds\n", runtime.Version(), runtime.NumCPU(), o.rounds)
	for _, t := range peers(o) {
		if t.find(o) {
			tools = append(tools, t)
			fmt.Fprintf(out, "%s: %s\n", t.name, cmp.Or(t.which(), "no version"))
		} else if len(o.tools) == 0 {
			fmt.Fprintf(out, "%s: not here\n", t.name)
		}
	}
	if len(o.files) > 0 {
		for _, path := range o.files {
			path, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			s := &set{name: filepath.Base(path), paths: []string{path}, packed: slices.Contains([]string{".gz", ".zst", ".lz4", ".xz", ".bz2"}, filepath.Ext(path))}
			if err := measure(o, out, s, tools); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range o.sets {
		s, err := makeSet(filepath.Join(o.dir, "gen"), o.dir, name, o.scale)
		if err != nil {
			return err
		}
		if err := errors.Join(measure(o, out, s, tools), os.RemoveAll(filepath.Join(o.dir, name))); err != nil {
			return err
		}
	}
	return nil
}

// buildAll makes the programs of ours that are measured or that make captures.
func buildAll(o *options) error {
	for _, p := range [][2]string{{"pcapdird", "pcapdir/daemon/pcapdird"}, {"gen", "pcapdir/contrib/gen"}, {"gopacket", "pcapdir/contrib/bench/gopacket"}, {"stage", "pcapdir/contrib/bench/stage"}} {
		if err := build(o, p[0], p[1]); err != nil {
			return fmt.Errorf("go build %s: %w", p[1], err)
		}
	}
	return nil
}

// measure runs all tools on a set, in turns, and prints a table.
func measure(o *options, out io.Writer, s *set, tools []tool) error {
	costs := make([][]cost, len(tools))
	for range o.rounds {
		for i := range tools {
			c, ran, err := tools[i].run(o, s)
			if err != nil {
				return err
			}
			if ran {
				costs[i] = append(costs[i], c)
			}
		}
	}
	bytes := int64(0)
	for _, path := range s.paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		bytes += info.Size()
	}
	fmt.Fprintf(out, "\n%s: %d files, %.1f MB, %.2f M packets\n\n", s.name, len(s.paths), float64(bytes)/1e6, float64(s.packets)/1e6)
	fmt.Fprintln(out, "| tool | CPU s | wall s | M packets/CPU s | resident MB | × pcapdird | × without vectors | × its order | does |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|")
	for i, t := range tools {
		if len(costs[i]) == 0 {
			continue
		}
		if err := failed(costs[i]); err != nil {
			if i < compared {
				return fmt.Errorf("%s: %w", t.name, err) // all are compared with it
			}
			fmt.Fprintf(out, "| %s | failed: %v | | | | | | | %s |\n", t.name, err, t.does)
			continue
		}
		cpu := median(costs[i], func(c cost) float64 { return c.cpu })
		fmt.Fprintf(out, "| %s | %.2f | %.2f | %s | %.0f | %.2f | %.2f | %.2f | %s |\n", t.name, cpu, median(costs[i], func(c cost) float64 { return c.wall }),
			rate(s.packets, cpu), median(costs[i], func(c cost) float64 { return c.resident })/1e6, ratio(costs[i], costs[0]), ratio(costs[i], costs[1]), ratio(costs[i], costs[2]), t.does)
	}
	return nil
}

// failed is the first error of the rounds.
func failed(costs []cost) error {
	for _, c := range costs {
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

func rate(packets int, cpu float64) string {
	if packets == 0 {
		return "" // a capture of somebody's own
	}
	return fmt.Sprintf("%.2f", float64(packets)/1e6/cpu)
}

// ratio is the median of the rounds' ratios of CPU time.
func ratio(a, b []cost) float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i].cpu/b[i].cpu)
	}
	return middle(all)
}

func median(costs []cost, of func(cost) float64) float64 {
	var all []float64
	for _, c := range costs {
		all = append(all, of(c))
	}
	return middle(all)
}

func middle(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2
}

// run runs the tool on a set once, unless it cannot work on that.
func (t *tool) run(o *options, s *set) (c cost, ran bool, err error) {
	dir, err := os.MkdirTemp(o.dir, "out-")
	if err != nil {
		return c, false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	args := t.args(s, dir)
	if args == nil {
		return c, false, nil
	}
	ctx, cancel := context.WithTimeout(o.ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir = dir
	begin := time.Now()
	c.err = cmd.Run()
	c.wall = time.Since(begin).Seconds()
	if cmd.ProcessState != nil {
		c.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			c.resident = float64(u.Maxrss) * 1024
		}
	}
	return c, true, nil
}
