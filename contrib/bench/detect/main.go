// Command detect measures what the product finds of known attacks: it reads
// labelled captures as pcapdird does, holds its logs against the labels, and
// prints recall, false incidents and areas under curves, beside those of the
// other modes of vectors.features. README.md says what each figure is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const usage = `detect evaluates anomaly detection on labelled captures.

  detect                     the captures and labels in testdata
  detect DIR...              captures (*.pcap*) and labels.csv in each DIR
  detect -vectors rows.csv   also every conversation with its label and features
  detect -haystack 3000      instead: each attack in a minute of so many sites

`

// modes are the values of vectors.features to compare. Rows are written of the first.
var modes = []string{"default", "asura"}

func main() {
	if err := detect(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "detect:", err)
		}
		os.Exit(2)
	}
}

// options are the flags.
type options struct {
	vectors, json string
	haystack      int
	sets          []set
}

// set is some captures and the table of what is in them.
type set struct {
	name     string
	captures []string
	labels   string
}

func detect(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	var all []*result
	for _, s := range o.sets {
		if o.haystack > 0 {
			if err := needles(s, o.haystack, stdout); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			continue
		}
		results, err := measure(s, o.vectors, stdout)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		printResults(stdout, results)
		all = append(all, results...)
	}
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("detect", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	f.StringVar(&o.vectors, "vectors", "", "write every conversation of every window to this `FILE`, as CSV")
	f.StringVar(&o.json, "json", "", "write the figures to this `FILE`")
	f.IntVar(&o.haystack, "haystack", 0, "measure the rank of each attack in a minute of `N` sites")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.vectors != "" && f.NArg() > 1 {
		return o, errors.New("-vectors wants one DIR")
	}
	for _, dir := range f.Args() {
		o.sets = append(o.sets, setIn(dir, dir))
	}
	if len(o.sets) == 0 {
		o.sets = []set{ownSet("testdata")}
	}
	return o, nil
}

// ownSet is the set in testdata, which keeps captures and labels apart.
func ownSet(testdata string) set {
	s := setIn(filepath.Join(testdata, "pcap"), testdata)
	s.labels = filepath.Join(testdata, "lab", "labels.csv")
	return s
}

func setIn(dir, name string) set {
	captures, _ := filepath.Glob(filepath.Join(dir, "*.pcap*")) // the pattern is well formed unless dir is odd
	return set{name, captures, filepath.Join(dir, "labels.csv")}
}

// measure runs every mode that there is over a set.
func measure(s set, vectors string, stdout io.Writer) ([]*result, error) {
	if len(s.captures) == 0 {
		return nil, errors.New("no captures (*.pcap*) there")
	}
	all, err := readLabels(s.labels)
	if err != nil {
		return nil, err
	}
	var results []*result
	for i, mode := range modes {
		if !available(mode) {
			fmt.Fprintf(stdout, "%s: not available\n", mode)
			continue
		}
		full, err := run(context.Background(), s.captures, append(everything, featuresOf(mode))...)
		if err != nil {
			return nil, err
		}
		if full.hours() <= 0 || len(full.reports) == 0 {
			return nil, fmt.Errorf("the captures hold no more than %d s, which is the warm-up", warmUp)
		}
		plain, err := run(context.Background(), s.captures, featuresOf(mode))
		if err != nil {
			return nil, err
		}
		results = append(results, summarize(s.name, mode, all, full, plain))
		if i == 0 && vectors != "" {
			if err := writeRows(vectors, full, all); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}
