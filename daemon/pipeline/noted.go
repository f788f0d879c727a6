package pipeline

import (
	"errors"
	"slices"
	"strings"

	"pcapdir/source/spool"
)

// noted are the files that the ledger of an earlier life tells of, until they are
// found in the spool.
type noted map[fileID]notedFile

// notedFile is how far a file was read: it was open, or wholly read.
type notedFile struct {
	late    bool // by those that caught up
	open    *fileState
	covered *coveredFile
}

// note notes the files of st.
func (st *state) note() noted {
	n := noted{}
	for i := range st.Live.Files {
		n[st.Live.Files[i].fileID] = notedFile{open: &st.Live.Files[i]}
	}
	if st.Late != nil {
		for i := range st.Late.Files {
			n[st.Late.Files[i].fileID] = notedFile{late: true, open: &st.Late.Files[i]}
		}
	}
	for i := range st.Covered {
		n[st.Covered[i].fileID] = notedFile{covered: &st.Covered[i]}
	}
	return n
}

// isNoted says whether an earlier life has begun to read f, and whether it was among
// those that caught up.
func (fs *files) isNoted(f *spool.File) (noted, late bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n, noted := fs.noted[idOf(f)]
	return noted, n.late
}

// missing are the files that an earlier life has begun to read and that did not come
// with all that lay in the spool at the start: they are forgotten. Those that were
// caught up on are left to that.
func (fs *files) missing() (paths []string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for id, n := range fs.noted {
		if n.late {
			continue
		}
		if delete(fs.noted, id); n.covered == nil {
			paths = append(paths, id.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// known makes found files admitted ones. What is known of some goes with them.
func (fs *files) known(on *timeline, found []*spool.File) (all []*file) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, sf := range found {
		f := &file{File: sf, on: on}
		if n, ok := fs.noted[idOf(sf)]; ok && sf.Err == nil {
			delete(fs.noted, idOf(sf))
			f.goOn(n)
		}
		all = append(all, f)
	}
	return all
}

// goOn takes up what is noted of f.
func (f *file) goOn(n notedFile) {
	if c := n.covered; c != nil {
		f.books = &c.Books
		if c.Err != "" {
			f.books.Err = errors.New(c.Err)
		}
		return
	}
	f.Latest = n.open.Latest
	f.scan = n.open.Scan.Scan
	if n.open.Scan.Err != "" {
		f.scan.Err = errors.New(n.open.Scan.Err)
	}
	for _, was := range n.open.Inputs {
		f.inputs = append(f.inputs, &input{
			Run: was.Run, begun: was.Begun, floor: was.Floor, watermark: was.Watermark, point: was.Point, books: was.Books,
		})
	}
}

// openOf are the files whose reading has to go on behind a cut: those of which
// something was read, and of what is caught up on, a closed set, all.
func (fs *files) openOf(cut cut) (open []fileState) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for f := range fs.started {
		if f.on == cut.of && !f.coveredBy(cut) {
			open = append(open, f.state(cut))
		}
	}
	slices.SortFunc(open, func(a, b fileState) int { return strings.Compare(a.Path, b.Path) })
	return open
}

// coveredOf are the files that are covered and cannot be put away.
func coveredOf(kept []*file) (all []coveredFile) {
	for _, f := range kept {
		c := coveredFile{fileID: idOf(f.File), Books: *f.books}
		if f.books.Err != nil {
			c.Err, c.Books.Err = f.books.Err.Error(), nil
		}
		all = append(all, c)
	}
	return all
}

// coveredBy says that nothing of f is left to read behind a cut. The owner of f.books
// holds files.mu.
func (f *file) coveredBy(c cut) bool {
	return f.on == c.of && f.books != nil && (!f.books.Sent || f.books.End.Less(c.covered))
}

// state is how far f was read at a cut.
func (f *file) state(c cut) fileState {
	st := fileState{fileID: idOf(f.File), Latest: f.Latest, Scan: scanState{Scan: f.scan}}
	if f.scan.Err != nil {
		st.Scan.Err, st.Scan.Scan.Err = f.scan.Err.Error(), nil
	}
	for _, in := range f.inputs {
		was := inputState{Run: in.Run, Begun: in.begun, Floor: in.floor, Watermark: in.watermark}
		switch {
		case in.books != nil && in.books.Err == nil && (!in.books.Sent || in.books.End.Less(c.covered)):
			was.Books = in.books
		case in.trail != nil:
			p := in.trail.At(c.covered.Eff)
			in.trail.Forget(c.covered.Eff)
			was.Point = &p
		default:
			was.Point = in.point
		}
		st.Inputs = append(st.Inputs, was)
	}
	return st
}
