package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// errNotPutAway says that a path is not that of a file in done or failed.
var errNotPutAway = errors.New("not a file in spool.done or spool.failed")

// Requeue moves a file that was put away back into the spool, to be read as if it
// had never been, and removes the reason that lies beside it. It returns where the
// file lies then: in the directory that it came from below the first spool
// directory that has that, under its name. Nothing there is replaced.
//
// No ledger may hold the move that put the file away, or that is done again after
// a crash; the caller sees to that.
func (s *Spool) Requeue(path string) (to string, err error) {
	root, rel, err := s.putAway(path)
	if err != nil {
		return "", err
	}
	from := filepath.Join(root, rel)
	to = filepath.Join(s.homeOf(filepath.Dir(rel)), rel)
	if err := s.fs.MkdirAll(filepath.Dir(to)); err != nil {
		return "", err
	}
	if err := s.fs.RenameNew(from, to); err != nil {
		return "", err
	}
	err = errors.Join(s.fs.SyncDir(filepath.Dir(to)), s.fs.SyncDir(filepath.Dir(from)))
	if root == s.cfg.Failed {
		if e := s.fs.Remove(withSuffix(from, reasonSuffix)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	s.lookSoon()
	return to, err
}

// putAway is the target directory, without links, that path lies in, and the rest
// of the path.
func (s *Spool) putAway(path string) (root, rel string, err error) {
	// Links above the file may lead anywhere; the file itself is none.
	dir, err := s.fs.Resolve(filepath.Dir(path))
	if err != nil {
		return "", "", err
	}
	name := filepath.Base(path)
	path = filepath.Join(dir, name)
	for _, root := range []string{s.cfg.Done, s.cfg.Failed} {
		real, err := s.fs.Resolve(root)
		if err != nil || !within(dir, real) {
			continue
		}
		st, err := s.fs.Lstat(path)
		switch {
		case err != nil:
			return "", "", err
		case !st.Mode.IsRegular():
			return "", "", fmt.Errorf("%w: %w", errNotPutAway, notRegular(st.Mode))
		case strings.HasSuffix(name, reasonSuffix), ignored(name):
			return "", "", fmt.Errorf("%w: that is no capture's name", errNotPutAway)
		case isManifest(name):
			return "", "", fmt.Errorf("%w: what a manifest names stays where it is, and is read again only with spool.duplicates = \"read\"", errNotPutAway)
		}
		rel, err := filepath.Rel(real, path)
		return root, rel, err
	}
	return "", "", fmt.Errorf("%w (%s, %s)", errNotPutAway, s.cfg.Done, s.cfg.Failed)
}

// homeOf is the first spool directory with a source of that name, or the first.
func (s *Spool) homeOf(source string) string {
	for _, dir := range s.cfg.Dirs {
		if isDir(s.fs, filepath.Join(dir, source)) == nil {
			return dir
		}
	}
	return s.cfg.Dirs[0]
}
