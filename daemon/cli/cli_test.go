package cli_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pcapdir/daemon/cli"
)

const testdata = "../../testdata"

// result is what a command left.
type result struct {
	code     int
	out, err string
}

// run runs a command line.
func run(ctx context.Context, in io.Reader, args ...string) result {
	var out, errs bytes.Buffer
	code := cli.Main(ctx, args, cli.Streams{In: in, Out: &out, Err: &errs})
	return result{code, out.String(), errs.String()}
}

// want checks the exit code and that each text is in the output or the errors.
func (r result) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, s := range texts {
		if !strings.Contains(r.out+r.err, s) {
			t.Errorf("%q is not in the output", s)
		}
	}
	if t.Failed() {
		t.Logf("out:\n%s\nerr:\n%s", r.out, r.err)
	}
}

func lines(t *testing.T, dir, log string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, log+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(testdata, "containers/micro.pcap")
	bad := filepath.Join(testdata, "bad/cut-in-record.pcap")
	for _, c := range []struct {
		args  []string
		code  int
		texts []string
	}{
		{[]string{"read", "--log-dir", dir + "/1", good}, 0, []string{"read 1 of 1 files, 60 packets"}},
		{[]string{"read", "--log-dir", dir + "/2", bad, good}, 1, []string{"cut-in-record.pcap\" failed", "cut short", "read 1 of 2 files"}},
		{[]string{"read", "--log-dir", dir + "/3", dir + "/none"}, 1, []string{dir + "/none", "no such file"}},
		{[]string{"read", "--log-dir", dir + "/4", "/dev/null"}, 1, []string{"/dev/null", "not a regular file: device"}},
		{[]string{"read", "--log-dir", file + "/5", good}, 1, []string{file}},
		{[]string{"read"}, 2, []string{"read --help"}},
		{[]string{"read", good, ""}, 2, []string{"a PATH is empty"}},
		{[]string{"read", "--frobnicate"}, 2, []string{"--frobnicate", "read --help"}},
		{[]string{"read", "--config", dir + "/none.toml", good}, 2, []string{dir + "/none.toml", "no such file"}},
		{[]string{"read", "--set", "order.windw=1s", good}, 2, []string{"order.windw", "did you mean order.window"}},
		{[]string{"run", "extra"}, 2, []string{"extra"}},
		{[]string{"run", "--set", "spool.dirs=" + file, "--set", "spool.done=" + dir + "/done", "--set", "spool.failed=" + dir + "/failed",
			"--set", "logs.dir=" + dir + "/6", "--set", "commit.dir=" + dir + "/state"}, 2, []string{file}},
		{[]string{"check"}, 0, []string{"configuration is good"}},
		{[]string{"check", "extra"}, 2, []string{"extra"}},
		{[]string{"version"}, 0, []string{"pcapdird "}},
		{[]string{"version", "extra"}, 2, []string{"extra"}},
		{[]string{"frobnicate"}, 2, []string{`"frobnicate"`}},
		{nil, 2, []string{"a command is missing", "Usage:"}},
		{[]string{"--help"}, 0, []string{"Usage:", "conn.log"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			run(t.Context(), strings.NewReader(""), c.args...).want(t, c.code, c.texts...)
		})
	}
}

// Each problem of the file and of --set is named at once, one to a line.
func TestAllProblemsAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.toml")
	text := "[order]\nwindow = \"soon\"\nwidnow = 1\n[kmeans]\nk = -4\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"check"}, {"run"}, {"read", "x.pcap"}} {
		args := append(command, "--config", file, "--set", "shards.hash=6-tuple", "--set", "commit.interval=1 day", "--set", "nonsense")
		r := run(t.Context(), nil, args...)
		r.want(t, 2, file+":2:", file+":3:", file+":5:", "order.window", "order.widnow", "kmeans.k",
			"--set: shards.hash", "--set: commit.interval", "--set: nonsense")
		if n := strings.Count(r.err, "\n"); n != 6 {
			t.Errorf("%v: %d lines on standard error, want 6:\n%s", command, n, r.err)
		}
		if r.out != "" {
			t.Errorf("%v: standard output: %s", command, r.out)
		}
	}
}

// What check --dump prints is a configuration of the same meaning.
func TestDumpReadsBack(t *testing.T) {
	first := run(t.Context(), nil, "check", "--dump", "--set", "order.window=70ms", "--set", "shards.count=3")
	first.want(t, 0, `"70ms"`)
	file := filepath.Join(t.TempDir(), "site.toml")
	if err := os.WriteFile(file, []byte(first.out), 0o644); err != nil {
		t.Fatal(err)
	}
	if again := run(t.Context(), nil, "check", "--dump", "--config", file); again != first {
		t.Errorf("code %d, dump:\n%s\nwant:\n%s\n%s", again.code, again.out, first.out, again.err)
	}
}

