package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration, and where.
type Problem struct {
	File      string // as it was named to Parse, or "--set"
	Line, Col int    // from 1; 0 when there is no line (--set)
	Key       string // section.key; empty when the syntax is wrong
	Msg       string // what is wrong
	Hint      string // what to write instead; may be empty
}

// String is the problem on one line: file:line:col: key: what is wrong (hint).
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Msg)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// Problems is every problem found, in the order of the file. It is the error
// of Parse, Load and Set whenever the text, not the reading of it, is at fault.
type Problems []Problem

// Error prints one problem per line, without a final newline.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// err is ps in the order of the file, or nil: an empty Problems in an error
// would not compare equal to nil.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return ps
}
