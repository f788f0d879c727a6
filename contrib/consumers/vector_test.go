package consumers

import (
	"encoding/json"
	"math"
	"path/filepath"
	"regexp"
	"testing"
)

// transform is the program by which a configuration of Vector maps a log.
func transform(t *testing.T, file, log string) string {
	t.Helper()
	program := regexp.MustCompile(`(?m)^  ` + log + `_[a-z]+:\n(?:    .*\n)*?    source: \|\n((?:      .*\n)+)`)
	found := program.FindStringSubmatch(read(t, file))
	if found == nil {
		t.Fatalf("%s does not map %s.log", file, log)
	}
	return found[1]
}

// runVRLs runs a program by Vector's own compiler, made for Node, on each line of a file. It
// has no patience with warnings.
const runVRLs = `
const vrl = require(process.env.VRL_NODE), fs = require("fs");
const [program, lines] = process.argv.slice(1).map((file) => fs.readFileSync(file, "utf8"));
const { errors, warnings } = vrl.check(program);
if (errors.length + warnings.length > 0) throw JSON.stringify([errors, warnings]);
for (const message of lines.trimEnd().split("\n")) console.log(JSON.stringify(vrl.execute(program, { message }).event));
`

// Vector's compiler takes the mappings, and makes the documents that the emulation makes.
func TestVector(t *testing.T) {
	run := inNode(t, "VRL_NODE", "@bpinternal/verel", runVRLs)
	dir := t.TempDir()
	for log, worked := range map[string]string{"conn": workedConn, "anomaly": workedAnomaly} {
		lines := worked + "\n"
		for i, line := range split(logLines(t)[log]) {
			if i%20 == 0 && line != "" { // it compiles the program for each line
				lines += line + "\n"
			}
		}
		input := filepath.Join(dir, log+".log")
		write(t, input, lines)
		for name, m := range mappers(t, log) {
			if name == "logstash.conf" {
				continue
			}
			program := filepath.Join(dir, name)
			write(t, program, transform(t, name, log))
			rows := run(program, input)
			if len(rows) != len(split(lines)) {
				t.Fatalf("%s: %d documents of %s.log", name, len(rows), log)
			}
			for i, line := range split(lines) {
				emulated, err := m(line)
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(emulated)
				if err != nil {
					t.Fatal(err)
				}
				var got, want any // in which all numbers are doubles, as in JavaScript
				if err := json.Unmarshal([]byte(rows[i]), &got); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(text, &want); err != nil {
					t.Fatal(err)
				}
				if !alike(got, want) {
					t.Fatalf("%s makes %s\nthe emulation %s", name, rows[i], text)
				}
			}
		}
	}
}

// alike says whether two values are equal but for the last digit of doubles, which Vector
// reads another way.
func alike(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		for k := range a {
			ok = ok && alike(a[k], b[k])
		}
		return ok && len(a) == len(b)
	case []any:
		b, ok := b.([]any)
		ok = ok && len(a) == len(b)
		for i := 0; ok && i < len(a); i++ {
			ok = alike(a[i], b[i])
		}
		return ok
	case float64:
		b, ok := b.(float64)
		return ok && math.Abs(a-b) <= 1e-15*math.Abs(a)
	}
	return a == b
}
