package rules

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// code is what a document shows as code, line by line.
func (d *document) code() []string {
	lines := strings.Split(strings.Join(d.fenced, "\n"), "\n")
	for _, s := range span.FindAllString(d.prose, -1) {
		lines = append(lines, strings.Trim(s, "`"))
	}
	return lines
}

var ourPath = regexp.MustCompile(`(?:^|[\s("'])(?:\./)?((?:contrib|daemon|source|sharder|analysis|systemd|testdata)/[\w./-]*\w)(/\*|\*)?`)

// A path of ours that a document shows as code is there.
func TestPathsInDocuments(t *testing.T) {
	files := tracked(t)
	found := 0
	for _, d := range documents(t) {
		for _, line := range d.code() {
			for _, m := range ourPath.FindAllStringSubmatch(line, -1) {
				found++
				if !slices.ContainsFunc(files, func(p string) bool {
					return p == m[1] || strings.HasPrefix(p, m[1]+"/") || m[2] != "" && strings.HasPrefix(p, m[1])
				}) {
					t.Errorf("%s: %s is not in the repository", d.path, m[1])
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d paths", found)
	}
}

var (
	goTest  = regexp.MustCompile(`go test (?:-\w+ )*\./([\w/]+)((?: -\w+(?: [^-\s]\S*)?)*)`)
	goRun   = regexp.MustCompile(`go run \./([\w/]+)((?: -\w+(?: [^-\s]\S*)?)*)`)
	goFlag  = regexp.MustCompile(` -(\w+)(?: ([^-\s]\S*))?`)
	nothing = "xxx" // no test is called so: -run xxx is for benchmarks alone
)

// declared are the functions of a package, tests included, and the strings in it, which
// the names of its flags are among.
func declared(all []*source, dir string) (functions, texts []string) {
	for _, s := range all {
		if s.dir != dir {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				functions = append(functions, n.Name.Name)
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
					texts = append(texts, text)
				}
			}
			return true
		})
	}
	return functions, texts
}

// wrongWithGo says what the go commands in a line name that there is not.
func wrongWithGo(all []*source, line string) []string {
	var wrong []string
	for _, m := range goTest.FindAllStringSubmatch(line, -1) {
		functions, _ := declared(all, path.Clean(m[1]))
		for _, f := range goFlag.FindAllStringSubmatch(m[2], -1) {
			kind := map[string]string{"run": "Test", "bench": "Benchmark"}[f[1]]
			pattern, _, _ := strings.Cut(strings.Trim(f[2], "'"), "/")
			if kind == "" || f[1] == "run" && pattern == nothing {
				continue
			}
			for _, one := range strings.Split(strings.ReplaceAll(pattern, `\|`, "|"), "|") {
				if !slices.ContainsFunc(functions, func(name string) bool {
					ok, err := regexp.MatchString(one, name)
					return err == nil && ok && strings.HasPrefix(name, kind)
				}) {
					wrong = append(wrong, m[1]+" has no "+kind+"..."+one)
				}
			}
		}
	}
	for _, m := range goRun.FindAllStringSubmatch(line, -1) {
		functions, texts := declared(all, path.Clean(m[1]))
		if !slices.Contains(functions, "main") {
			wrong = append(wrong, m[1]+" is no command")
			continue
		}
		for _, f := range goFlag.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(texts, f[1]) {
				wrong = append(wrong, m[1]+" has no -"+f[1])
			}
		}
	}
	return wrong
}

// The tests, benchmarks and flags of our commands that documents name are there.
func TestGoCommandsInDocuments(t *testing.T) {
	all := sources(t)
	for _, d := range documents(t) {
		for _, line := range d.code() {
			for _, wrong := range wrongWithGo(all, line) {
				t.Errorf("%s: %s: %s", d.path, line, wrong)
			}
		}
	}
	for line, want := range map[string]int{
		"go test ./contrib/rules -run GoCommands":                        0,
		"go test ./contrib/rules -run NoSuchThing -v":                    1,
		"go test ./source -run xxx -bench Reader":                        0,
		"go test ./source -run xxx -bench 'Raeder'":                      1,
		"go run ./contrib/gen -kind small -out x":                        0,
		"time go run ./contrib/gen -knid small && go run ./source -x":    2,
		"go test ./analysis/conn -run xxx -bench 'Handle\\|NoSuchThing'": 1,
	} {
		if got := wrongWithGo(all, line); len(got) != want {
			t.Errorf("%s: %v, want %d", line, got, want)
		}
	}
}
