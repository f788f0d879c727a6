package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// noted are the files of which an earlier life has read something, until they are
// found in the spool: as long as that takes, each ledger tells of them.
type noted map[fileID]notedFile

// notedFile is how far a file was read.
type notedFile struct {
	late  bool // by those that caught up
	found bool // it is in the spool, and will be claimed
	fileState
}

// note notes the files of st.
func (st *state) note() noted {
	n := noted{}
	for _, f := range st.Live.Files {
		n[f.fileID] = notedFile{fileState: f}
	}
	if st.Late != nil {
		for _, f := range st.Late.Files {
			n[f.fileID] = notedFile{late: true, fileState: f}
		}
	}
	return n
}

// find is the note of f. A copy of a noted file may have taken its place: then the
// spool holds the other one back, byte for byte the same.
func (n noted) find(f *spool.File) (id fileID, ok bool) {
	if _, ok := n[idOf(f)]; ok || f.Err != nil {
		return idOf(f), ok
	}
	for id := range n {
		if id.ContentID == f.ContentID && id.Size == f.Size {
			return id, true
		}
	}
	return fileID{}, false
}

// changed is the note of a file that lay where f does, and began with the same packet: f
// is that, and was written to. What took its place, and begins otherwise, is another one.
func (n noted) changed(f *spool.File, first packet.Time) (id fileID, ok bool) {
	if f.Err != nil || !f.HasRecords {
		return fileID{}, false
	}
	for id, was := range n {
		same := func(in inputState) bool { return in.First == first }
		if id.Path == f.Path && id != idOf(f) && slices.ContainsFunc(was.Inputs, same) {
			return id, true
		}
	}
	return fileID{}, false
}

// isNoted says whether an earlier life has begun to read f, and whether it was among
// those that caught up. It is found then, and will be claimed.
func (fs *files) isNoted(f *spool.File) (noted, late bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	id, noted := fs.noted.find(f)
	if !noted {
		id, noted = fs.noted.changed(f, fs.first(f))
	}
	if !noted {
		return false, false
	}
	n := fs.noted[id]
	n.found = true
	fs.noted[id] = n
	return true, n.late
}

// unclaimed are the noted files that have not come.
func (fs *files) unclaimed() (paths []string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for id, n := range fs.noted {
		if !n.found {
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
		all = append(all, &file{File: sf, on: on})
	}
	// Those that are noted themselves come before copies of them.
	for _, f := range all {
		if _, ok := fs.noted[idOf(f.File)]; ok && f.Err == nil {
			fs.claim(f, idOf(f.File))
		}
	}
	for _, f := range all {
		if id, ok := fs.noted.find(f.File); ok && f.inputs == nil && f.books == nil {
			fs.claim(f, id)
		}
	}
	for _, f := range all {
		if f.inputs != nil || f.books != nil {
			continue
		}
		if id, ok := fs.noted.changed(f.File, fs.first(f.File)); ok {
			fs.giveUp(f, id)
		}
	}
	return all
}

// errChanged says that a file changed after a part of it was read, while nobody looked.
var errChanged = errors.New("changed after a part of it was read, while the daemon did not run")

// giveUp books for f what was read of it before it changed. To read it anew would count
// that twice, to read on would trust places in a file that is another now. The caller
// holds mu.
func (fs *files) giveUp(f *file, id fileID) {
	b := &books.File{}
	for _, in := range fs.noted[id].Inputs {
		switch {
		case in.Books != nil:
			b.Add(in.Books)
		case in.Point != nil:
			part := in.Point.Books
			part.Skipped = part.Leaving()
			b.Add(&part)
		}
	}
	b.Err = fmt.Errorf("%w: at least %d packets are in the logs, and will be again if it is moved back to the spool", errChanged, b.Handled.Packets)
	delete(fs.noted, id)
	fs.began(f)
	f.books = b
}

// claim takes up what is noted of f. The caller holds mu.
func (fs *files) claim(f *file, id fileID) {
	n := fs.noted[id].fileState
	delete(fs.noted, id)
	fs.began(f)
	f.Latest = n.Latest
	f.scan = n.Scan.Scan
	if n.Scan.Err != "" {
		f.scan.Err = errors.New(n.Scan.Err)
	}
	for _, was := range n.Inputs {
		f.inputs = append(f.inputs, &input{
			Run: was.Run, begun: was.Begun, floor: was.Floor, watermark: was.Watermark, from: n.From, point: was.Point, books: was.Books,
		})
	}
	if f.books = n.Books; n.Err != "" {
		f.books.Err = errors.New(n.Err)
	}
}

// openOf are the files of which the ledger has to tell at a cut: those of which
// something was read, of what is caught up on, a closed set, all; but for those that b
// puts away. Files that an earlier life has noted, and that have not come, are among
// them.
func (fs *files) openOf(cut cut, b *commit) (open []fileState) {
	away := map[*file]bool{}
	for _, f := range b.done {
		away[f] = true
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for f := range fs.started {
		if f.on == cut.of && !away[f] {
			open = append(open, f.state(cut))
		}
	}
	open = append(open, fs.notesOf(cut.of.catchUp)...)
	slices.SortFunc(open, func(a, b fileState) int { return strings.Compare(a.Path, b.Path) })
	return open
}

// notes are the noted files that have not come: of those that caught up, or the others.
func (fs *files) notes(late bool) []fileState {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.notesOf(late)
}

// notesOf is notes for who holds mu.
func (fs *files) notesOf(late bool) (all []fileState) {
	for _, n := range fs.noted {
		if n.late == late {
			all = append(all, n.fileState)
		}
	}
	return all
}

// coveredBy says that nothing of f is left to read behind a cut. The owner of f.books
// holds files.mu.
func (f *file) coveredBy(c cut) bool { return f.on == c.of && c.covers(f.books) }

// state is how far f was read at a cut. The caller holds files.mu.
func (f *file) state(c cut) fileState {
	st := fileState{fileID: idOf(f.File), From: c.covered, Latest: f.Latest}
	if f.coveredBy(c) {
		kept := *f.books
		if kept.Err != nil {
			st.Err, kept.Err = kept.Err.Error(), nil
		}
		st.Books = &kept
		return st
	}
	st.Scan.Scan = f.scan
	if f.scan.Err != nil {
		st.Scan.Err, st.Scan.Scan.Err = f.scan.Err.Error(), nil
	}
	for _, in := range f.inputs {
		was := inputState{Run: in.Run, Begun: in.begun, Floor: in.floor, Watermark: in.watermark}
		switch {
		case c.covers(in.books) && in.books.Err == nil:
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
