package cli_test

import (
	"os/exec"
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
