package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

const goldenDir = "../../testdata/config"

// Each testdata/config/*.toml has a .txt: its problems, or, when it has none,
// its dump.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.toml"))
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d configurations in %s: %v", len(files), goldenDir, err)
	}
	for _, file := range files {
		if filepath.Base(file) == exampleName {
			continue // TestExample
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".txt", describe(t, filepath.Base(file), text))
		})
	}
}

func describe(t *testing.T, name string, text []byte) string {
	t.Helper()
	c, err := Parse(name, text)
	if err == nil {
		return dump(t, c)
	}
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("error is a %T, want Problems: %v", err, err)
	}
	return ps.Error() + "\n"
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update if that is meant)\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func dump(t *testing.T, c *Config) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const exampleName = "pcapdir.toml"

// The commented example that is installed is the dump of the defaults, and an
// empty file means the same.
func TestExample(t *testing.T) {
	golden(t, filepath.Join(goldenDir, exampleName), dump(t, Default()))
	c, err := Load(filepath.Join(goldenDir, exampleName))
	if err != nil {
		t.Fatal(err)
	}
	same(t, c, Default())
	empty, err := Parse("empty", nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, empty, Default())
}
