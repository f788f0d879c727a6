package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// batch is one round of moves: directories are made and synced once for all.
type batch struct {
	*retirer
	made  map[string][]string // directories known to exist, and those that changed when they were made
	dirty map[string]error    // directories whose names changed, and how syncing them went
	// touched are the directories that the move at hand relies on: it is done
	// when all of them are on disk.
	touched []string
	// place is where the file of the move at hand lies now; "": nowhere.
	place string
}

// moved is a move that is done, and where its file lies now; "": nowhere.
type moved struct {
	Move
	place string
}

// do tries every move and makes those that went well durable. left are the
// others, in order, for the reasons joined in the error. All can be repeated.
func (r *retirer) do(moves []Move) (done []moved, left []Move, err error) {
	b := batch{retirer: r, made: map[string][]string{}, dirty: map[string]error{}}
	failed := make([]error, len(moves))
	relies := make([][]string, len(moves))
	places := make([]string, len(moves))
	for i, m := range moves {
		b.touched, b.place = nil, ""
		failed[i] = b.one(m)
		relies[i], places[i] = b.touched, b.place
	}
	b.sync()
	var errs []error
	for i, m := range moves {
		for _, dir := range relies[i] {
			failed[i] = cmp.Or(failed[i], b.dirty[dir])
		}
		if failed[i] != nil {
			left, errs = append(left, m), append(errs, fmt.Errorf("retire %s: %w", m.From, failed[i]))
			continue
		}
		done = append(done, moved{m, places[i]})
		r.release(m)
	}
	return done, left, joined(errs)
}

// maxErrors bounds the text of joined errors: a directory that cannot be
// written to fails as many moves as it has files.
const maxErrors = 10

