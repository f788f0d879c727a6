package spool

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
)

// manifestSuffix is what the name of a manifest ends in.
const manifestSuffix = ".manifest"

// Bounds of a manifest: a longer list is more likely no list at all.
const (
	manifestBytes = 256 << 20
	manifestLines = 1_000_000
	pathMax       = 4096 // bytes of a path (PATH_MAX)
	entryBuffer   = 64 << 10
)

func isManifest(name string) bool { return strings.HasSuffix(name, manifestSuffix) }

// manifestLimits are the bounds, for tests to lower.
type manifestLimits struct {
	bytes int64
	lines int
}

// problems is what is wrong with the entries of a manifest.
type problems struct {
	first []string
	more  int
}

// problemsMax is how many are told one by one, each with entryMax bytes of the
// entry at most.
const (
	problemsMax = 20
	entryMax    = 200
)

func (p *problems) add(entry, why string) {
	if len(p.first) == problemsMax {
		p.more++
		return
	}
	if len(entry) > entryMax {
		entry = entry[:entryMax] + "..."
	}
	p.first = append(p.first, entry+": "+why)
}

func (p *problems) String() string {
	s := strings.Join(p.first, "; ")
	if p.more > 0 {
		s += fmt.Sprintf("; and %d more", p.more)
	}
	return s
}

// entriesOf are the paths in a manifest of size bytes, as they are written
// there: one a line, but for blank lines and those that begin with #. Where the
// file holds a NUL, paths end in one, and may hold anything else.
func entriesOf(ctx context.Context, r io.ReaderAt, size int64, limit manifestLimits) ([]string, error) {
	if size > limit.bytes {
		return nil, fmt.Errorf("%w: larger than %d bytes", errManifest, limit.bytes)
	}
	sep, err := separator(&faults{ctx: ctx, r: io.NewSectionReader(r, 0, size)})
	if err != nil {
		return nil, err
	}
	src := &faults{ctx: ctx, r: io.NewSectionReader(r, 0, size)}
	in := bufio.NewScanner(src)
	in.Buffer(make([]byte, 0, entryBuffer), entryBuffer)
	in.Split(func(b []byte, end bool) (int, []byte, error) {
		if n := bytes.IndexByte(b, sep); n >= 0 {
			return n + 1, b[:n], nil
		}
		if end && len(b) > 0 {
			return len(b), b, nil
		}
		return 0, nil, nil
	})
	var paths []string
	for first := true; in.Scan(); first = false {
		p := in.Text()
		if sep == '\n' {
			if first {
				p = strings.TrimPrefix(p, "\ufeff") // some editors begin text so
			}
			p = strings.TrimSuffix(p, "\r")
			if strings.TrimSpace(p) == "" || p[0] == '#' {
				continue
			}
		}
		switch {
		case p == "":
			continue
		case len(p) > pathMax:
			return nil, fmt.Errorf("%w: an entry of %d bytes", errManifest, len(p))
		case len(paths) == limit.lines:
			return nil, fmt.Errorf("%w: more than %d entries", errManifest, limit.lines)
		}
		paths = append(paths, p)
	}
	if src.err != nil {
		return nil, src.err
	}
	if in.Err() != nil {
		return nil, fmt.Errorf("%w: an entry of more than %d bytes", errManifest, entryBuffer)
	}
	return paths, nil
}

// errManifest says that a file is no list of paths.
var errManifest = errors.New("not a manifest")

// separator is what ends the paths of a manifest.
func separator(r io.Reader) (byte, error) {
	b := make([]byte, sameChunk)
	for {
		n, err := r.Read(b)
		switch {
		case bytes.IndexByte(b[:n], 0) >= 0:
			return 0, nil
		case err == io.EOF:
			return '\n', nil
		case err != nil:
			return 0, err
		}
	}
}

// resolver turns the entries of a manifest into files to be read in place.
type resolver struct {
	fs        FS
	dir       string   // of the manifest
	forbidden []string // resolved directories in which no entry may lie
	wait      bool     // an entry that cannot be looked at now is an error of the whole
}

// located is a file that a manifest names, as it is now.
type located struct {
	path string
	id   Identity
}

// resolve finds each file once, in the order of the list. A symbolic link is
// followed, for it is named. Directories are refused: a list names what is in it.
func (r *resolver) resolve(ctx context.Context, entries []string, wrong *problems) (files []located, err error) {
	seen := map[string]bool{}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := r.one(entry)
		switch {
		case r.wait && Retryable(err) && !errors.Is(err, syscall.ENAMETOOLONG):
			return nil, err
		case err != nil:
			wrong.add(entry, plainly(err))
		case !seen[f.path]:
			seen[f.path] = true
			files = append(files, f)
		}
	}
	return files, nil
}

// one finds the file of an entry.
func (r *resolver) one(entry string) (located, error) {
	path := entry
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	if err := r.refuse(path); err != nil {
		return located{}, err // also what was put away since
	}
	real, err := r.fs.Resolve(path)
	if err != nil {
		return located{}, err
	}
	st, err := r.fs.Lstat(real)
	if err == nil && !st.Mode.IsRegular() {
		err = notRegular(st.Mode)
	}
	if err == nil {
		err = r.refuse(real)
	}
	return located{real, st.Identity}, err
}

// refuse says why nothing at path is read for a manifest. What lies in a
// directory of the spool would be read twice.
func (r *resolver) refuse(path string) error {
	if isManifest(path) {
		return errors.New("a manifest cannot name a manifest")
	}
	for _, dir := range r.forbidden {
		if within(path, dir) {
			return fmt.Errorf("in %s, where files are read without being named", dir)
		}
	}
	return nil
}

// plainly is err without the path, which the reader has seen.
func plainly(err error) string {
	if gone(err) {
		return "there is no such file"
	}
	var fault syscall.Errno
	if errors.As(err, &fault) {
		return fault.Error()
	}
	return err.Error()
}
