package rules

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport is the direction in which packages of ours may import each other.
// A pattern ends in /... for a folder and all below it; the most exact row
// holds. A package without a row fails, so that a new one gets its place here
// by a decision.
var mayImport = map[string][]string{
	"source/packet":     {},
	"source/snap":       {},
	"source/pcapfile":   {"source/packet"},
	"source/clock":      {"source/packet"},
	"source/decode":     {"source/packet", "source/dpd"},
	"source/dpd":        {"source/packet"},
	"source/decompress": {"source/packet"},
	"source/links":      {"source/packet"},
	"source/dirs":       {},
	"source/merge":      {"source/packet"},
	"source/defrag":     {"source/packet", "source/snap"},
	"source/books":      {"source/packet"},
	"source/coverage":   {"source/packet"},
	"source/spool":      {"source/packet", "source/pcapfile", "source/decompress", "source/clock", "source/books", "source/dirs"},
	"source":            {"source/..."},
	"sharder":           {"source/packet", "source/merge"},
	"analysis/kmeans":   {},
	"analysis/logs":     {"source/dirs"},
	"analysis/pages":    {},
	"analysis/plane":    {},
	"analysis/conn":     {"source/packet", "source/dpd", "source/snap", "analysis/logs", "analysis/pages"},
	"analysis/flowvec":  {"source/packet", "source/snap", "analysis/logs", "analysis/pages"},
	"analysis/anomaly":  {"source/packet", "source/snap", "analysis/logs", "analysis/kmeans", "analysis/flowvec", "analysis/asura", "analysis/pages", "analysis/plane"},
	"analysis/asura":    {"source/packet", "analysis/logs", "analysis/kmeans", "analysis/flowvec", "analysis/plane"},
	"daemon/config":     {},
	"daemon/status":     {"daemon/page"},
	"daemon/plan":       {"source/..."},
	"daemon/page":       {},
	"daemon/report":     {"analysis/flowvec", "analysis/logs", "daemon/page"},
	"daemon/pipeline":   {"source/...", "sharder/...", "analysis/...", "daemon/config", "daemon/status", "daemon/report"},
	"daemon/cli":        {"daemon/...", "source/packet", "source/coverage", "source/spool"},
	"daemon/pcapdird":   {"daemon/cli"},
	"contrib/...":       {"source/...", "sharder/...", "analysis/...", "daemon/config", "daemon/pipeline", "daemon/status", "contrib/..."},
	"testdata/...":      {"source/...", "sharder/...", "analysis/..."},
	"systemd":           {},
}

const whyDirection = `Imports point one way: daemon -> {source, sharder, analysis} -> source/packet, so that the
parts stay apart: analysis does not know where packets come from, kmeans and logs can be tested as
pure code, and a change of the daemon rebuilds no library. If the arrow is right, add it to the
table mayImport; more often the thing belongs elsewhere or wants an interface where it is used.`

func TestImportDirection(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		allowed, ok := row(s.dir)
		if !ok {
			t.Errorf("%s: the package has no row in mayImport.\n%s", s.path, whyDirection)
			continue
		}
		for _, p := range s.imports() {
			ours, ok := strings.CutPrefix(p, module+"/")
			if ok && forTests(ours) && !forTests(s.dir) && !matches("contrib/...", s.dir) {
				t.Errorf("%s imports %s, which is for tests: it may panic and be slow, the daemon may not", s.path, ours)
			} else if ok && !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, ours) }) {
				t.Errorf("%s imports %s.\n%s", s.path, ours, whyDirection)
			}
		}
	}
}

