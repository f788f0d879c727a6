package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcapdir/daemon/config"
	"pcapdir/daemon/pipeline"
)

// documents are the pages of Markdown by path, but the changelog, which says how things
// were.
func documents(t *testing.T) map[string]string {
	t.Helper()
	const root = "../.."
	all := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case filepath.Ext(p) != ".md" || d.Name() == "CHANGELOG.md":
			return nil
		}
		text, err := os.ReadFile(p)
		all[strings.TrimPrefix(p, root+"/")] = string(text)
		return err
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("found %d documents: %v", len(all), err)
	}
	return all
}

var shellWords = regexp.MustCompile(`"[^"]*"|'[^']*'|\d?[<>]+&?\d?\(?|[|;&()]+|[^\s|;&<>()]+`)

// commandLines are the arguments of each pcapdird in a line of shell. An upper case COMMAND
// stands for any.
func commandLines(line string) [][]string {
	var all [][]string
	var words []string
	end := func() {
		for len(words) > 0 && (slices.Contains([]string{"$", "time", "sudo"}, words[0]) || strings.HasSuffix(words[0], ":")) {
			words = words[1:]
		}
		if len(words) > 1 && path.Base(words[0]) == "pcapdird" && words[1] != "COMMAND" {
			all = append(all, words[1:])
		}
		words = nil
	}
	target := false // the next word is a file that is redirected to or from
	for _, w := range shellWords.FindAllString(line, -1) {
		switch {
		case strings.HasPrefix(w, "#"):
			end()
			return all
		case strings.HasSuffix(w, "(") || strings.ContainsAny(w[:1], "|;&)"):
			end()
		case strings.ContainsAny(w, "<>") && strings.Trim(w, "0123456789<>&") == "":
			target = true
		case target:
			target = false
		case !strings.HasPrefix(w, "["): // [flags]
			words = append(words, strings.Trim(w, `'"`))
		}
	}
	end()
	return all
}

// checkLine says what is wrong with a command line, without running it: the command, its
// flags, what --set says and, where whole, that nothing is missing.
func checkLine(args []string, whole bool) error {
	root := newRoot(Streams{})
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if c == root && !slices.Contains([]string{"--help", "--version"}, args[0]) {
		return fmt.Errorf("%s is no command", args[0])
	}
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	var bare *pflag.ValueRequiredError
	if err := c.ParseFlags(rest); err != nil && (whole || !errors.As(err, &bare)) {
		return err
	}
	if set, err := c.Flags().GetStringArray("set"); err == nil {
		for i := range set {
			set[i] = os.Expand(set[i], func(string) string { return "/any" })
		}
		if err := config.Default().Set(set); err != nil {
			return err
		}
	}
	if given := c.Flags().Args(); whole && c != root && !c.Flags().Changed("help") {
		return c.ValidateArgs(given)
	}
	return nil
}

var codeSpan = regexp.MustCompile("`[^`\n]+`")

