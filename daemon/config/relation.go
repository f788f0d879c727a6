package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// relations is what is wrong between values that are each right. Paths are
// compared as written: what a symbolic link makes of them only the spool sees.
func (c *Config) relations() Problems {
	var ps Problems
	ps = append(ps, c.windowProblems()...)
	if c.Order.Index == IndexFull && c.Order.Inside == InsideFile {
		ps = c.relation(ps, Problem{
			Key: "order.index", Msg: `"full" reorders what order.inside = "file" leaves as it stands`,
			Hint: `write "first", or order.inside = "sort"`,
		}, "order.index", "order.inside")
	}
	if c.Status.Listen != "" && filepath.Clean(c.Status.Listen) == filepath.Clean(c.ControlPath()) {
		ps = c.relation(ps, Problem{
			Key: "status.listen", Msg: "is the control socket", Hint: "take another path",
		}, "status.listen", "status.control", "commit.dir")
	}
	if c.Logs.Format == FormatTSV && c.Logs.TS != TimesEpoch {
		ps = c.relation(ps, Problem{
			Key: "logs.ts", Msg: "is of JSON, and logs.format is \"tsv\", which has times as Zeek writes them", Hint: `write "epoch", or logs.format = "json"`,
		}, "logs.ts", "logs.format")
	}
	ps = append(ps, c.relativeProblems()...)
	return append(ps, c.pathProblems()...)
}

func (c *Config) windowProblems() Problems {
	var ps Problems
	pane := c.Vectors.Pane
	if pane%time.Second != 0 {
		return c.relation(ps, Problem{
			Key: "vectors.pane", Msg: fmt.Sprintf("%s is not a whole number of seconds", spell(pane)),
		}, "vectors.pane")
	}
	for i, w := range c.Vectors.Windows {
		if w%pane == 0 {
			continue
		}
		ps = c.relation(ps, Problem{
			Key: "vectors.windows", Msg: fmt.Sprintf("%s is not a multiple of vectors.pane, %s", spell(w), spell(pane)),
			Hint: fmt.Sprintf("write %q", spell(max(pane, w.Round(pane)))),
		}, element("vectors.windows", i), "vectors.windows", "vectors.pane")
	}
	return ps
}

// relativeProblems refuses relative directories in the spool: the daemon makes
// what is missing, and would watch an empty directory of its own.
func (c *Config) relativeProblems() Problems {
	var ps Problems
	refuse := func(dir string, keys ...string) {
		if !filepath.IsAbs(dir) {
			ps = c.relation(ps, Problem{
				Key: keys[len(keys)-1], Msg: fmt.Sprintf("%q is a relative path", dir),
				Hint: "write it from the root, as in \"/var/spool/pcapdir/...\"",
			}, keys...)
		}
	}
	for i, dir := range c.Spool.Dirs {
		refuse(dir, element("spool.dirs", i), "spool.dirs")
	}
	refuse(c.Spool.Done, "spool.done")
	refuse(c.Spool.Failed, "spool.failed")
	return ps
}

// pathProblems refuses what would make the daemon read its own output, or one
// capture twice.
func (c *Config) pathProblems() Problems {
	var ps Problems
	outputs := []struct{ key, path string }{
		{"spool.done", c.Spool.Done}, {"spool.failed", c.Spool.Failed},
		{"logs.dir", c.Logs.Dir}, {"commit.dir", c.Commit.Dir},
	}
	for i, dir := range c.Spool.Dirs {
		this := element("spool.dirs", i)
		for _, out := range outputs {
			if within(out.path, dir) {
				ps = c.relation(ps, Problem{
					Key: out.key, Msg: fmt.Sprintf("%s lies inside the watched %s", out.path, dir),
					Hint: "put it beside that directory, not into it",
				}, out.key, this, "spool.dirs")
			}
		}
		for j, other := range c.Spool.Dirs {
			if i != j && within(dir, other) && (i > j || !within(other, dir)) {
				ps = c.relation(ps, Problem{
					Key: "spool.dirs", Msg: fmt.Sprintf("%s lies inside %s, which is watched with its sub-directories", dir, other),
					Hint: "leave it out",
				}, this, "spool.dirs")
			}
		}
	}
	if within(c.Spool.Failed, c.Spool.Done) && within(c.Spool.Done, c.Spool.Failed) {
		ps = c.relation(ps, Problem{
			Key: "spool.failed", Msg: "is the same directory as spool.done", Hint: "files would mix that must not",
		}, "spool.failed", "spool.done")
	}
	return ps
}

// relation adds p, placed at the first of keys that somebody set. It adds
// nothing when one of them was refused: then the value seen is not the one
// meant, and the operator will look there anyway.
func (c *Config) relation(ps Problems, p Problem, keys ...string) Problems {
	for _, key := range keys {
		if c.origin[key].refused {
			return ps
		}
	}
	for _, key := range keys {
		if at, ok := c.origin[key]; ok {
			p.File, p.Line, p.Col = at.file, at.line, at.col
			break
		}
	}
	return append(ps, p)
}

// within says whether path is dir or below it.
func within(path, dir string) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
