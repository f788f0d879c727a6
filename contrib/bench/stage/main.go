// Command stage runs a part of the way that packets take, and nothing of what comes behind
// it, as a process of its own that can be measured:
//
//	stage touch FILE...   map each file and touch 64 bytes of each packet: a floor
//	stage read FILE...    read, decode and hash, a file after the other
//	stage order FILE...   the same with all files in one order, on shards that do nothing
//
// It prints how many packets there were.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "stage:", err)
		}
		os.Exit(1)
	}
}

var stages = map[string]func(paths []string, shards int) (packets uint64, err error){
	"touch": oneByOne(touch),
	"read":  oneByOne(read),
	"order": func(paths []string, shards int) (uint64, error) { return order(context.Background(), paths, shards) },
}

// oneByOne is a stage that takes a file after the other.
func oneByOne(do func(path string) (packets uint64, err error)) func([]string, int) (uint64, error) {
	return func(paths []string, _ int) (packets uint64, err error) {
		for _, path := range paths {
			n, err := do(path)
			if err != nil {
				return packets, err
			}
			packets += n
		}
		return packets, nil
	}
}

func run(args []string, out io.Writer) error {
	f := flag.NewFlagSet("stage", flag.ContinueOnError)
	shards := f.Int("shards", runtime.GOMAXPROCS(0), "of order")
	if err := f.Parse(args); err != nil {
		return err
	}
	do := stages[f.Arg(0)]
	if do == nil || f.NArg() < 2 || *shards < 1 {
		return errors.New("wants touch, read or order, then files")
	}
	n, err := do(f.Args()[1:], *shards)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d packets\n", n)
	return err
}
