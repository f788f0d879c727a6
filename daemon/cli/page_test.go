package cli

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite contrib/doc/commands.md")

// TestCommandsPage holds the page of commands to the commands.
func TestCommandsPage(t *testing.T) {
	const path = "../../contrib/doc/commands.md"
	root := newRoot(Streams{})
	for _, c := range root.Commands() {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s is not documented: it wants a Short and an Example", c.Name())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s is not documented", c.Name(), f.Name)
			}
		})
	}
	page := commandsPage(root)
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page {
		t.Errorf("%s is not what the commands say: run the command that it names", path)
	}
}

func commandsPage(root *cobra.Command) string {
	var b, all strings.Builder
	b.WriteString("# Commands\n\n" +
		"What `pcapdird COMMAND --help` says, on one page, which is made of the same texts: `go test ./daemon/cli -run CommandsPage -update`.\n" +
		"`pcapdird man` prints it as a manual page. The keys that `--config` and `--set` know are in [options](options.md).\n\n" +
		"| command | what it does |\n|---|---|\n")
	var configured, asking []string
	var settings string
	for _, c := range root.Commands() {
		fmt.Fprintf(&b, "| [`%s`](#pcapdird-%s) | %s |\n", c.Name(), c.Name(), escaped(c.Short))
		all.WriteString(commandPart(c))
		if c.Flags().Lookup("config") != nil {
			configured, settings = append(configured, "`"+c.Name()+"`"), flagTable(c, true)
		}
		if strings.HasSuffix(c.Long, controlHelp) {
			asking = append(asking, "`"+c.Name()+"`")
		}
	}
	b.WriteString("\n`pcapdird --version` is `pcapdird version` in short.\n\n| exit code | when |\n|---|---|\n")
	for _, m := range exitCodes {
		fmt.Fprintf(&b, "| %s | %s |\n", m.of, escaped(m.what))
	}
	b.WriteString("\n| signal | what it does |\n|---|---|\n")
	for _, m := range signals {
		fmt.Fprintf(&b, "| %s | %s |\n", m.of, escaped(m.what))
	}
	fmt.Fprintf(&b, "\n```sh\n%s\n```\n", unindented(root.Example))
	fmt.Fprintf(&b, "\n## The configuration\n\nTwo more flags are those of %s:\n\n%s", strings.Join(configured, ", "), settings)
	fmt.Fprintf(&b, "\n## A running daemon\n\nIt is asked by %s. %s\n", strings.Join(asking, ", "), escaped(strings.TrimSpace(controlHelp)))
	return b.String() + all.String()
}

// commandPart is the part of one command.
func commandPart(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## pcapdird %s\n\n```\n%s\n```\n", c.Name(), c.UseLine())
	text, asks := strings.CutSuffix(c.Long, controlHelp)
	if text == "" {
		text = strings.ToUpper(c.Short[:1]) + c.Short[1:] + "."
	}
	b.WriteString(paragraphs(text))
	if asks {
		b.WriteString("\nIt asks a [running daemon](#a-running-daemon).\n")
	}
	if table := flagTable(c, false); table != "" {
		b.WriteString("\n" + table)
	}
	fmt.Fprintf(&b, "\n```sh\n%s\n```\n", unindented(c.Example))
	return b.String()
}

// flagTable is the flags of a command: those that make a configuration, or the others.
func flagTable(c *cobra.Command, settings bool) string {
	var b strings.Builder
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if settings != (f.Name == "config" || f.Name == "set") {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		def := strings.Trim(f.DefValue, "[]") // a list of none
		if def != "" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.TrimSpace(name+" "+value), def, escaped(usage))
	})
	if b.Len() == 0 {
		return ""
	}
	return "| flag | default | meaning |\n|---|---|---|\n" + b.String()
}

// paragraphs is a text of --help as Markdown; lines that are indented stand as they are.
func paragraphs(text string) string {
	var b strings.Builder
	for _, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if strings.HasPrefix(part, " ") {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", unindented(part))
		} else {
			fmt.Fprintf(&b, "\n%s\n", escaped(part))
		}
	}
	return b.String()
}

func unindented(text string) string { return strings.ReplaceAll("\n"+text, "\n  ", "\n")[1:] }

// literals are what is shown as it is typed: flags, keys, logs and names with a star.
var literals = regexp.MustCompile(`\*\.[a-z]+|--[a-z][a-z-]*|\b[a-z_]+\.(?:[a-z_]+(?:\.1|=value)?|[0-9-]+\.log)\b`)

func escaped(text string) string {
	text = strings.NewReplacer("<", "&lt;", "|", `\|`).Replace(text)
	return literals.ReplaceAllString(text, "`$0`")
}
