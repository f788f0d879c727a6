package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// batch is one round of moves: directories are made and synced once for all.
type batch struct {
	*retirer
	made  map[string]bool // directories known to exist
	dirty map[string]bool // directories whose names changed
}

// do carries out the moves and makes them durable. It returns the moves that
// are done: the rest failed, for the reasons joined in the error, and can be
// done again, as all of them can.
func (r *retirer) do(moves []Move) (done []Move, err error) {
	b := batch{retirer: r, made: map[string]bool{}, dirty: map[string]bool{}}
	var errs []error
	for _, m := range moves {
		if err := b.one(m); err != nil {
			errs = append(errs, fmt.Errorf("retire %s: %w", m.From, err))
			continue
		}
		done = append(done, m)
	}
	for dir := range b.dirty {
		// A spool directory that is gone by now took its names along.
		if err := r.fs.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			// Nothing of this round counts as durable.
			return nil, errors.Join(append(errs, fmt.Errorf("sync %s: %w", dir, err))...)
		}
	}
	for _, m := range done {
		r.release(m)
	}
	return done, errors.Join(errs...)
}

// one does one move, or finds it done.
func (b *batch) one(m Move) error {
	if m.To == "" && !m.Remove {
		return nil
	}
	st, err := b.fs.Lstat(m.From)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !st.SameFile(m.Identity) {
		return b.finished(m, err == nil)
	}
	if err != nil {
		return err
	}
	if !b.unchanged(m, st) {
		return b.setAside(m, st)
	}
	if m.Remove {
		b.dirty[filepath.Dir(m.From)] = true
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
	for _, to := range []string{m.To, spare(m)} {
		st, err := b.fs.Lstat(to)
		if err == nil && st.SameFile(m.Identity) {
			b.dirty[filepath.Dir(to)] = true
			b.dirty[filepath.Dir(m.From)] = true
			return b.explain(m, to)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
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
	return b.rename(late)
}

// rename moves the file and writes its reason.
func (b *batch) rename(m Move) error {
	dir := filepath.Dir(m.To)
	if err := b.mkdir(dir); err != nil {
		return err
	}
	to := m.To
	if _, err := b.fs.Lstat(to); err == nil {
		to = spare(m) // someone put a file there after the plan
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.dirty[dir], b.dirty[filepath.Dir(m.From)] = true, true
	if err := b.fs.Rename(m.From, to); err != nil {
		return err
	}
	return b.explain(m, to)
}

// spare is where a move goes when its destination was taken after the plan: a
// name that a repeated move finds again.
func spare(m Move) string {
	return withSuffix(m.To, fmt.Sprintf(".%x-%x", m.Identity.Ino, m.Identity.Ctime))
}

// explain writes the reason beside a file in the failed directory.
func (b *batch) explain(m Move, to string) error {
	if m.Outcome != Failed {
		return nil
	}
	return WriteDurable(b.fs, withSuffix(to, reasonSuffix), []byte(m.Reason+"\n"))
}

// mkdir makes a destination directory durable where it is missing. Its parent
// is synced only then: it need not be readable otherwise.
func (b *batch) mkdir(dir string) error {
	if b.made[dir] {
		return nil
	}
	if _, err := b.fs.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := b.fs.MkdirAll(dir); err != nil {
			return err
		}
		b.dirty[filepath.Dir(dir)] = true
	} else if err != nil {
		return err
	}
	b.made[dir] = true
	return nil
}
