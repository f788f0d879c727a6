// Package consumers tries the configurations of those who read the logs: by the programs
// themselves where they are installed, and else by the names of the fields alone.
package consumers

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rsyslog follows a log, parses each line as JSON, and passes it on byte by byte.
func TestRsyslog(t *testing.T) {
	rsyslogd, err := exec.LookPath("rsyslogd")
	if err != nil {
		t.Skip("rsyslog is not installed")
	}
	dir := t.TempDir()
	lines := read(t, "../../testdata/golden/logs/cases.conn.log")
	write(t, filepath.Join(dir, "conn.log"), lines)
	conf := strings.ReplaceAll(read(t, "rsyslog.conf"), "/var/log/pcapdir/", dir+"/")
	forward := regexp.MustCompile(`(?s)action\(type="omfwd".*?"-1"\)`)
	got := filepath.Join(dir, "got")
	conf = forward.ReplaceAllString(conf, `action(type="omfile" file="`+got+`" template="line")`)
	write(t, filepath.Join(dir, "conf"), "global(workDirectory=\""+dir+"\")\n"+conf)
	var said bytes.Buffer
	c := exec.Command(rsyslogd, "-n", "-f", filepath.Join(dir, "conf"), "-i", filepath.Join(dir, "pid"))
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = c.Process.Kill(), c.Wait() }()
	for range 300 {
		if b, err := os.ReadFile(got); err == nil && string(b) == lines {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b, _ := os.ReadFile(got)
	t.Errorf("%d of %d bytes came through\n%s", len(b), len(lines), said.String())
}

// logrotate takes the snippet.
func TestLogrotate(t *testing.T) {
	logrotate, err := exec.LookPath("logrotate")
	if err != nil {
		t.Skip("logrotate is not installed")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), "{}\n")
	conf := strings.ReplaceAll(read(t, "logrotate.conf"), "/var/log/pcapdir/", dir+"/")
	for _, owned := range []string{"create 0640 pcapdir pcapdir", "su pcapdir pcapdir"} {
		if !strings.Contains(conf, owned) {
			t.Errorf("%q is missing", owned)
		}
		conf = strings.ReplaceAll(conf, owned, strings.Fields(owned)[0]+" 0640")
	}
	conf = strings.ReplaceAll(conf, "su 0640", "") // there is no such user here
	write(t, filepath.Join(dir, "conf"), conf)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(logrotate, "-f", "-s", filepath.Join(dir, "state"), filepath.Join(dir, "conf")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if got := read(t, filepath.Join(dir, "conn.log.1")); got != "{}\n" {
		t.Errorf("what was rotated is %q", got)
	}
}

// The recipes for jq run, and say what they promise.
func TestJq(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed")
	}
	recipes := regexp.MustCompile("(?m)^jq .*$").FindAllString(read(t, "README.md"), -1)
	if len(recipes) < 3 {
		t.Fatalf("%d recipes", len(recipes))
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), read(t, "../../testdata/golden/logs/cases.conn.log"))
	for _, r := range recipes {
		c := exec.Command("sh", "-c", strings.Replace(r, "jq", jq, 1))
		c.Dir = dir
		if text, err := c.CombinedOutput(); err != nil || len(text) == 0 {
			t.Errorf("%s: %v: %s", r, err, text)
		}
	}
}