// Standard input is sniffed like a file: plain, compressed, or nothing at all.
func TestReadStandardInput(t *testing.T) {
	plain, err := os.ReadFile(filepath.Join(testdata, "containers/micro.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	var squashed bytes.Buffer
	z := gzip.NewWriter(&squashed)
	if _, err := z.Write(plain); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	named := t.TempDir()
	run(t.Context(), nil, "read", "--log-dir", named, filepath.Join(testdata, "containers/micro.pcap")).want(t, 0)
	want, err := os.ReadFile(filepath.Join(named, "conn.log"))
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"plain": plain, "gzip": squashed.Bytes()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			// One byte at a time: a pipe gives what it has.
			run(t.Context(), oneByte{bytes.NewReader(in)}, "read", "--log-dir", dir, "-").want(t, 0, "60 packets")
			got, err := os.ReadFile(filepath.Join(dir, "conn.log"))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("conn.log differs from that of the file: %v", err)
			}
		})
	}
	for name, in := range map[string]string{"empty": "", "half": string(plain[:1000]), "text": "no capture at all"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			run(t.Context(), strings.NewReader(in), "read", "--log-dir", dir, "-").want(t, 1, `"-" failed`)
			if n := lines(t, dir, "spool"); n != 1 {
				t.Errorf("%d lines in spool.log", n)
			}
		})
	}
	t.Run("failing", func(t *testing.T) {
		run(t.Context(), io.MultiReader(bytes.NewReader(plain[:1000]), broken{}), "read", "--log-dir", t.TempDir(), "-").
			want(t, 1, `"-" failed`, "broken pipe")
	})
	t.Run("with files", func(t *testing.T) {
		dir := t.TempDir()
		run(t.Context(), bytes.NewReader(plain), "read", "--log-dir", dir, filepath.Join(testdata, "golden/cases.pcap.gz"), "-").
			want(t, 0, "read 2 of 2 files, 140 packets")
	})
}

type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, syscall.EPIPE }

// A signal ends the work cleanly, and the exit code says which signal it was.
func TestStoppedBySignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		code := 128 + int(s)
		t.Run(fmt.Sprint("read ", s), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cli.Stopped{Signal: s})
			dir := t.TempDir()
			run(ctx, nil, "read", "--log-dir", dir, testdata+"/containers").want(t, code)
		})
		t.Run(fmt.Sprint("run ", s), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			dir := t.TempDir()
			errs := &trigger{on: "watching", do: func() { cancel(cli.Stopped{Signal: s}) }}
			got := cli.Main(ctx, []string{
				"run", "--set", "spool.dirs=" + dir + "/in", "--set", "spool.done=" + dir + "/done",
				"--set", "spool.failed=" + dir + "/failed", "--set", "logs.dir=" + dir + "/logs", "--set", "commit.dir=" + dir + "/state",
			}, cli.Streams{Out: io.Discard, Err: errs})
			if got != code {
				t.Errorf("exit code %d, want %d", got, code)
			}
		})
	}
}

// trigger is a stream that does something once a word has come by.
type trigger struct {
	on string
	do func()
}

func (w *trigger) Write(p []byte) (int, error) {
	if w.do != nil && strings.Contains(string(p), w.on) {
		w.do()
		w.do = nil
	}
	return len(p), nil
}

// Help teaches: every command shows how it is used.
func TestHelpHasExamples(t *testing.T) {
	run(t.Context(), nil, "--help").want(t, 0, "Examples:", "pcapdird read --log-dir", "mv trace.pcap")
	for _, command := range []string{"run", "read", "check", "version"} {
		t.Run(command, func(t *testing.T) {
			r := run(t.Context(), nil, command, "--help")
			r.want(t, 0, "Usage:", "Examples:", "  pcapdird "+command)
			if r.err != "" {
				t.Errorf("standard error: %s", r.err)
			}
		})
	}
}

// --quiet leaves errors alone, and a second run into one directory says that it
// appends.
func TestQuietAndAppending(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(testdata, "containers/micro.pcap")
	r := run(t.Context(), nil, "read", "--quiet", "--log-dir", dir, good)
	if r.want(t, 0); r.out+r.err != "" {
		t.Errorf("not quiet: %s%s", r.out, r.err)
	}
	n := lines(t, dir, "conn")
	run(t.Context(), nil, "read", "--log-dir", dir, good).want(t, 0, "has logs already")
	if got := lines(t, dir, "conn"); got != 2*n {
		t.Errorf("%d lines after two runs, %d after one", got, n)
	}
	run(t.Context(), nil, "read", "--quiet", "--log-dir", dir, filepath.Join(testdata, "bad/empty.pcap")).want(t, 1, "empty file")
}

// A --set value overrides the file.
func TestSetOverridesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.toml")
	if err := os.WriteFile(file, []byte("[order]\nwindow = \"1s\"\ninside = \"file\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t.Context(), nil, "check", "--dump", "--config", file, "--set", "order.window=2s").
		want(t, 0, `= "2s"    # reorder window`, `= "file"  # sort`)
}

// Of very many failures the first are named, and the rest are not forgotten.
func TestManyFailures(t *testing.T) {
	dir, logs := t.TempDir(), t.TempDir()
	for i := range 1003 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := run(t.Context(), nil, "read", "--log-dir", logs, dir)
	r.want(t, 1, "and 3 more, each with its reason in "+filepath.Join(logs, "spool.log"), "read 0 of 1003 files")
	if n := strings.Count(r.err, "empty file"); n != 1000 || lines(t, logs, "spool") != 1003 {
		t.Errorf("%d named, %d lines in spool.log", n, lines(t, logs, "spool"))
	}
}