// forTests says whether a package is what tests of others share: its name ends
// in test, as net/http/httptest's does.
func forTests(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// row is the entry for a folder: its own, or the nearest of a folder above it.
// What is for tests may import the package that it helps to test, and what that
// one may.
func row(dir string) ([]string, bool) {
	if forTests(dir) {
		above, ok := row(path.Dir(dir))
		return append(slices.Clone(above), path.Dir(dir)), ok
	}
	if allowed, ok := mayImport[dir]; ok {
		return allowed, true
	}
	for up := dir; up != "."; up = path.Dir(up) {
		if allowed, ok := mayImport[up+"/..."]; ok {
			return allowed, true
		}
	}
	return nil, false
}

func matches(pattern, pkg string) bool {
	if above, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == above || strings.HasPrefix(pkg, above+"/")
	}
	return pkg == pattern
}

// fences says which folders alone may import a library, and why.
var fences = []struct {
	library string
	folders []string
	why     string
}{
	{"github.com/google/gopacket", []string{"source/...", "contrib/bench/gopacket"}, "it allocates per packet and panics on some inputs; behind source nobody sees its types, so it can be replaced. The other is what it is compared with"},
	{"github.com/fsnotify/fsnotify", []string{"source/spool"}, "an event is a hint there and nowhere a fact"},
	{"github.com/klauspost/compress", []string{"source/decompress", "contrib/gen"}, "decoders must be opened with their limits and closed by their owner; gen only compresses"},
	{"github.com/pierrec/lz4/v4", []string{"source/decompress"}, "decoders must be opened with their limits and closed by their owner"},
	{"github.com/mikelolasagasti/xz", []string{"source/decompress"}, "decoders must be opened with their limits and closed by their owner"},
	{"github.com/BurntSushi/toml", []string{"daemon/config"}, "it matches keys in any case and stops at the first error; config mends both"},
	{"github.com/coreos/go-systemd/v22", []string{"daemon/status"}, "one place speaks to the service manager"},
	{"github.com/prometheus/client_golang", []string{"daemon/status"}, "who counts something knows nothing of who asks"},
	{"gonum.org/v1/gonum", []string{"analysis/plane"}, "it may answer in other last bits on another processor: good for a picture, not for a score"},
	{"github.com/schollz/progressbar/v3", []string{"daemon/cli"}, "only who talks to a terminal draws on it"},
	{"github.com/spf13/cobra", []string{"daemon/cli"}, "flags end where commands end"},
}

func TestFences(t *testing.T) {
	for _, s := range sources(t) {
		for _, p := range s.imports() {
			for _, f := range fences {
				inside := slices.ContainsFunc(f.folders, func(folder string) bool { return matches(folder, s.dir) })
				if !s.test && matches(f.library+"/...", p) && !inside {
					t.Errorf("%s imports %s, which only %v may: %s", s.path, p, f.folders, f.why)
				}
			}
		}
	}
}

// The rules themselves: a pattern that matched everything would pass for ever.
func TestRules(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		want     bool
	}{
		{"source/packet", "source/decode", false},
		{"source/decode", "source/packet", true},
		{"source/decode", "source/packet/x", false},
		{"source/decode/decodetest", "source/decode", true},
		{"source/decode/decodetest", "source/packet", true},
		{"source/decode/decodetest", "source/spool", false},
		{"source", "source/spool", true},
		{"source", "sharder", false},
		{"analysis/conn", "analysis/flowvec", false},
		{"sharder", "analysis/conn", false},
		{"daemon/pipeline", "sharder", true},
		{"daemon/pipeline", "daemon/cli", false},
		{"daemon/cli", "daemon/pipeline", true},
		{"contrib/bench", "daemon/pipeline", true},
		{"contrib/bench/sub", "daemon/cli", false},
		{"analysis/conn", "daemon/config", false},
	} {
		allowed, ok := row(tc.from)
		got := ok && slices.ContainsFunc(allowed, func(p string) bool { return matches(p, tc.to) })
		if got != tc.want {
			t.Errorf("%s may import %s: %t, want %t", tc.from, tc.to, got, tc.want)
		}
	}
	if _, ok := row("analysis/new"); ok {
		t.Error("a package without a row has one")
	}
}
