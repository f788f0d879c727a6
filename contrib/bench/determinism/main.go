// Command determinism measures what it costs that logs are the same in every run, and that
// no kill -9 tears them or has a line twice:
//
//	go run ./contrib/bench/determinism
//	go run ./contrib/bench/determinism -packets 300000 -rounds 1
//
// The first is a part of the whole job, as the share of samples of a CPU profile. The
// second is what a daemon takes beyond `pcapdird read`, which promises nothing of that
// kind, on the same capture in turns: the lines of a commit are written down before they
// go into the logs, and all that is open is saved.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pcapdir/contrib/rig"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "determinism:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	f := flag.NewFlagSet("determinism", flag.ContinueOnError)
	packets := f.Int("packets", 4_000_000, "of the capture that is made, small ones")
	rounds := f.Int("rounds", 3, "in turns")
	times := f.Int("times", 8, "how often each benchmark runs for the profile")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *packets < 1 || *rounds < 1 || *times < 1 || f.NArg() > 0 {
		return errors.New("wants numbers of at least 1, and nothing besides flags")
	}
	dir, err := os.MkdirTemp("", "pcapdir-determinism-")
	if err != nil {
		return err
	}
	if err = shares(out, dir, *times); err == nil {
		err = commits(out, dir, *packets, *rounds)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// parts are what a program that wrote its lines as they come would not do.
var parts = []struct{ what, functions string }{
	{"ranks of packets, for those of one instant", `source\.rankOf`},
	{"order inside of a file", `source\.\(\*window\)\.`},
	{"epochs: lines handed over together", `pipeline\.\(\*core\)\.handOver|pipeline\.\(\*outbox\)`},
	{"lines of an epoch sorted", `pipeline\.\(\*lines\)\.sort`},
	{"lines of all shards merged", `pipeline\.merged`},
}

// shares prints what the parts take of the whole job.
func shares(out io.Writer, dir string, times int) error {
	cpu, test := filepath.Join(dir, "cpu"), filepath.Join(dir, "test")
	bench := exec.Command("go", "test", "-run", "xxx", "-bench", "BenchmarkRead/(small|mix)$", "-benchtime", strconv.Itoa(times)+"x",
		"-cpuprofile", cpu, "-o", test, "pcapdir/daemon/pipeline")
	if text, err := bench.CombinedOutput(); err != nil {
		return fmt.Errorf("go test: %w\n%s", err, text)
	}
	fmt.Fprintln(out, "| part of the whole job | % of CPU time |\n|---|---|")
	row := func(what, functions string) error {
		text, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount", "1000000", "-nodefraction", "0", "-focus", functions, test, cpu).Output()
		if err != nil {
			return fmt.Errorf("go tool pprof: %w", err)
		}
		_, err = fmt.Fprintf(out, "| %s | %s |\n", what, shareIn(text))
		return err
	}
	var all []string
	for _, p := range parts {
		if err := row(p.what, p.functions); err != nil {
			return err
		}
		all = append(all, p.functions)
	}
	return row("all of these", strings.Join(all, "|"))
}

var accounted = regexp.MustCompile(`accounting for [^,]+, ([0-9.]+)% of`)

// shareIn is the share that a report of pprof is about.
func shareIn(report []byte) string {
	if m := accounted.FindSubmatch(report); m != nil {
		return string(m[1])
	}
	return "0" // no sample
}

// commits prints what reading a capture takes, and what a daemon takes for it.
func commits(out io.Writer, dir string, packets, rounds int) error {
	capture := filepath.Join(dir, "small.pcap")
	made := exec.Command("go", "run", "pcapdir/contrib/gen", "-kind", "small", "-packets", strconv.Itoa(packets), "-out", capture)
	if text, err := made.CombinedOutput(); err != nil {
		return fmt.Errorf("gen: %w\n%s", err, text)
	}
	var read, daemon, ratio []float64
	for n := range rounds {
		r, err := rig.New(filepath.Join(dir, strconv.Itoa(n)))
		if err != nil {
			return err
		}
		batch := exec.Command(r.Path("pcapdird"), "read", "--quiet", "--log-dir", r.Path("read"), capture)
		if text, err := batch.CombinedOutput(); err != nil {
			return fmt.Errorf("read: %w\n%s", err, text)
		}
		if err := daemonOn(r, capture); err != nil {
			return err
		}
		a, b := (batch.ProcessState.UserTime() + batch.ProcessState.SystemTime()).Seconds(), r.CPU().Seconds()
		read, daemon, ratio = append(read, a), append(daemon, b), append(ratio, b/a)
		if err := os.RemoveAll(r.Path()); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n| %d packets, medians of %d rounds | CPU s | × read |\n|---|---|---|\n", packets, rounds)
	fmt.Fprintf(out, "| pcapdird read | %.2f | 1 |\n| pcapdird run, with its commits | %.2f | %.2f |\n", median(read), median(daemon), median(ratio))
	return nil
}

// daemonOn lets a daemon read a capture, and ends it.
func daemonOn(r *rig.Rig, capture string) error {
	if err := os.Link(capture, r.Path("spool", "in", "small.pcap")); err != nil {
		return err
	}
	if err := r.Start(false); err != nil {
		return err
	}
	defer r.Abandon()
	for {
		n, err := r.Waiting()
		if err != nil {
			return err
		}
		if n == 0 {
			return r.Stop()
		}
		select {
		case err := <-r.Ended():
			return fmt.Errorf("the daemon ended: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
