// Package dirs does what package os does not with the names in a directory: a rename
// that takes no other file's name, and names that survive a crash.
package dirs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// RenameNew renames where nothing may be at to: else it fails with an error that is
// fs.ErrExist, and nothing changes. Where the file system cannot say that in the same
// step, as NFS, it is asked before. Other errors are those of os.Rename and os.Lstat.
func RenameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return renameAsked(from, to)
	case err != nil:
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// renameAsked does so in two steps. What cannot be looked at may be there.
func renameAsked(from, to string) error {
	switch _, err := os.Lstat(to); {
	case err == nil:
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(from, to)
}

// Sync writes to the disk which names the directory at path holds.
func Sync(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
