package consumers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
