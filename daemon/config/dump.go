package config

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// Dump writes the effective configuration as TOML that Parse reads back to the
// same, every key with what it is for.
func (c *Config) Dump(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# Configuration of pcapdird. Every key is optional; what is not set has its default.\n")
	b.WriteString("# Durations are strings with a unit: \"100ms\", \"5s\", \"1m30s\", \"24h\".\n")
	fmt.Fprintf(&b, "# At a reload (pcapdird reload, SIGHUP) a running daemon takes on %s;\n# what else has changed holds from the next start on, which loses nothing.\n", Live())
	for i := 0; i < len(fields); {
		n := i
		for n < len(fields) && fields[n].section() == fields[i].section() {
			n++
		}
		c.dumpSection(&b, fields[i:n])
		i = n
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("dump configuration: %w", err)
	}
	return nil
}

// dumpSection writes one table, its comments in a column.
func (c *Config) dumpSection(b *bytes.Buffer, of []field) {
	fmt.Fprintf(b, "\n[%s]\n", of[0].section())
	names, lines, width := 0, make([]string, len(of)), 0
	for _, f := range of {
		names = max(names, len(f.name()))
	}
	for i, f := range of {
		lines[i] = fmt.Sprintf("%-*s = %s", names, f.name(), f.in(c).append(nil))
		width = max(width, utf8.RuneCountInString(lines[i]))
	}
	for i, f := range of {
		if f.doc == "" {
			fmt.Fprintln(b, lines[i])
			continue
		}
		fmt.Fprintf(b, "%-*s # %s\n", width, lines[i], f.doc)
	}
}
