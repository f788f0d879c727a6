package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
)

// After says what becomes of a file that was read to its end.
type After string

// The ways to put a file away. A file that failed always goes to the failed
// directory, whatever After says.
const (
	AfterDone   After = "done"   // renamed into the done directory
	AfterDelete After = "delete" // unlinked
	AfterKeep   After = "keep"   // left in the spool, and not read again
)

// Outcome is how a file ended.
type Outcome string

// The outcomes that decide where a file goes.
const (
	Done   Outcome = "done"
	Failed Outcome = "failed"
	// Duplicate is a copy of a file that was read: nothing of it is handled, and
	// it is put away as one that is done.
	Duplicate Outcome = "duplicate"
)

// Retirement is the wish to put a file away. Reason is for people, one line;
// failed files need one.
type Retirement struct {
	File    *File
	Outcome Outcome
	Reason  string
	Handled bool // all that it holds was read, so that a copy brings nothing new
}

// Move is what will happen to a file, settled before the commit so that the
// ledger can hold it, and repeatable after a crash.
type Move struct {
	From   string
	To     string // where it goes; "": it is removed or stays where it is
	Remove bool   // unlink it
	// Outcome and Reason are those of the Retirement, unless the file changed.
	Outcome   Outcome
	Reason    string
	Identity  Identity // what must lie at From
	ContentID uint64   // tells a touched file from another one in its inode
	Handled   bool     `json:",omitempty"` // that of the Retirement
	List      uint64   `json:",omitempty"` // that of the File
}

// retirer plans and does moves. Plan and do may run at the same time.
type retirer struct {
	files        *Descriptors
	fs           FS
	done, failed string
	after        After
	log          *slog.Logger

	mu sync.Mutex
	// reserved holds the destinations that are planned and not yet there, so
	// that two files of one commit never get the same.
	reserved map[string]Identity
}

// plan decides what becomes of a file. It never turns a file that changed
// since it was indexed into a done one: what was appended has not been read.
func (r *retirer) plan(want Retirement) (Move, error) {
	f := want.File
	m := Move{From: f.Path, Outcome: want.Outcome, Reason: want.Reason, Identity: f.Identity, ContentID: f.ContentID, Handled: want.Handled, List: f.List}
	if errors.Is(f.Err, ErrVanished) {
		return m, nil
	}
	st, err := r.fs.Lstat(f.Path)
	switch {
	case gone(err):
		m.Outcome, m.Reason = Failed, "taken out of the spool by someone else after it was indexed"
		return m, nil
	case err != nil:
		return Move{}, err
	case !st.SameFile(f.Identity):
		m.Outcome, m.Reason = Failed, "replaced by another file of the same name after it was indexed"
		return m, nil
	case !st.SameContent(f.Identity):
		m.Outcome, m.Reason = Failed, changed(f.Identity, st.Identity)
		m.Identity, m.Handled = st.Identity, false // a copy may hold what was missed
	}
	switch {
	case m.List != 0: // not the spool's
	case m.Outcome == Failed:
		m.To, err = r.destination(r.failed, f, reasonSuffix)
	case r.after == AfterDelete:
		m.Remove = true
	case r.after == AfterDone:
		m.To, err = r.destination(r.done, f, "")
	}
	return m, err
}

// changed says in words that a file is not what was read any more, and what to do.
func changed(was, is Identity) string {
	return written(was, is) + "; move it back to the spool to read it anew, what is in the logs then twice"
}

func written(was, is Identity) string {
	if was.Size == is.Size {
		return fmt.Sprintf("rewritten while it was read (still %d bytes)", is.Size)
	}
	return fmt.Sprintf("changed from %d to %d bytes while it was read", was.Size, is.Size)
}

// Changed says in words how f was written to since it was indexed, or nothing.
func (f *File) Changed(fsys FS) string {
	is, err := fsys.Lstat(f.Path)
	if err != nil || !is.SameFile(f.Identity) || is.SameContent(f.Identity) {
		return ""
	}
	return written(f.Identity, is.Identity)
}

// destination finds and reserves a free name for f below dir, with room for a
// companion file whose name ends in suffix.
func (r *retirer) destination(dir string, f *File, suffix string) (string, error) {
	in, err := r.folder(dir, f)
	if err != nil {
		return "", err
	}
	base := filepath.Join(in, f.Name)
	for n := 0; ; n++ {
		// The content id tells files apart, the inode copies of one file; after
		// that a name is taken only if someone wants it to be.
		to := base
		switch {
		case n == 1:
			to = withSuffix(base, fmt.Sprintf(".%016x", f.ContentID))
		case n > 1:
			to = withSuffix(base, fmt.Sprintf(".%016x-%x-%d", f.ContentID, f.Ino, n-1))
		}
		free, err := r.reserve(to, suffix, f.Identity)
		if free || err != nil {
			return to, err
		}
	}
}

// folder is where files of f's source go below dir: the directory of that
// name, or another one where a file was put away under the source's name.
func (r *retirer) folder(dir string, f *File) (string, error) {
	if f.Source == "" {
		return dir, nil
	}
	for n := 0; ; n++ {
		// All files of the source share the second choice; a third is needed
		// only if someone wants it to be.
		in := filepath.Join(dir, f.Source)
		switch {
		case n == 1:
			in = filepath.Join(dir, beside(f.Source, ".dir"))
		case n > 1:
			in = filepath.Join(dir, beside(f.Source, fmt.Sprintf(".dir-%x-%x-%d", f.Ino, f.Ctime, n-1)))
		}
		err := isDir(r.fs, in)
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist) && !r.promised(in, dir):
			return in, nil
		case !obstructed(err) && !errors.Is(err, fs.ErrNotExist):
			return "", err
		case obstructed(isDir(r.fs, dir)):
			return "", err // no other name would help
		}
	}
}

// promised says whether in, or a directory between it and dir, is to be the
// name of a file.
func (r *retirer) promised(in, dir string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; in != dir; in = filepath.Dir(in) {
		if _, ok := r.reserved[in]; ok {
			return true
		}
	}
	return false
}

// reserve takes the name to for id unless it is taken.
func (r *retirer) reserve(to, suffix string, id Identity) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := []string{to}
	if suffix != "" {
		names = append(names, withSuffix(to, suffix))
	}
	for _, name := range names {
		if by, ok := r.reserved[name]; ok {
			if by.SameFile(id) {
				continue // planned again, after a commit that failed
			}
			return false, nil
		}
		_, err := r.fs.Lstat(name)
		if err == nil {
			return false, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	for _, name := range names {
		r.reserved[name] = id
	}
	return true, nil
}

// release forgets the reservations of a move that is done.
func (r *retirer) release(m Move) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.To == "" {
		return
	}
	delete(r.reserved, m.To)
	delete(r.reserved, withSuffix(m.To, reasonSuffix))
}
