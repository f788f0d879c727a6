package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "pcapdir"
)

// source is one Go file of the module, parsed once for all tests.
type source struct {
	path  string // from the root, with slashes
	dir   string // its folder, "." for the root
	text  []byte
	fset  *token.FileSet
	file  *ast.File
	test  bool // a _test.go file
	lines int
}

// at is a node's place as editors jump to it.
func (s *source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return s.path + ":" + strconv.Itoa(p.Line)
}

// imports are the paths that s imports.
func (s *source) imports() []string {
	var got []string
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic("BUG: " + err.Error()) // the parser has accepted it
		}
		got = append(got, p)
	}
	return got
}

// name is what s calls the package of import path p, or "" when it has none.
func (s *source) name(p string) string {
	for i, got := range s.imports() {
		if got != p {
			continue
		}
		if name := s.file.Imports[i].Name; name != nil {
			return name.Name
		}
		return path.Base(p)
	}
	return ""
}

// mentions hands over every mention pkg.Name of the package imported as p.
func (s *source) mentions(p string, each func(name string, at string)) {
	local := s.name(p)
	if local == "" {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
			each(sel.Sel.Name, s.at(sel))
		}
		return true
	})
}

var parsed = sync.OnceValues(parseAll)

// sources is every Go file of the module but those in testdata.
func sources(t *testing.T) []*source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d Go files below %s", len(all), root)
	}
	return all
}

func parseAll() ([]*source, error) {
	var all []*source
	err := walk(func(p string) error {
		if !strings.HasSuffix(p, ".go") || inTestdata(p) {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			return err
		}
		s := &source{
			path: p, dir: path.Dir(p), text: text, fset: token.NewFileSet(),
			test: strings.HasSuffix(p, "_test.go"), lines: strings.Count(string(text), "\n"),
		}
		s.file, err = parser.ParseFile(s.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, s)
		return err
	})
	return all, err
}

func inTestdata(p string) bool { return slices.Contains(strings.Split(p, "/"), "testdata") }

// walk hands over every file of the tree but those of git and of other dot-folders
// that are not ours.
func walk(each func(p string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") && rel != "." && rel != ".ci" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return each(rel)
	})
}

// tracked is every file that git tracks or would; every file there is, where
// there is no git.
func tracked(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil && len(out) > 0 {
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	var all []string
	if err := walk(func(p string) error { all = append(all, p); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}
