package cli

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pcapdir/daemon/config"
)

// newMan prints the manual page, for those who make packages: it is made of the same
// texts as --help.
func newMan(s Streams) *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "print the manual page, pcapdird(8)", Hidden: true,
		Example: "  pcapdird man > pcapdird.8",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return writeMan(s.Out, c.Root()) },
	}
}

// page is a manual page in the making, in man(7).
type page struct{ bytes.Buffer }

func writeMan(w io.Writer, root *cobra.Command) error {
	var p page
	p.WriteString(".TH PCAPDIRD 8 \"\" pcapdir \"System administration\"\n")
	p.section("Name")
	p.text("pcapdird - " + root.Short)
	p.section("Synopsis")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			_, args, _ := strings.Cut(c.Use, " ")
			p.WriteString(strings.TrimRight(".B pcapdird "+roff(c.Name())+"\n"+roff(args), "\n") + "\n.br\n")
		}
	}
	p.section("Description")
	p.text(root.Long)
	p.section("Commands")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			p.command(c)
		}
	}
	p.section("Configuration")
	p.text("The keys of the file that --config names, and of --set, with their defaults. pcapdird check --dump prints such a file.")
	for _, k := range config.Keys() {
		p.item(k.Name+" = "+k.Default, k.Doc)
	}
	p.section("Exit status")
	for _, m := range exitCodes {
		p.item(m.of, m.what)
	}
	p.section("Signals")
	for _, m := range signals {
		p.item(m.of, m.what)
	}
	p.section("Examples")
	p.example(root.Example)
	p.section("See also")
	p.text("systemd.service(5), tcpdump(8), zeek(8)")
	_, err := w.Write(p.Bytes())
	return err
}

func (p *page) section(name string) { p.WriteString(".SH " + strings.ToUpper(name) + "\n") }

func (p *page) command(c *cobra.Command) {
	fmt.Fprintf(p, ".SS pcapdird %s\n", roff(c.Use))
	p.text(c.Long)
	if c.Long == "" {
		p.text(c.Short)
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		p.item(strings.TrimSpace(name+" "+value), usage)
	})
	p.example(c.Example)
}

func (p *page) item(what, text string) {
	p.WriteString(".TP\n.B " + roff(what) + "\n" + roff(text) + "\n")
}

// text is paragraphs; lines that are indented stand as they are.
func (p *page) text(s string) {
	for _, part := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if strings.HasPrefix(part, " ") {
			p.example(part)
			continue
		}
		p.WriteString(".PP\n" + roff(part) + "\n")
	}
}

func (p *page) example(s string) {
	if s != "" {
		p.WriteString(".PP\n.nf\n.RS\n" + roff(s) + "\n.RE\n.fi\n")
	}
}

var lineStart = regexp.MustCompile(`(?m)^([.'])`)

// roff is s with what roff would take for its own escaped.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(s)
	return lineStart.ReplaceAllString(s, `\&$1`)
}
