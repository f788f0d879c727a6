package spool

import (
	"cmp"
	"context"
	"slices"
)

// judgement is what the spool knows of a file before it is read: nothing, or
// one of these.
type judgement struct {
	known    *record // this very file was covered, where it lies
	twin     *File   // it is a copy of one that is in the group, or being read
	original string  // it is a copy of one that was read, which lies here
}

// judge looks for a file among those that were read or are being read. The
// error is that of ctx, or of the history.
func (l *look) judge(ctx context.Context, f *File) (j judgement, err error) {
	j.known, err = l.past.stays(place(f.Path, f.List, f.Identity))
	if err != nil || j.known != nil || l.cfg.ReadDuplicates || f.Err != nil || !f.HasRecords {
		return j, err
	}
	var twin *File
	l.locked(func() { twin = l.inflight[f.ContentID] })
	if twin != nil {
		same, err := twins(ctx, l.files, l.cfg.Window, f, twin)
		if err != nil {
			return j, err
		}
		if same {
			return judgement{twin: twin}, nil
		}
	}
	rec, err := l.past.original(f.ContentID)
	if rec == nil || err != nil {
		return j, err
	}
	path := string(rec.Path)
	st, err := l.fs.Lstat(path)
	if err != nil || !st.SameFile(rec.Identity) {
		return j, nil // gone: then the file is read
	}
	o := &File{Path: path, Identity: st.Identity, ContentID: rec.ContentID}
	same, err := twins(ctx, l.files, l.cfg.Window, f, o)
	if same {
		j.original = path
	}
	return j, err
}

// dropKept takes from what is ready what an earlier run read and kept.
func (l *look) dropKept() {
	if l.cfg.After != AfterKeep {
		return
	}
	l.ready = slices.DeleteFunc(l.ready, func(e *entry) bool {
		if e.file != nil {
			return false
		}
		known, err := l.past.stays(place(e.path, 0, e.id))
		switch {
		case err != nil:
			l.locked(func() { l.settle(e, Indexed{Err: err}, judgement{}) })
		case known == nil || known.Reason != "":
			return false
		default:
			l.locked(func() { e.state = kept })
		}
		return true
	})
}

// settleKnown hands on a file that was covered before, where it lies. The caller
// holds mu.
func (l *look) settleKnown(e *entry, f *File, known *record) {
	l.join(e, copyOf(f, cmp.Or(known.Reason, "read before, and kept then")))
}

// release has e taken up at the next look, which is soon. The caller holds mu.
func (s *Spool) release(e *entry) {
	e.state = released
	s.lookSoon()
}

// lookSoon does not wait for a hint.
func (s *Spool) lookSoon() {
	select {
	case s.wake <- struct{}{}:
	default: // one is enough
	}
}

// waiting is a copy that waits until it is known what became of its original.
type waiting struct {
	entry *entry // of the copy, or of the manifest that names it
	copy  *File
}

// hold has the copy f, of the entry e, wait for o. False says that o is no longer
// in flight, so f must be judged again. The caller holds mu.
func (s *Spool) hold(e *entry, f, o *File) bool {
	if s.inflight[o.ContentID] != o {
		return false
	}
	s.held[o] = append(s.held[o], waiting{e, f})
	return true
}

// waits says that w does not wait in vain: its entry is there and unchanged.
func (s *Spool) waits(w waiting) bool {
	e := w.entry
	return s.entries[e.path] == e && (e.list != nil || e.state == held && w.copy.SameContent(e.id))
}

// copies are the records of what waits for o, all of which was handled or not:
// copies are put away without being read, also when o is gone by then. The caller
// holds mu.
func (s *Spool) copies(o *File, at string, handled bool) (out []record) {
	for _, w := range s.held[o] {
		if f := w.copy; handled && s.waits(w) {
			out = append(out, record{
				Path: rawName(f.Path), Identity: f.Identity, Place: place(f.Path, f.List, f.Identity), Reason: copyReason(at),
			})
		}
	}
	return out
}

// free takes o, which lies at the path at, off the files in flight and lets go
// of what waits for it: as copies where o was handled, else to be looked at
// again. The caller holds mu.
func (s *Spool) free(o *File, at string, handled bool) {
	if s.inflight[o.ContentID] == o {
		delete(s.inflight, o.ContentID)
	}
	for _, w := range s.held[o] {
		if !s.waits(w) || w.entry.state != held {
			continue
		}
		if s.release(w.entry); handled && w.copy.List == 0 {
			w.entry.file = copyOf(w.copy, copyReason(at))
		}
	}
	delete(s.held, o)
}