// Every command line in a document names a command and flags that there are. In a fence it
// is whole; in a sentence it may lack arguments, and its first word where a flag follows.
func TestCommandLinesInDocuments(t *testing.T) {
	found := 0
	for name, text := range documents(t) {
		fenced := false
		for i, line := range strings.Split(text, "\n") {
			at := fmt.Sprintf("%s:%d", name, i+1)
			check := func(line string, whole bool) {
				for _, args := range commandLines(line) {
					found++
					if err := checkLine(args, whole); err != nil {
						t.Errorf("%s: pcapdird %s: %v", at, strings.Join(args, " "), err)
					}
				}
			}
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			} else if fenced {
				check(line, true)
			} else {
				for _, span := range codeSpan.FindAllString(line, -1) {
					check(completed(strings.Trim(span, "`")), false)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("found %d command lines", found)
	}
}

var shortened = regexp.MustCompile(`^([a-z]+) .*-`)

// completed is a span such as "run --flush" with the word that is left out before it.
func completed(span string) string {
	if m := shortened.FindStringSubmatch(span); m != nil && slices.ContainsFunc(newRoot(Streams{}).Commands(), func(c *cobra.Command) bool { return c.Name() == m[1] }) {
		return "pcapdird " + span
	}
	return span
}

var loneFlag = regexp.MustCompile("`(?:-[a-z], )?--([a-z-]+)")

// A flag that stands alone is one of some command, where a document is about pcapdird and
// not about rsync and the like. Those of the tools in contrib have one dash.
func TestFlagsInDocuments(t *testing.T) {
	known := map[string]bool{"help": true, "version": true}
	for _, c := range newRoot(Streams{}).Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	}
	found := 0
	for name, text := range documents(t) {
		if path.Dir(name) != "contrib/doc" && name != "README.md" {
			continue
		}
		for _, m := range loneFlag.FindAllStringSubmatch(text, -1) {
			found++
			if !known[m[1]] {
				t.Errorf("%s: no command has --%s", name, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d flags", found)
	}
}

// What finds and checks them does so: what took everything would pass for ever.
func TestCommandLineRule(t *testing.T) {
	for line, want := range map[string]string{
		"pcapdird read --log-dir logs captures/ && ./pcapdird report logs -o report.html # pcapdird frob": "ok ok",
		"tcpdump -w - | ./pcapdird read --log-dri logs -":                                                 "bad",
		"(ulimit -n 64; time ./pcapdird frobnicate many)":                                                 "bad",
		"bash:  source <(pcapdird completion tcsh)":                                                       "bad",
		"$ pcapdird check --dump >/etc/pcapdird 2>/dev/null":                                              "ok",
		"pcapdird read --set order.windw=1s x":                                                            "bad",
		"pcapdird run --set spool.done=$PWD/done extra":                                                   "bad",
		"go build -o pcapdird ./daemon/pcapdird":                                                          "",
		"pcapdird status --uid":                                                                           "bad", "pcapdird COMMAND --help": "", "pcapdird --version": "ok", "pcapdird read [flags] PATH...": "ok", "pcapdird requeue": "bad",
	} {
		var got []string
		for _, args := range commandLines(line) {
			if err := checkLine(args, true); err != nil {
				got = append(got, "bad")
			} else {
				got = append(got, "ok")
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", line, s, want)
		}
	}
	for span, want := range map[string]string{"run --flush": "pcapdird run --flush", "report -o -": "pcapdird report -o -", "read": "read", "rsync --chmod": "rsync --chmod"} {
		if got := completed(span); got != want {
			t.Errorf("%s: %s", span, got)
		}
	}
}

// claim is a sentence in a document that tells an exit code, by how it begins, and what
// shows that it is true.
type claim struct {
	page, begin string
	runs        []exits
}

type exits struct {
	code int
	args string
}

var exitClaims = []claim{
	{"contrib/doc/commands.md", "exit code is 0 when there is none, and 2", []exits{{0, "check"}, {2, "check --set order.windw=1s"}}},
	{"contrib/doc/commands.md", "exit code is 0, or 1 when something will be refused", []exits{{0, "plan GOOD"}, {1, "plan BAD GOOD"}}},
	{"contrib/doc/commands.md", "exit code is 0 when all went well, 1 when some file could not be read", []exits{
		{0, "read --log-dir DIR/logs GOOD"}, {1, "read --log-dir DIR/logs BAD"}, {2, "read --log-dri DIR GOOD"}, {2, "read --set order.window=x GOOD"},
	}},
	{"contrib/doc/commands.md", "exit code is 0, 1 when logs cannot be read, the page not be written or the connection not be found, 2 when", []exits{
		{0, "report -o DIR/page.html LOGS"}, {1, "report -o DIR/page.html DIR/none"}, {1, "report -o DIR/none/page.html LOGS"}, {1, "report --uid none LOGS"}, {2, "report"},
	}},
	{"contrib/doc/promises.md", "exit code 2", nil}, // of a state of another version: TestExitCodeOfErrors
}

var exitSentence = regexp.MustCompile(`exit codes? [^|]*?[.:](?:\s|$)`)

// Every sentence in a document that tells an exit code is one that is shown to be true.
func TestExitCodesInDocuments(t *testing.T) {
	dir := t.TempDir()
	places := strings.NewReplacer("GOOD", "../../testdata/containers/micro.pcap", "BAD", "../../testdata/bad/cut-in-record.pcap", "DIR", dir, "LOGS", dir+"/logs")
	for name, text := range documents(t) {
		for _, sentence := range exitSentence.FindAllString(text, -1) {
			sentence = strings.Join(strings.Fields(sentence), " ")
			if strings.ContainsAny(sentence, "0123456789") && !slices.ContainsFunc(exitClaims, func(c claim) bool { return c.page == name && strings.HasPrefix(sentence, c.begin) }) {
				t.Errorf("%s: %s: nothing in exitClaims shows that", name, sentence)
			}
		}
	}
	if code := Main(t.Context(), strings.Fields(places.Replace("read --log-dir LOGS GOOD")), Streams{Err: io.Discard}); code != exitDone {
		t.Fatalf("logs: exit code %d", code)
	}
	for _, c := range exitClaims {
		for _, r := range c.runs {
			if code := Main(t.Context(), strings.Fields(places.Replace(r.args)), Streams{Out: io.Discard, Err: io.Discard}); code != r.code {
				t.Errorf("%s: exit code %d, want %d", r.args, code, r.code)
			}
		}
	}
}

// The table of exit codes has those that there are.
func TestExitCodeOfErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		stop syscall.Signal
		want string
	}{
		{nil, 0, "0"}, {errors.New("x"), 0, "1"}, {pipeline.ErrFailedFiles, 0, "1"}, {usageError{errors.New("x")}, 0, "2"}, {config.Problems{{}}, 0, "2"},
		{pipeline.ErrConfig, 0, "2"}, {pipeline.ErrBusy, 0, "2"}, {pipeline.ErrState, 0, "2"}, {pipeline.ErrLedger, 0, "2"},
		{nil, syscall.SIGINT, "130"}, {pipeline.ErrFailedFiles, syscall.SIGTERM, "143"}, {errors.New("x"), syscall.SIGTERM, "1"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		if c.stop != 0 {
			cancel(Stopped{c.stop})
		}
		err := c.err
		if err != nil {
			err = fmt.Errorf("while working: %w", err)
		}
		got := fmt.Sprint(exitCode(ctx, err))
		if got != c.want || !slices.ContainsFunc(exitCodes[:], func(m meaning) bool { return slices.Contains(strings.Split(m.of, ", "), got) }) {
			t.Errorf("%v, %v: exit code %s, want %s", c.err, c.stop, got, c.want)
		}
		cancel(nil)
	}
}
