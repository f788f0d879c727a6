package logs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"pcapdir/source/dirs"
)

// Dir is the Sink of live files: the log "conn" is the file conn.log in a directory.
//
// Files may be renamed, removed or truncated from outside at any time: every Append
// looks at the name first and follows what it finds.
type Dir struct {
	path    string
	files   map[string]*liveFile
	renamed bool // names were made or changed since the directory was last synced
	chunk   []byte
	open    func(path string, flag int, mode fs.FileMode) (file, error)
}

// file is what Dir needs of *os.File; tests put failing disks in its place.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
}

type liveFile struct {
	file
	dev, ino uint64
	dirty    bool // written since the last sync
}

// OpenDir uses the directory at path, which it makes (mode 0750) when it is not
// there. Log files are made when they get their first line, with mode 0640.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("log directory: %w", err)
	}
	return &Dir{path: path, files: map[string]*liveFile{}, open: openFile}, nil
}

func openFile(path string, flag int, mode fs.FileMode) (file, error) {
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err // not a nil *os.File in an interface
	}
	return f, nil
}

func (d *Dir) name(log string) string { return filepath.Join(d.path, log+".log") }

// Position implements Sink.
func (d *Dir) Position(log string) (Position, error) {
	info, err := os.Stat(d.name(log))
	if errors.Is(err, fs.ErrNotExist) {
		// Where the directory is gone, nothing is known of the log.
		if _, err = os.Stat(d.path); err == nil {
			return Position{}, nil
		}
	}
	if err != nil {
		return Position{}, fmt.Errorf("position of log: %w", err)
	}
	p, err := positionOf(info)
	if err != nil || p.Length == 0 {
		return p, err
	}
	f, err := d.live(log)
	if err == nil {
		p.Torn, err = f.torn(p.Length)
	}
	if err != nil {
		return Position{}, fmt.Errorf("position of log: %w", err)
	}
	return p, nil
}

func positionOf(info fs.FileInfo) (Position, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return Position{}, fmt.Errorf("log %s is not a regular file", info.Name())
	}
	return Position{Dev: uint64(stat.Dev), Ino: stat.Ino, Length: info.Size()}, nil
}

// Append implements Sink. An unterminated tail that a cut-short Append left is
// completed to the same line, so a reader that follows the file never sees bytes
// change. Errors, a full disk among them, leave a state that repeating it heals.
func (d *Dir) Append(log string, at Position, lines Lines) (Position, error) {
	if lines.Size() == 0 {
		return at, nil
	}
	f, err := d.live(log)
	if err != nil {
		return Position{}, fmt.Errorf("append to log: %w", err)
	}
	start, replaced, err := f.place(at, lines)
	if err != nil {
		return Position{}, fmt.Errorf("append to log: %w", err)
	}
	if start > 0 && replaced {
		// Someone else's file may end in half a line: not ours to complete.
		if lines, err = f.ownLine(start, lines); err != nil {
			return Position{}, fmt.Errorf("append to log: %w", err)
		}
	}
	f.dirty = true // also when the write fails half way
	if err := d.write(f, lines, start); err != nil {
		return Position{}, fmt.Errorf("append to log: %w", err)
	}
	return Position{Dev: f.dev, Ino: f.ino, Length: start + lines.Size(), Replaced: replaced}, nil
}

// chunkSize is how much is read, compared or written at once.
const chunkSize = 64 << 10

// write writes lines at start.
func (d *Dir) write(f *liveFile, lines Lines, start int64) error {
	if d.chunk == nil {
		d.chunk = make([]byte, chunkSize)
	}
	for at := int64(0); at < lines.Size(); {
		chunk := d.chunk[:min(chunkSize, lines.Size()-at)]
		if n, err := lines.ReadAt(chunk, at); n < len(chunk) {
			return fmt.Errorf("read what is to be written: %w", err)
		}
		if _, err := f.WriteAt(chunk, start+at); err != nil {
			return err
		}
		at += int64(len(chunk))
	}
	return nil
}

// live is the open file that bears the log's name now.
func (d *Dir) live(log string) (*liveFile, error) {
	old := d.files[log]
	info, err := os.Stat(d.name(log))
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, err
	}
	if !missing {
		now, err := positionOf(info) // before opening: opening a FIFO would block
		if err != nil {
			return nil, err
		}
		if old != nil && old.dev == now.Dev && old.ino == now.Ino {
			return old, nil
		}
	}
	if err := d.drop(log); err != nil {
		return nil, err
	}
	return d.reopen(log, missing)
}

// drop lets go of a file whose name was taken away. What it holds is synced first:
// whoever renamed it keeps it.
func (d *Dir) drop(log string) error {
	f := d.files[log]
	if f == nil {
		return nil
	}
	if f.dirty {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	delete(d.files, log)
	return f.Close()
}

func (d *Dir) reopen(log string, create bool) (*liveFile, error) {
	flag := os.O_RDWR | syscall.O_NONBLOCK // in case it became a FIFO since
	if create {
		flag |= os.O_CREATE
	}
	f, err := d.open(d.name(log), flag, 0o640)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p, err := positionOf(info)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d.renamed = d.renamed || create
	d.files[log] = &liveFile{file: f, dev: p.Dev, ino: p.Ino}
	return d.files[log], nil
}

// Sync implements Sink: the files written since the last Sync, and the directory
// when it got a new name.
func (d *Dir) Sync() error {
	for log, f := range d.files {
		if !f.dirty {
			continue
		}
		if err := f.Sync(); err != nil {
			return fmt.Errorf("sync log %s: %w", log, err)
		}
		f.dirty = false
	}
	if !d.renamed {
		return nil
	}
	if err := dirs.Sync(d.path); err != nil {
		return fmt.Errorf("sync log directory: %w", err)
	}
	d.renamed = false
	return nil
}

// Close closes the files. It does not sync them.
func (d *Dir) Close() error {
	var errs []error
	for log, f := range d.files {
		errs = append(errs, f.Close())
		delete(d.files, log)
	}
	return errors.Join(errs...)
}
