package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// ProbePrefix begins the names of probe files, dot-files, so that no scan takes
// them for captures. The rest is random: depositors can write to the watched
// directories, and a name known beforehand could be taken.
const ProbePrefix = ".pcapdir-probe-"

// Make makes the directories that are missing, and checks that none is in the way of
// another. The error is ErrConfig.
func (s *Spool) Make() error {
	if err := s.cfg.validate(); err != nil {
		return err
	}
	if err := s.make(); err != nil {
		return err
	}
	return s.distinct()
}

// Probe does what Make does, and checks that a file can be renamed from each watched
// directory to where it will go. The error is ErrConfig. Files are never copied
// instead: a copy is neither atomic nor cheap, and a full disk would stop the work half
// way.
func (s *Spool) Probe() error {
	if err := s.Make(); err != nil {
		return err
	}
	for _, dir := range append(s.targets(), s.cfg.Apart...) {
		s.sweep(dir)
	}
	for _, dir := range s.cfg.Dirs {
		if err := s.probe(dir); err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	s.probed = true
	return nil
}

// make makes the directories that are missing, and says so: a watched one that
// is not there may be a name that was mistyped.
func (s *Spool) make() error {
	for _, dir := range append(s.targets(), s.cfg.Dirs...) {
		_, err := s.fs.Lstat(dir)
		missing := errors.Is(err, fs.ErrNotExist)
		if err := s.fs.MkdirAll(dir); err != nil {
			return fmt.Errorf("%w: cannot make directory: %w", ErrConfig, err)
		}
		switch {
		case missing && slices.Contains(s.cfg.Dirs, dir):
			s.log.Warn("a watched directory was not there and was made", "dir", dir)
		case missing:
			s.log.Info("a directory was not there and was made", "dir", dir)
		}
	}
	return nil
}

// targets are the directories that files are moved to.
func (s *Spool) targets() []string {
	if s.cfg.After == AfterDone {
		return []string{s.cfg.Done, s.cfg.Failed}
	}
	return []string{s.cfg.Failed}
}

// distinct refuses a target that is, or contains, a watched directory: files
// would be put away into the spool, or the spool never be read. And it refuses to
// watch what is no capture.
func (s *Spool) distinct() error {
	watched := map[string]string{}
	for _, dir := range s.cfg.Dirs {
		real, err := s.fs.Resolve(dir)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		watched[real] = dir
	}
	for _, dir := range s.cfg.Apart {
		apart, err := s.fs.Resolve(dir)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		for real, spool := range watched {
			if within(apart, real) {
				return fmt.Errorf("%w: %s lies in %s, which is watched with all below it: what is written there would be read", ErrConfig, dir, spool)
			}
		}
	}
	seen := map[string]string{}
	for _, dir := range s.targets() {
		real, err := s.fs.Resolve(dir)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		if other, ok := seen[real]; ok {
			return fmt.Errorf("%w: %s and %s are the same directory", ErrConfig, other, dir)
		}
		seen[real] = dir
		for w, spool := range watched {
			if within(w, real) {
				return fmt.Errorf("%w: %s would be watched and lies in %s, where files are put away", ErrConfig, spool, dir)
			}
		}
	}
	return nil
}

// sweep removes probe files that a crash left behind. They do no harm: what
// cannot be listed or removed stays.
func (s *Spool) sweep(dir string) {
	names, _ := s.fs.ReadDir(dir)
	for _, e := range names {
		if strings.HasPrefix(e.Name(), ProbePrefix) && e.Type().IsRegular() {
			_ = s.fs.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// probe renames an empty file from dir through the targets.
func (s *Spool) probe(dir string) (err error) {
	s.sweep(dir)
	name := ProbePrefix + rand.Text()
	at := filepath.Join(dir, name)
	defer func() {
		if rmErr := s.fs.Remove(at); err == nil && rmErr != nil {
			err = fmt.Errorf("cannot remove the probe file: %w", rmErr)
		}
	}()
	f, err := s.fs.OpenWrite(at, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("cannot write to %s: %w", dir, Cause(err))
	}
	for _, target := range s.targets() {
		to := filepath.Join(target, name)
		if err := s.fs.MkdirAll(target); err != nil {
			return fmt.Errorf("cannot make %s: %w", target, err)
		}
		if err := s.fs.Rename(at, to); err != nil {
			return fmt.Errorf("cannot rename files from %s to %s (they must be on one file system "+
				"and writable): %w", filepath.Dir(at), target, Cause(err))
		}
		at = to
	}
	return nil
}
