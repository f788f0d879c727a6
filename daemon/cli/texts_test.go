package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pcapdir/daemon/config"
)

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := run(t.Context(), nil, "completion", shell)
		r.want(t, 0, "pcapdird")
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // it is not here to say what it thinks of the script
		}
		check := exec.Command(path, "-n")
		check.Stdin = strings.NewReader(r.out)
		if text, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, text)
		}
	}
	run(t.Context(), nil, "completion").want(t, 2, "bash, zsh or fish")
	run(t.Context(), nil, "completion", "tcsh").want(t, 2, "bash, zsh or fish")
	run(t.Context(), nil, "__complete", "run", "--set", "order.ho").want(t, 0, "order.hold_back=\tquiet time")
	run(t.Context(), nil, "__complete", "sea").want(t, 0, "seal\t")
}

// The manual page has every command, option and key, and troff has nothing to say of it.
func TestManualPage(t *testing.T) {
	r := run(t.Context(), nil, "man")
	r.want(t, 0, `.B pcapdird run`, `.SS pcapdird requeue FILE...`, `\-\-reset\-state`, `\-o, \-\-output`, "pcapdird plan")
	for _, k := range config.Keys() {
		if !strings.Contains(r.out, strings.NewReplacer("-", `\-`, `"`, `\(dq`).Replace(k.Name+" = "+k.Default)) {
			t.Errorf("%s is not in the page", k.Name)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed, so the page is not checked against it")
	}
	check := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z", "-rLL=100n")
	check.Stdin = strings.NewReader(r.out)
	if text, err := check.CombinedOutput(); err != nil || len(text) > 0 {
		t.Errorf("groff: %v\n%s", err, text)
	}
}

// A slip of the keyboard is answered with what was meant; what is far from everything is not.
func TestDidYouMean(t *testing.T) {
	run(t.Context(), nil, "read", "--log-dri", "x", "y").want(t, 2, "unknown flag: --log-dri: did you mean --log-dir? (see pcapdird read --help)")
	run(t.Context(), nil, "staus").want(t, 2, `unknown command "staus" for "pcapdird": did you mean status? (see pcapdird --help)`)
	for _, args := range [][]string{{"run", "--qqqqqq"}, {"xyzzy"}} {
		r := run(t.Context(), nil, args...)
		r.want(t, 2, "unknown")
		if strings.Contains(r.out+r.err, "did you mean") {
			t.Errorf("%q: %s", args, r.err)
		}
	}
}

// Odd input is told in a line that says what to do, and the exit code says that starting
// again is of no use.
func TestOddInput(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"run extra", `pcapdird run takes no arguments, got "extra" (see pcapdird run --help)`},
		{"check site.toml", `got "site.toml": did you mean --config site.toml?`},
		{"version site.toml", `got "site.toml" (see`},
		{"READ x", "did you mean read?"},
		{"help frobnicate", `unknown command "frobnicate" for "pcapdird" (see`},
		{"help rea", "did you mean read?"},
		{"read --quiet=maybe x", `--quiet wants true or false, got "maybe" (see`},
		{"read --log-dir= x", "--log-dir is empty"},
		{"read --config= x", "--config is empty"},
		{"read --set logs.dir=l x", "use --log-dir"},
		{"run --config=", "--config is empty"},
		{"plan x -", "standard input can be read once only"},
		{"plan", "name at least one capture file or directory (see"},
	} {
		t.Run(c.args, func(t *testing.T) { run(t.Context(), nil, strings.Fields(c.args)...).want(t, 2, c.want) })
	}
	run(t.Context(), nil, "plan", "").want(t, 2, "a PATH is empty")
	run(t.Context(), nil, "requeue", "").want(t, 2, "name at least one file")
	run(t.Context(), nil, "help", "read").want(t, 0, "Read a closed set of captures")
	run(t.Context(), nil, "help").want(t, 0, "pcapdird reads capture files")
}

// A path is told once, and none that nobody gave.
func TestPathIsToldOnce(t *testing.T) {
	r := run(t.Context(), nil, "read", "--log-dir", "/proc", filepath.Join(testdata, "containers/micro.pcap")) // where nobody may write
	if r.want(t, 1, "log directory: cannot write to /proc: "); strings.Contains(r.err, "probe") {
		t.Error(r.err)
	}
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	for _, args := range [][]string{{"plan", none}, {"read", "--log-dir", filepath.Join(dir, "logs"), none}} {
		r := run(t.Context(), nil, args...)
		r.want(t, 1, "no such file or directory")
		if n := strings.Count(r.out+r.err, none); n != 1 {
			t.Errorf("%v: the path is there %d times: %s%s", args, n, r.out, r.err)
		}
	}
	if err := os.Symlink(none, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	run(t.Context(), nil, "plan", filepath.Join(dir, "link")).want(t, 1, "link: lstat "+none+": no such file or directory")
}
