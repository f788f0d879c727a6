package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// same compares two configurations, apart from where their values came from.
func same(t *testing.T, got, want *Config) {
	t.Helper()
	g, w := *got, *want
	g.origin, w.origin = nil, nil
	if !reflect.DeepEqual(g, w) {
		t.Errorf("configurations differ\ngot:\n%s\nwant:\n%s", dump(t, &g), dump(t, &w))
	}
}

// Every field of Config can be set by some key: a row that was forgotten in
// fields would leave one at its default for ever.
func TestEveryFieldHasAKey(t *testing.T) {
	n := 0
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		if typ.Field(i).IsExported() {
			n += typ.Field(i).Type.NumField()
		}
	}
	if n != len(fields) {
		t.Errorf("the sections have %d fields, the table has %d keys", n, len(fields))
	}
	c := Default()
	for i, f := range fields {
		for _, g := range fields[:i] {
			if f.key == g.key || reflect.DeepEqual(f.in(c), g.in(c)) && samePointer(f.in(c), g.in(c)) {
				t.Errorf("%s and %s are one field", f.key, g.key)
			}
		}
	}
}

func samePointer(a, b value) bool {
	return reflect.ValueOf(a).Field(0).Pointer() == reflect.ValueOf(b).Field(0).Pointer()
}

// DESIGN's lines, and Zeek's timeouts, are contracts with operators.
func TestDefaults(t *testing.T) {
	c := Default()
	if len(c.relations()) > 0 {
		t.Error(c.relations())
	}
	for _, f := range fields {
		doc := map[string]any{}
		parse(t, "v = "+string(f.in(c).append(nil)), doc)
		if faults := f.in(c).set(doc["v"]); len(faults) > 0 {
			t.Errorf("default of %s is refused: %v", f.key, faults)
		}
	}
}

func parse(t *testing.T, text string, into map[string]any) {
	t.Helper()
	r := reading{c: Default(), name: "test", src: []byte(text)}
	for k, v := range r.decode() {
		into[k] = v
	}
	if len(r.problems) > 0 {
		t.Fatal(r.problems)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("directory: %v, want an error that names it", err)
	}
	big := filepath.Join(dir, "big.toml")
	if err := os.WriteFile(big, make([]byte, maxFile+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big); err == nil || !strings.Contains(err.Error(), "hardly") {
		t.Errorf("large file: %v", err)
	}
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("[spool]\nsettle = 5\nafter = \"keep\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(bad)
	if err == nil || !strings.HasPrefix(err.Error(), bad+":2:10: spool.settle: ") {
		t.Errorf("error %v, want the path, line and column", err)
	}
	if c.Spool.After != AfterKeep || c.Spool.Settle != 5*time.Second {
		t.Errorf("got %+v, want what was right and the default of what was not", c.Spool)
	}
}

// A failing writer's error comes back.
func TestDumpError(t *testing.T) {
	f, err := os.Open(os.DevNull) // read only
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Default().Dump(f); err == nil {
		t.Error("no error from a file that cannot be written")
	}
}

// A key that is a secret is not repeated in what is wrong with it: people mail that.
func TestSecretIsNotTold(t *testing.T) {
	const secret = "8273645"
	for _, value := range []string{"%s", "word%s", "\"%s", "'%s", "-%sx", "[\"%s\"]", "\"\\q%s\"", "%s0000000000000000", "{a = %s}", "1979-05-27T%s"} {
		for _, text := range []string{"[conn]\nuid_key = ", "conn.uid_key = "} {
			_, err := Parse("site.toml", fmt.Appendf(nil, text+value+"\n", secret))
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", text+value, err)
			}
		}
	}
	if err := Default().Set([]string{"uid_key=" + secret}); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("--set: %v", err)
	}
}

// What the TOML library says begins as our own problems do, but TOML stays TOML.
func TestSyntaxProblemsInOurWords(t *testing.T) {
	for was, want := range map[string]string{"Expected a key.": "expected a key", "TOML files cannot": "TOML files cannot"} {
		if got := plain(was); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
