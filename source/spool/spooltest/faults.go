// Package spooltest has a file system for tests that fails on demand and knows
// how many files are open.
package spooltest

import (
	"io/fs"
	"sync"

	"pcapdir/source/spool"
)

// Op names a file operation.
type Op string

// The operations. Those from Read on are on an open file.
const (
	Open      Op = "open"
	OpenWrite Op = "openwrite"
	ReadDir   Op = "readdir"
	Lstat     Op = "lstat"
	Resolve   Op = "resolve"
	Rename    Op = "rename"
	Remove    Op = "remove"
	MkdirAll  Op = "mkdirall"
	SyncDir   Op = "syncdir"
	Read      Op = "read"
	Write     Op = "write"
	Stat      Op = "stat"
	Sync      Op = "sync"
	Truncate  Op = "truncate"
	Close     Op = "close"
)

// Faults is the operating system's FS with faults. The zero value has none.
// It may be used from several goroutines.
type Faults struct {
	spool.OS

	mu        sync.Mutex
	fail      func(Op, string) error
	calls     map[Op]int
	open, max int
}

// Fail makes f decide before every operation whether it fails; the path is the
// first one of the call. nil ends it. f is never called twice at a time.
func (s *Faults) Fail(f func(Op, string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Calls is how often an operation was asked for.
func (s *Faults) Calls(op Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// MaxOpen is the most files that were open at once, files and not directories.
func (s *Faults) MaxOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.max
}

// NowOpen is how many files are open.
func (s *Faults) NowOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *Faults) check(op Op, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = map[Op]int{}
	}
	s.calls[op]++
	if s.fail == nil {
		return nil
	}
	if err := s.fail(op, path); err != nil {
		return &fs.PathError{Op: string(op), Path: path, Err: err}
	}
	return nil
}

func (s *Faults) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
	s.max = max(s.max, s.open)
}

func (s *Faults) opened(op Op, path string, open func(string) (spool.OpenFile, error)) (spool.OpenFile, error) {
	if err := s.check(op, path); err != nil {
		return nil, err
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	s.count(1)
	return &file{s, path, f}, nil
}

// Open implements spool.FS.
func (s *Faults) Open(path string) (spool.OpenFile, error) { return s.opened(Open, path, s.OS.Open) }

// OpenWrite implements spool.FS.
func (s *Faults) OpenWrite(path string, perm fs.FileMode) (spool.OpenFile, error) {
	return s.opened(OpenWrite, path, func(path string) (spool.OpenFile, error) { return s.OS.OpenWrite(path, perm) })
}

// ReadDir implements spool.FS.
func (s *Faults) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := s.check(ReadDir, path); err != nil {
		return nil, err
	}
	return s.OS.ReadDir(path)
}

// Lstat implements spool.FS.
func (s *Faults) Lstat(path string) (spool.Stat, error) {
	if err := s.check(Lstat, path); err != nil {
		return spool.Stat{}, err
	}
	return s.OS.Lstat(path)
}

// Resolve implements spool.FS.
func (s *Faults) Resolve(path string) (string, error) {
	if err := s.check(Resolve, path); err != nil {
		return "", err
	}
	return s.OS.Resolve(path)
}

// RenameNew implements spool.FS.
func (s *Faults) RenameNew(from, to string) error {
	if err := s.check(Rename, from); err != nil {
		return err
	}
	return s.OS.RenameNew(from, to)
}

// Rename implements spool.FS.
func (s *Faults) Rename(from, to string) error {
	if err := s.check(Rename, from); err != nil {
		return err
	}
	return s.OS.Rename(from, to)
}

// Remove implements spool.FS.
func (s *Faults) Remove(path string) error {
	if err := s.check(Remove, path); err != nil {
		return err
	}
	return s.OS.Remove(path)
}

// MkdirAll implements spool.FS.
func (s *Faults) MkdirAll(path string) error {
	if err := s.check(MkdirAll, path); err != nil {
		return err
	}
	return s.OS.MkdirAll(path)
}

// SyncDir implements spool.FS.
func (s *Faults) SyncDir(path string) error {
	if err := s.check(SyncDir, path); err != nil {
		return err
	}
	return s.OS.SyncDir(path)
}

// file is an open file with faults.
type file struct {
	s    *Faults
	path string
	spool.OpenFile
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.s.check(Read, f.path); err != nil {
		return 0, err
	}
	return f.OpenFile.ReadAt(p, off)
}

// WriteAt writes half of what it should before it fails.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.s.check(Write, f.path); err != nil {
		n, _ := f.OpenFile.WriteAt(p[:len(p)/2], off)
		return n, err
	}
	return f.OpenFile.WriteAt(p, off)
}

func (f *file) Stat() (spool.Stat, error) {
	if err := f.s.check(Stat, f.path); err != nil {
		return spool.Stat{}, err
	}
	return f.OpenFile.Stat()
}

func (f *file) Sync() error {
	if err := f.s.check(Sync, f.path); err != nil {
		return err
	}
	return f.OpenFile.Sync()
}

func (f *file) Truncate(size int64) error {
	if err := f.s.check(Truncate, f.path); err != nil {
		return err
	}
	return f.OpenFile.Truncate(size)
}

// Close closes the file even where it says that it failed.
func (f *file) Close() error {
	f.s.count(-1)
	err := f.OpenFile.Close()
	if fault := f.s.check(Close, f.path); fault != nil {
		return fault
	}
	return err
}
