package consumers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pcapdir/analysis/logs"
)

const testdata = "../../testdata/"

// logLines are lines of every log: the golden ones, and, unless tests are to be short, those
// that the daemon makes of captures of the small network.
func logLines(t *testing.T) map[string]string {
	t.Helper()
	lines := map[string]string{}
	for _, log := range logs.Names {
		if b, err := os.ReadFile(testdata + "golden/logs/cases." + log + ".log"); err == nil {
			lines[log] = string(b)
		}
	}
	if testing.Short() {
		return lines
	}
	lab, err := labLines()
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs.Names {
		if lab[log] == "" {
			t.Errorf("no line of %s.log", log)
		}
		lines[log] += lab[log]
	}
	return lines
}

// logFiles are these lines in files, by log; a log without a line has none.
func logFiles(t *testing.T) map[string]string {
	t.Helper()
	dir, files := t.TempDir(), map[string]string{}
	for log, lines := range logLines(t) {
		if lines != "" {
			files[log] = filepath.Join(dir, log+".log")
			write(t, files[log], lines)
		}
	}
	return files
}

var labLines = sync.OnceValues(func() (map[string]string, error) {
	dir, err := os.MkdirTemp("", "consumers-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pcapdird := filepath.Join(dir, "pcapdird")
	for _, command := range [][]string{
		{"go", "build", "-o", pcapdird, "pcapdir/daemon/pcapdird"},
		{
			pcapdird, "read", "--log-dir", dir, "--set", "conn.open_interval=1m", "--set", "vectors.full=true",
			testdata + "pcap/lab-00.pcap.zst", testdata + "pcap/lab-01.pcap.zst",
		},
	} {
		if text, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", command[0], err, text)
		}
	}
	lines := map[string]string{}
	for _, log := range logs.Names {
		b, err := os.ReadFile(filepath.Join(dir, log+".log"))
		if err != nil {
			return nil, err
		}
		lines[log] = string(b)
	}
	return lines, nil
})

// split are the lines of a text, without their ends.
func split(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// object is a line as an object, with whole numbers apart from others.
func object(line string) (m map[string]any, err error) {
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	return typed(m).(map[string]any), nil
}

func typed(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for k := range value {
			value[k] = typed(value[k])
		}
	case []any:
		for i := range value {
			value[i] = typed(value[i])
		}
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return n
		}
		f, _ := value.Float64()
		return f
	}
	return value
}

// sameLines fails where rows of JSON are not what the lines of a log say.
func sameLines(t *testing.T, reader, log, lines string, rows []string) {
	t.Helper()
	if len(rows) != len(split(lines)) {
		t.Fatalf("%s: %d rows of %s.log", reader, len(rows), log)
	}
	for i, line := range split(lines) {
		was, err := object(line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := object(rows[i])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(compact(got), compact(was)) {
			t.Fatalf("%s: %s.log: %s\nis read as %s", reader, log, line, rows[i])
		}
	}
}

// output is what a command prints, in lines.
func output(t *testing.T, name string, args ...string) []string {
	t.Helper()
	c := exec.Command(name, args...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args[len(args)-1], err, said.String())
	}
	return split(string(out))
}

// inNode runs a script that needs a package, whose folder a variable of the environment
// names: what programs are not to be had for, packages for Node often are.
func inNode(t *testing.T, variable, name, script string) func(args ...string) []string {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Skipf("no %s says where %s, for Node, is", variable, name)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	return func(args ...string) []string {
		t.Helper()
		return output(t, node, append([]string{"-e", script}, args...)...)
	}
}
