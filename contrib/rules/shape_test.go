package rules

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	maxFileLines = 450
	maxFuncLines = 100
)

// longAllowed names the functions that may exceed maxFuncLines, by folder and
// name, each with the reason.
var longAllowed = map[string]string{}

func TestFileLength(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && s.lines > maxFileLines {
			t.Errorf("%s has %d lines, over %d: a file is named after the one type it holds; split it by type",
				s.path, s.lines, maxFileLines)
		}
	}
}

func TestFunctionLength(t *testing.T) {
	unused := map[string]bool{}
	for name := range longAllowed {
		unused[name] = true
	}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			name := s.dir + "." + f.Name.Name
			if n > maxFuncLines && longAllowed[name] == "" {
				t.Errorf("%s: %s has %d lines, over %d: nobody holds that in mind; a hot loop that must not be "+
					"split gets a row in longAllowed with its measurement", s.at(f), f.Name.Name, n, maxFuncLines)
			}
			if n > maxFuncLines {
				delete(unused, name)
			}
		}
	}
	for name := range unused {
		t.Errorf("longAllowed has %s, which is not long any more: take the row out", name)
	}
}

func TestFormat(t *testing.T) {
	for _, s := range sources(t) {
		want, err := format.Source(s.text)
		if err != nil || !bytes.Equal(want, s.text) {
			t.Errorf("%s is not gofmt clean: a diff should show what changed, not how it is spaced", s.path)
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		got := comments[s.dir]
		if s.file.Doc != nil {
			got = append(got, s.path)
		}
		comments[s.dir] = got
	}
	for dir, in := range comments {
		switch {
		case len(in) == 0:
			t.Errorf("%s has no package comment: it is where a reader learns what the package is for", dir)
		case len(in) > 1:
			t.Errorf("%s has package comments in %s: go doc strings them together; keep one", dir, strings.Join(in, ", "))
		}
	}
}

const whyDoc = "callers need units, ownership and errors, and the source of a rule; write them above it"

func TestExportedDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && receiverExported(d) && d.Doc == nil {
					t.Errorf("%s: %s has no comment: %s", s.at(d), d.Name.Name, whyDoc)
				}
			case *ast.GenDecl:
				undocumented(d, func(name *ast.Ident) {
					t.Errorf("%s: %s has no comment: %s", s.at(name), name.Name, whyDoc)
				})
			}
		}
	}
}

// receiverExported says whether f is a function, or a method that callers see.
func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	typ := f.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// undocumented hands over the exported names of a declaration that neither have a
// comment nor stand in a commented group.
func undocumented(d *ast.GenDecl, each func(*ast.Ident)) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
				each(spec.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					each(name)
				}
			}
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && !s.test && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init runs before anybody asked, in an order nobody sees, and registers "+
					"what no literal table shows; write one table and call it", s.at(f))
			}
		}
	}
}

func TestNoExit(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.dir == "daemon/pcapdird" || s.file.Name.Name == "main" && matches("contrib/...", s.dir) {
			continue
		}
		refuse := func(name, at string) {
			if strings.HasPrefix(name, "Exit") || strings.HasPrefix(name, "Fatal") {
				t.Errorf("%s: %s ends the process past every deferred call, the commit and the stop order; "+
					"return an error, main chooses the exit code", at, name)
			}
		}
		s.mentions("os", refuse)
		s.mentions("log", refuse)
	}
}

// wall is what reads or waits for the wall clock.
var wall = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

func TestNoWallClock(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.dir == "source/spool" || matches("daemon/...", s.dir) || matches("contrib/...", s.dir) {
			continue
		}
		s.mentions("time", func(name, at string) {
			if slices.Contains(wall, name) {
				t.Errorf("%s: time.%s: packet time drives every timeout and report, so that a replay gives "+
					"the same logs; the wall clock is for the spool and the daemon", at, name)
			}
		})
	}
}

// emptyWords say nothing of what is inside.
var emptyWords = []string{"util", "utils", "helper", "helpers", "common", "misc"}

func TestNames(t *testing.T) {
	for _, s := range sources(t) {
		parts := strings.Split(s.dir, "/")
		base := strings.TrimSuffix(path.Base(s.path), ".go")
		parts = append(parts, strings.Split(base, "_")...)
		parts = append(parts, s.file.Name.Name)
		for i, word := range parts {
			if slices.Contains(emptyWords, word) && !slices.Contains(parts[:i], word) {
				t.Errorf("%s: %q says nothing of what is inside, so everything ends up there; "+
					"name it after the type it holds", s.path, word)
			}
		}
	}
}

// A global that is assigned to outlives its test and is shared by goroutines
// that do not know of each other.
func TestNoMutableGlobals(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		globals := map[string]bool{}
		for _, d := range s.file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						globals[name.Name] = name.Name != "_"
					}
				}
			}
		}
		for _, at := range assigned(s, globals) {
			t.Errorf("%s: package-level state: it is shared by whoever runs in the process; make it a field", at)
		}
	}
}