func joined(errs []error) error {
	if more := len(errs) - maxErrors; more > 0 {
		errs = append(errs[:maxErrors:maxErrors], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// touch notes that the move at hand is done when dirs are on disk.
func (b *batch) touch(dirs ...string) {
	for _, dir := range dirs {
		b.dirty[dir] = nil
	}
	b.touched = append(b.touched, dirs...)
}

// sync makes all changed directories durable, each for itself: one that cannot
// be opened holds up only what was moved in or out of it.
func (b *batch) sync() {
	for dir := range b.dirty {
		// A spool directory that is gone by now took its names along.
		if err := b.fs.SyncDir(dir); err != nil && !gone(err) {
			b.dirty[dir] = fmt.Errorf("sync %s: %w", dir, err)
		}
	}
}

// one does one move, or finds it done.
func (b *batch) one(m Move) error {
	if m.To == "" && !m.Remove {
		b.place = m.From
		return nil
	}
	st, err := b.fs.Lstat(m.From)
	if gone(err) || err == nil && !st.SameFile(m.Identity) {
		return b.finished(m, err == nil)
	}
	if err != nil {
		return err
	}
	if !b.unchanged(m, st) {
		return b.setAside(m, st)
	}
	if m.Remove {
		b.touch(filepath.Dir(m.From))
		return b.fs.Remove(m.From)
	}
	return b.rename(m)
}

// finished checks a move whose file is no longer at From: it was done before a
// crash, or someone else took the file.
func (b *batch) finished(m Move, other bool) error {
	if m.Remove {
		return nil
	}
	for _, to := range b.places(m) {
		st, err := b.fs.Lstat(to)
		if err == nil && st.SameFile(m.Identity) {
			b.touch(filepath.Dir(to), filepath.Dir(m.From))
			return b.explain(m, to)
		}
		if err != nil && !gone(err) {
			return err
		}
	}
	b.log.Warn("a file was taken out of the spool by someone else before it was put away",
		"file", m.From, "to", m.To, "replaced", other)
	return nil
}

// unchanged says whether what lies at From is what the move was planned for.
// The change time moves with every chmod, so it only asks for a closer look;
// it must not be ignored, for an inode may have been freed and used again.
func (b *batch) unchanged(m Move, st Stat) bool {
	if st.Identity == m.Identity || !st.Mode.IsRegular() || m.Outcome == Failed {
		return true
	}
	h := b.files.File(m.From, st.Identity)
	defer func() { _ = h.Close() }() // opened for reading
	f := File{Identity: st.Identity}
	if _, err := f.contentID(h); err != nil {
		// A file that may not be read any more can still be moved safely, but
		// nothing is unlinked on the word of two numbers.
		return !m.Remove && st.SameContent(m.Identity)
	}
	return f.ContentID == m.ContentID
}

// setAside moves to failed what changed between plan and commit.
func (b *batch) setAside(m Move, st Stat) error {
	f := &File{Path: m.From, Name: filepath.Base(m.From), Identity: st.Identity, ContentID: m.ContentID}
	to, err := b.destination(b.failed, f, reasonSuffix)
	if err != nil {
		return err
	}
	late := Move{From: m.From, To: to, Outcome: Failed, Reason: changed(m.Identity, st.Identity), Identity: st.Identity}
	b.log.Error("a file changed while it was being committed as done", "file", m.From, "to", to, "reason", late.Reason)
	defer b.release(late)
	err = b.rename(late)
	b.place = "" // what lies there was not read
	return err
}

// rename moves the file to the first of its places that is free, and writes
// its reason.
func (b *batch) rename(m Move) error {
	var blocked error
	for _, to := range b.places(m) {
		dir := filepath.Dir(to)
		if err := b.mkdir(dir); obstructed(err) {
			blocked = err
			continue
		} else if err != nil {
			return err
		}
		free, err := b.free(m, to)
		if err != nil {
			return err
		}
		if !free {
			blocked = fmt.Errorf("%s: %w", to, fs.ErrExist)
			continue
		}
		b.touch(dir, filepath.Dir(m.From))
		if err := b.fs.Rename(m.From, to); err != nil {
			return err
		}
		return b.explain(m, to)
	}
	return blocked
}

// free says whether nothing lies at to, nor where the reason goes.
func (b *batch) free(m Move, to string) (bool, error) {
	names := []string{to}
	if m.Outcome == Failed {
		names = append(names, withSuffix(to, reasonSuffix))
	}
	for _, name := range names {
		if _, err := b.fs.Lstat(name); err == nil || !gone(err) {
			return false, err
		}
	}
	return true, nil
}

// places are where a move may end, in order: what was planned; another name,
// where someone put a file there after the plan; another directory, where
// a file has the name of one. They depend on the move alone, so that a
// repeated one finds its file again.
func (r *retirer) places(m Move) []string {
	mark := fmt.Sprintf(".%x-%x", m.Identity.Ino, m.Identity.Ctime)
	out := []string{m.To, withSuffix(m.To, mark)}
	root := r.done
	if m.Outcome == Failed {
		root = r.failed
	}
	rest, err := filepath.Rel(root, m.To)
	if source := filepath.Dir(rest); err == nil && filepath.IsLocal(rest) && source != "." {
		to := filepath.Join(root, beside(source, mark), filepath.Base(rest))
		out = append(out, to, withSuffix(to, mark))
	}
	return out
}

// explain writes the reason beside a file in the failed directory.
func (b *batch) explain(m Move, to string) error {
	b.place = to
	if m.Outcome != Failed {
		return nil
	}
	return writeDurable(b.fs, withSuffix(to, reasonSuffix), []byte(m.Reason+"\n"), 0o640)
}

// mkdir makes a destination directory where it is missing. Those above it are
// synced only then: they need not be readable otherwise.
func (b *batch) mkdir(dir string) error {
	if changed, ok := b.made[dir]; ok {
		b.touch(changed...)
		return nil
	}
	err := isDir(b.fs, dir)
	if errors.Is(err, fs.ErrNotExist) {
		above := filepath.Dir(dir)
		if err := b.mkdir(above); err != nil {
			return err
		}
		if err := b.fs.MkdirAll(dir); err != nil {
			return err
		}
		b.touch(above)
		b.made[dir] = append(slices.Clip(b.made[above]), above)
		return nil
	}
	if err == nil {
		b.made[dir] = nil
	}
	return err
}

// isDir is nil where dir is a directory or a link to one. The dot makes the
// kernel look through the link, and say ENOTDIR of anything else.
func isDir(fsys FS, dir string) error {
	_, err := fsys.Lstat(strings.TrimSuffix(dir, "/") + "/.")
	return err
}
