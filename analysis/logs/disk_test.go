package logs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// disk stands between a Dir and its files: it has room for so many bytes, counts
// what is asked of it, and can refuse to sync.
type disk struct {
	room         int
	opens, syncs int
	syncError    error
}

type diskFile struct {
	file
	disk *disk
}

func (d *disk) under(dir *Dir) {
	open := dir.open
	dir.open = func(path string, flag int, mode fs.FileMode) (file, error) {
		d.opens++
		f, err := open(path, flag, mode)
		if err != nil {
			return nil, err
		}
		return diskFile{f, d}, nil
	}
}

func (f diskFile) WriteAt(p []byte, off int64) (int, error) {
	if len(p) <= f.disk.room {
		f.disk.room -= len(p)
		return f.file.WriteAt(p, off)
	}
	n, err := f.file.WriteAt(p[:f.disk.room], off)
	f.disk.room = 0
	return n, errors.Join(syscall.ENOSPC, err)
}

func (f diskFile) Sync() error {
	f.disk.syncs++
	return f.disk.syncError
}

func TestDiskFull(t *testing.T) {
	dir, path := openTestDir(t)
	disk := disk{room: len(first) + 5}
	disk.under(dir)
	at := mustAppend(t, dir, Position{}, first)
	for range 3 {
		if _, err := dir.Append("x", at, bytes.NewReader(second)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("error %v", err)
		}
		wantFile(t, path, string(first)+string(second[:5]))
	}
	disk.room = 1 << 20
	if end := mustAppend(t, dir, at, second); end.Replaced {
		t.Error("taken for someone else's")
	}
	wantFile(t, path, string(first)+string(second))
	if disk.opens != 1 {
		t.Errorf("opened %d times", disk.opens)
	}
}

func TestSyncOnlyWhatWasWritten(t *testing.T) {
	dir, path := openTestDir(t)
	var disk disk
	disk.room = 1 << 20
	disk.under(dir)
	sync := func(want int) {
		t.Helper()
		if disk.syncs = 0; dir.Sync() != nil || disk.syncs != want {
			t.Errorf("%d files synced, want %d", disk.syncs, want)
		}
	}
	sync(0)
	at := mustAppend(t, dir, Position{}, first)
	if _, err := dir.Append("y", Position{}, bytes.NewReader(first)); err != nil {
		t.Fatal(err)
	}
	sync(2)
	sync(0)
	at = mustAppend(t, dir, at, second)
	sync(1)
	mustAppend(t, dir, at, first)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	disk.syncs = 0
	mustAppend(t, dir, at, first)
	if disk.syncs != 1 {
		t.Error("a renamed file with unsynced lines was let go")
	}
	sync(1)
}

func TestSyncErrorIsNotForgotten(t *testing.T) {
	dir, path := openTestDir(t)
	disk := disk{room: 1 << 20, syncError: syscall.EIO}
	disk.under(dir)
	at := mustAppend(t, dir, Position{}, first)
	for range 2 {
		if err := dir.Sync(); !errors.Is(err, syscall.EIO) {
			t.Errorf("error %v", err)
		}
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Append("x", at, bytes.NewReader(second)); !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v", err)
	}
	disk.syncError = nil
	mustAppend(t, dir, at, second)
	if err := dir.Sync(); err != nil {
		t.Error(err)
	}
}
