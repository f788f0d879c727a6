package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// set is captures that tools are run on.
type set struct {
	name    string
	paths   []string
	packets int
	packed  bool
}

// recipe is how the captures of a set are made, by contrib/gen.
type recipe struct {
	name  string
	kind  string
	flows int // at scale 1
	args  []string
}

// perFlow is how many packets gen makes for each conversation that is open at once.
var perFlow = map[string]float64{"mix": 17, "small": 12.9}

var recipes = []recipe{
	{"mix", "mix", 100_000, nil},
	{"small", "small", 1_000_000, nil},
	{"mix64", "mix", 100_000, []string{"-files", "64"}},
	{"small64", "small", 1_000_000, []string{"-files", "64"}},
	{"mix.gz", "mix", 100_000, []string{"-compress", "gzip"}},
	{"mix.zst", "mix", 100_000, []string{"-compress", "zstd"}},
}

func setNames() (names []string) {
	for _, r := range recipes {
		names = append(names, r.name)
	}
	return names
}

// makeSet writes the captures of the set called name into dir.
func makeSet(gen, dir, name string, scale float64) (*set, error) {
	for _, r := range recipes {
		if r.name != name {
			continue
		}
		s := &set{name: name, packed: strings.Contains(name, ".")}
		flows := max(1, int(float64(r.flows)*scale))
		s.packets = int(float64(flows) * perFlow[r.kind])
		out := filepath.Join(dir, name)
		args := append([]string{"-kind", r.kind, "-flows", strconv.Itoa(flows), "-packets", strconv.Itoa(s.packets), "-out", out}, r.args...)
		if text, err := exec.Command(gen, args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("gen %s: %w\n%s", strings.Join(args, " "), err, text)
		}
		var err error
		s.paths, err = filesAt(out)
		return s, err
	}
	return nil, fmt.Errorf("unknown set %q: there are %s", name, strings.Join(setNames(), ", "))
}

// filesAt is a file, or the files in a directory.
func filesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	return filepath.Glob(filepath.Join(path, "*"))
}

// plain says that the set is one file that is not packed: all that some tools take.
func (s *set) plain() bool { return len(s.paths) == 1 && !s.packed }
