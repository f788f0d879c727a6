package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Walk finds and indexes what the paths name: files, and directories with all
// that lies below them; of a manifest, what it lists. It is for a closed set that is read once and left
// where it is. A symbolic link is followed where it is named, never where it
// is found; a file that is reached twice is read once. Everything that cannot
// be read is a File with Err, so that nothing asked for goes unmentioned; the
// names that the spool ignores are ignored below directories. The order is
// that of paths, and by name below a directory. The error is that of ctx alone.
func Walk(ctx context.Context, d *Descriptors, paths []string) ([]*File, error) {
	w := walk{ctx: ctx, fs: d.fs, pool: d, seen: map[string]bool{}, dirs: map[Identity]bool{}}
	for _, path := range paths {
		w.named(path)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.index(d); err != nil {
		return nil, err
	}
	return w.files, nil
}

// walk is the state of one Walk.
type walk struct {
	ctx   context.Context
	fs    FS
	pool  *Descriptors
	files []*File
	todo  []int             // places in files that are still to be indexed
	seen  map[string]bool   // resolved paths of files
	dirs  map[Identity]bool // directories by inode alone: bind mounts make loops
}

// named adds what the user named.
func (w *walk) named(path string) {
	real, err := w.fs.Resolve(path)
	if err != nil {
		w.add(path, "", err)
		return
	}
	st, err := w.fs.Lstat(real)
	switch {
	case err != nil:
		w.add(path, "", err)
	case st.Mode.IsDir():
		w.directory(real, "", st)
	case !st.Mode.IsRegular():
		w.add(path, "", notRegular(st.Mode))
	case isManifest(real):
		w.manifest(real, "")
	default:
		w.file(real, "")
	}
}

// directory adds everything below dir, whose place below the named one is source.
func (w *walk) directory(dir, source string, st Stat) {
	inode := Identity{Dev: st.Dev, Ino: st.Ino}
	if w.dirs[inode] || w.ctx.Err() != nil {
		return
	}
	w.dirs[inode] = true
	entries, err := w.fs.ReadDir(dir)
	if err != nil {
		w.add(dir, source, err)
	}
	for _, e := range entries {
		w.found(filepath.Join(dir, e.Name()), source, e)
	}
}

// found adds one entry of a directory.
func (w *walk) found(path, source string, e fs.DirEntry) {
	switch name := e.Name(); {
	case ignored(name):
	case e.IsDir():
		st, err := w.fs.Lstat(path)
		if err != nil {
			w.add(path, source, err)
			return
		}
		w.directory(path, filepath.Join(source, name), st)
	case !e.Type().IsRegular():
		w.add(path, source, notRegular(e.Type()))
	case isManifest(name):
		w.manifest(path, source)
	default:
		w.file(path, source)
	}
}

// manifest adds what a manifest lists. It is itself mentioned only where
// something is wrong with it.
func (w *walk) manifest(path, source string) {
	if w.seen[path] {
		return
	}
	w.seen[path] = true
	h := w.pool.File(path, Identity{})
	h.WaitUntil(w.ctx)
	defer func() { _ = h.Close() }() // opened for reading
	st, err := h.Stat()
	if err != nil {
		w.add(path, source, err)
		return
	}
	entries, err := entriesOf(w.ctx, h, st.Size, manifestLimits{manifestBytes, manifestLines})
	if err != nil {
		w.add(path, source, err)
		return
	}
	r := resolver{fs: w.fs, dir: filepath.Dir(path)}
	var wrong problems
	files, err := r.resolve(w.ctx, entries, &wrong)
	if err != nil {
		w.add(path, source, err)
		return
	}
	for _, f := range files {
		w.file(f.path, source)
	}
	if len(wrong.first) > 0 {
		w.add(path, source, fmt.Errorf("not all that it names can be read: %s", &wrong))
	}
}

// add reports what is at path as something that cannot be read.
func (w *walk) add(path, source string, err error) {
	w.files = append(w.files, &File{Path: path, Name: filepath.Base(path), Source: source, Err: pathless(err, path)})
}

// file adds a file to be indexed, once.
func (w *walk) file(path, source string) {
	if w.seen[path] {
		return
	}
	w.seen[path] = true
	w.todo = append(w.todo, len(w.files))
	w.add(path, source, nil)
}

// index fills in the files that were found.
func (w *walk) index(d *Descriptors) error {
	paths := make([]string, len(w.todo))
	for i, at := range w.todo {
		paths[i] = w.files[at].Path
	}
	done, err := IndexAll(w.ctx, d, paths)
	if err != nil {
		return err
	}
	for i, at := range w.todo {
		if f := done[i].File; f != nil {
			f.Source = w.files[at].Source
			w.files[at] = f
		} else {
			w.files[at].Err = pathless(done[i].Err, paths[i])
		}
	}
	return nil
}

// pathless is err without path, where that is all that it adds: whoever tells of it names
// the file. One about another, as the target of a link is, stays as it is.
func pathless(err error, path string) error {
	var at *fs.PathError
	abs, absErr := filepath.Abs(path)
	if errors.As(err, &at) && absErr == nil && at.Path == abs && err.Error() == at.Error() {
		return at.Err
	}
	return err
}

// Cause is what the system said of a file or of two, without their names.
func Cause(err error) error {
	var one *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return one.Err
	case errors.As(err, &two):
		return two.Err
	}
	return err
}
