package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// What read writes, report shows: a page, and where a connection's packets are.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	logs, page := filepath.Join(dir, "logs"), filepath.Join(dir, "page.html")
	capture := filepath.Join(testdata, "pcap/lab-00.pcap.zst")
	run(t.Context(), nil, "read", "--quiet", "--log-dir", logs, capture).want(t, 0)
	run(t.Context(), nil, "report", logs, "-o", page).want(t, 0, page, "alerts")
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(html), `"all_windows":`) {
		t.Fatalf("%d bytes of page, %v", len(html), err)
	}
	if out := run(t.Context(), nil, "report", "-o", "-", logs); out.code != 0 || out.out != string(html) {
		t.Errorf("standard output has %d bytes, the file %d: %s", len(out.out), len(html), out.err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("beside the logs and the page: %v, %v", left, err)
	}

	text, err := os.ReadFile(filepath.Join(logs, "conn.log"))
	if err != nil {
		t.Fatal(err)
	}
	uid := string(regexp.MustCompile(`"uid":"(\w+)"[^\n]*"proto":"tcp"`).FindSubmatch(text)[1])
	run(t.Context(), nil, "report", "--uid", uid, logs).want(t, 0, uid, "tcp", "this file may hold", "lab-00.pcap.zst", "when they were read", "in spool.done now")
	run(t.Context(), nil, "status", "--set", "logs.dir="+logs, "--uid", uid).want(t, 0, uid, "this file may hold", "lab-00.pcap.zst")
	if err := os.Remove(filepath.Join(logs, "spool.log")); err != nil {
		t.Fatal(err)
	}
	run(t.Context(), nil, "report", "--uid", uid, logs).want(t, 0, "no spool.log")

	for _, c := range []struct {
		code int
		text string
		args []string
	}{
		{1, "no connection \"C\"", []string{"report", "--uid", "C", logs}},
		{1, "has none of pcapdir's logs", []string{"report", "-o", page, dir}},
		{1, "no such file", []string{"report", "-o", page, dir + "/none"}},
		{1, "there is no directory " + dir + "/none: make it", []string{"report", "-o", dir + "/none/page.html", dir + "/no-logs"}},
		{1, dir + " is a directory: name a file in it", []string{"report", "-o", dir, dir + "/no-logs"}},
		{1, page + " is no directory", []string{"report", "-o", page + "/x", dir + "/no-logs"}},
		{1, "no connection \"C\"", []string{"status", "--set", "logs.dir=" + logs, "--uid", "C"}},
		{2, "name one directory", []string{"report"}},
		{2, "name one directory", []string{"report", ""}},
		{2, "name one directory", []string{"report", logs, logs}},
		{2, "--output is empty", []string{"report", "-o", "", logs}},
		{2, "--uid is empty", []string{"report", "--uid", "", logs}},
		{2, "leave --output out", []string{"report", "--uid", uid, "-o", page, logs}},
		{2, "leave --json out", []string{"status", "--uid", uid, "--json"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) { run(t.Context(), nil, c.args...).want(t, c.code, c.text) })
	}
}

// What could not be read is said wherever the page goes, and what is one is not many.
func TestReportOfDamage(t *testing.T) {
	logs := t.TempDir()
	if err := os.WriteFile(filepath.Join(logs, "spool.log"), []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const said = "spool.log: 1 line could not be read, the first is line 1"
	run(t.Context(), nil, "report", "-o", "-", logs).want(t, 0, said, "<html")
	run(t.Context(), nil, "report", "-o", filepath.Join(t.TempDir(), "page.html"), logs).want(t, 0, said, "0 reports")
}

// An error names the file that was asked for, not the one that becomes it.
func TestReportNamesItsFile(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "logs")
	run(t.Context(), nil, "read", "--quiet", "--log-dir", logs, filepath.Join(testdata, "pcap/lab-00.pcap.zst")).want(t, 0)
	page := filepath.Join(t.TempDir(), strings.Repeat("x", 250))
	out := run(t.Context(), nil, "report", "-o", page, logs)
	out.want(t, 1, "cannot write "+page+": file name too long")
	if strings.Contains(out.err, ".tmp") {
		t.Error(out.err)
	}
}

// A device and a pipe are written to, and a link stays one.
func TestReportLeavesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	run(t.Context(), nil, "read", "--quiet", "--log-dir", logs, filepath.Join(testdata, "pcap/lab-00.pcap.zst")).want(t, 0)
	target, link, pipe := filepath.Join(dir, "target.html"), filepath.Join(dir, "link.html"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(target, []byte("old"), 0o600), os.Symlink(target, link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	run(t.Context(), nil, "report", logs, "-o", link).want(t, 0)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	want, err := os.ReadFile(target)
	if err != nil || !strings.Contains(string(want), "<html") {
		t.Errorf("the target holds %d bytes, %v", len(want), err)
	}
	read := make(chan []byte)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- text
	}()
	run(t.Context(), nil, "report", logs, "-o", pipe).want(t, 0)
	if got := <-read; string(got) != string(want) {
		t.Errorf("the pipe gave %d bytes, the file has %d", len(got), len(want))
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe became %v, %v", info, err)
	}
}
