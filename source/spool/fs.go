package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"pcapdir/source/dirs"
)

// FS is the seam through which every file operation of the spool, the ledger
// and the commit goes, so that tests can make any of them fail. Errors are
// those of package os: errors.Is with fs.ErrNotExist and syscall.Errno works.
type FS interface {
	// Open opens a regular file for reading. It never follows a symbolic link
	// in the last element and never waits for the other end of a FIFO; what is
	// not a regular file is refused with an error that is ErrNotRegular.
	Open(path string) (OpenFile, error)
	// OpenWrite opens a regular file for reading and writing and creates it
	// with the mode perm where it is missing. What it holds stays.
	OpenWrite(path string, perm fs.FileMode) (OpenFile, error)
	// ReadDir lists a directory sorted by name, with types but without a stat
	// of every entry.
	ReadDir(path string) ([]fs.DirEntry, error)
	// Lstat describes what is at path, a symbolic link itself.
	Lstat(path string) (Stat, error)
	// Resolve is path made absolute and without symbolic links. It fails where
	// nothing is there.
	Resolve(path string) (string, error)
	// Rename moves a file within one file system, over what is at to.
	Rename(from, to string) error
	// RenameNew is Rename where nothing may be at to: then it fails with an
	// error that is fs.ErrExist, and nothing has happened.
	RenameNew(from, to string) error
	// Remove unlinks a file.
	Remove(path string) error
	// MkdirAll makes a directory (mode 0750) and its parents.
	MkdirAll(path string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(path string) error
}

// OpenFile is one open descriptor. Offsets and lengths are in bytes.
type OpenFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (Stat, error)
	Sync() error
	Truncate(size int64) error
	// Forget says that n bytes from off on will not be read again soon, so that the
	// system need not keep them in memory. It is advice, and cannot fail.
	Forget(off, n int64)
}

// ErrNotRegular says that a path holds no regular file: a directory, a FIFO, a
// socket, a device or a symbolic link. Its text names which.
var ErrNotRegular = errors.New("not a regular file")

// notRegular is ErrNotRegular with the kind of thing that mode describes.
func notRegular(mode fs.FileMode) error {
	kind := "unknown kind"
	switch mode.Type() {
	case fs.ModeDir:
		kind = "directory"
	case fs.ModeSymlink:
		kind = "symbolic link"
	case fs.ModeNamedPipe:
		kind = "fifo"
	case fs.ModeSocket:
		kind = "socket"
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		kind = "device"
	}
	return fmt.Errorf("%w: %s", ErrNotRegular, kind)
}

// OS is the operating system's FS.
type OS struct{}

// openFlags go with every open: a link in the last element is refused, and
// O_NONBLOCK makes opening a FIFO return at once. Regular files ignore it.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC

// Open implements FS.
func (OS) Open(path string) (OpenFile, error) { return openRegular(path, os.O_RDONLY|openFlags, 0) }

// OpenWrite implements FS.
func (OS) OpenWrite(path string, perm fs.FileMode) (OpenFile, error) {
	return openRegular(path, os.O_RDWR|os.O_CREATE|openFlags, perm)
}

func openRegular(path string, flags int, perm fs.FileMode) (OpenFile, error) {
	f, err := os.OpenFile(path, flags, perm)
	if err != nil {
		return nil, openError(path, err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: notRegular(st.Mode())}
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return osFile{f}, nil
}

// openError names the refusal of what cannot be opened at all: the kernel says
// ELOOP for a link and ENXIO for a socket.
func openError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ELOOP):
		return &fs.PathError{Op: "open", Path: path, Err: notRegular(fs.ModeSymlink)}
	case errors.Is(err, syscall.ENXIO):
		return &fs.PathError{Op: "open", Path: path, Err: notRegular(fs.ModeSocket)}
	}
	return err
}

// ReadDir implements FS.
func (OS) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }

// Lstat implements FS.
func (OS) Lstat(path string) (Stat, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return Stat{}, err
	}
	return statOf(st), nil
}

// Resolve implements FS.
func (OS) Resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// RenameNew implements FS.
func (OS) RenameNew(from, to string) error { return dirs.RenameNew(from, to) }

// Remove implements FS.
func (OS) Remove(path string) error { return os.Remove(path) }

// MkdirAll implements FS.
func (OS) MkdirAll(path string) error { return os.MkdirAll(path, 0o750) }

// SyncDir implements FS.
func (OS) SyncDir(path string) error { return dirs.Sync(path) }

// osFile is an *os.File whose Stat speaks our words.
type osFile struct{ *os.File }

// Stat implements OpenFile.
func (f osFile) Stat() (Stat, error) {
	st, err := f.File.Stat()
	if err != nil {
		return Stat{}, err
	}
	return statOf(st), nil
}

// Forget implements OpenFile by posix_fadvise(2).
func (f osFile) Forget(off, n int64) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) { _ = unix.Fadvise(int(fd), off, n, unix.FADV_DONTNEED) }) // advice
}

// gone says that nothing is at a path, or that there is no such directory: a
// file has the name of one.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// obstructed says that a directory cannot be made or entered because of what
// has its name, or that of one above it. A dangling link is such a thing.
func obstructed(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.ELOOP)
}

// Retryable says that an error is one of opening or reading a file that may be
// mended (permission, EIO, EMFILE, ESTALE): the file stays and is tried again.
// It is false for what is wrong with the content, for ErrReplaced and
// ErrNotRegular, and for a file that is gone.
func Retryable(err error) bool {
	var fault syscall.Errno
	return errors.As(err, &fault) && !gone(err) && !errors.Is(err, ErrReplaced)
}

// ReadFault says that an error is one of reading a file, or that another file
// took its place: there may be more in it than was read.
func ReadFault(err error) bool {
	var fault syscall.Errno
	return errors.As(err, &fault) || errors.Is(err, ErrReplaced)
}

// WriteDurable makes path hold exactly b, on disk before it returns; a new
// file is for its owner alone (mode 0600). A crash in the middle leaves a torn
// file: what must be replaced whole is written under another name and renamed.
func WriteDurable(fsys FS, path string, b []byte) error { return writeDurable(fsys, path, b, 0o600) }

func writeDurable(fsys FS, path string, b []byte, perm fs.FileMode) error {
	f, err := fsys.OpenWrite(path, perm)
	if err != nil {
		return err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	// Some file systems report a failed write only here.
	return errors.Join(err, f.Close())
}
