package spool

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// manifest is one whose files are being read. It is taken up again and again,
// each time for what is not covered yet, until nothing is left: after a crash,
// after a file that could not be opened, and for copies, which wait for their
// original. So there is one path for all of these, and it needs no state of its
// own but the history.
type manifest struct {
	entry   *entry
	pending int   // files in the group, or admitted
	err     error // why one came back, or could not be judged
}

// draft is a manifest that is being taken up.
type draft struct {
	file  *File    // the manifest itself
	key   uint64   // the place of the manifest, in this state
	wrong problems // with what it names
	files []*File  // what it names and can be read, indexed
}

// manifests takes up those that are ready.
func (l *look) manifests(ctx context.Context, ready []*entry) error {
	for _, e := range ready {
		d, err := l.draft(ctx, e)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errManifest):
			d.file.Err = err
			l.locked(func() { l.join(e, d.file) })
		case err != nil: // also that of one file: the set is closed, so it waits as a whole
			l.locked(func() { l.settle(e, Indexed{Err: err}, judgement{}) })
		case !d.file.SameContent(e.id):
			l.locked(func() { l.settle(e, Indexed{File: d.file}, judgement{}) })
		default:
			if err := l.takeUp(ctx, e, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *look) locked(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
}

// draft reads the manifest of e and indexes what it names.
func (l *look) draft(ctx context.Context, e *entry) (draft, error) {
	h := l.files.File(e.path, e.id)
	h.WaitUntil(ctx)
	defer func() { _ = h.Close() }() // opened for reading
	d := draft{file: &File{Path: e.path, Name: filepath.Base(e.path), Source: e.source}}
	st, err := h.Stat()
	if err != nil {
		return d, err
	}
	d.file.Identity, d.key = st.Identity, place(e.path, 0, st.Identity)
	if _, err := d.file.contentID(h); err != nil {
		return d, err
	}
	if l.cfg.State == "" {
		return d, fmt.Errorf("%w that can be read: there is no state directory to note what was read", errManifest)
	}
	entries, err := entriesOf(ctx, h, st.Size, manifestLimits{manifestBytes, manifestLines})
	if err != nil {
		return d, err
	}
	r := resolver{fs: l.fs, dir: filepath.Dir(e.path), forbidden: l.own(), wait: true}
	files, err := r.resolve(ctx, entries, &d.wrong)
	if err != nil {
		return d, err
	}
	paths, err := l.notCovered(&d, files)
	if err != nil {
		return d, err
	}
	results, err := IndexAll(ctx, l.files, paths)
	if err != nil {
		return d, err
	}
	for i, found := range results {
		f := found.File
		switch {
		case gone(found.Err):
			d.wrong.add(paths[i], plainly(found.Err))
		case found.Err != nil:
			return d, found.Err
		case errors.Is(f.Err, ErrNotRegular):
			d.wrong.add(paths[i], plainly(f.Err))
		default:
			f.Source, f.List = e.source, d.key
			d.files = append(d.files, f)
		}
	}
	return d, nil
}

// notCovered are those of the files that a manifest names which it does not
// know to be read. Those are not touched again: a disk takes long over the ends
// of many files.
func (l *look) notCovered(d *draft, files []located) (paths []string, err error) {
	for _, f := range files {
		known, err := l.past.stays(place(f.path, d.key, f.id))
		switch {
		case err != nil:
			return nil, err
		case known == nil, known.Reason != "" && !known.Failed: // a copy still has its line to come
			paths = append(paths, f.path)
		case known.Failed:
			d.wrong.add(f.path, known.Reason)
		}
	}
	return paths, nil
}

// own are the resolved directories that are watched, or that files are put in.
func (l *look) own() []string {
	var dirs []string
	for dir := range l.skip {
		dirs = append(dirs, dir)
	}
	for _, dir := range l.resolved {
		dirs = append(dirs, dir)
	}
	return dirs
}

// takeUp puts what is not covered yet into the group, all at once, or the
// manifest itself where nothing is left. The error is that of ctx.
func (l *look) takeUp(ctx context.Context, e *entry, d draft) error {
	m := &manifest{entry: e}
	twins := map[*File]*File{} // of copies, their originals
	for _, f := range d.files {
		j, err := l.judge(ctx, f)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			m.err = err
			continue
		case j.known != nil:
			f = copyOf(f, j.known.Reason)
		case j.twin != nil:
			twins[f] = j.twin
			continue
		case j.original != "":
			f = copyOf(f, copyReason(j.original))
		}
		l.locked(func() { l.joinListed(m, f) })
	}
	l.locked(func() { l.await(m, d, twins) })
	return nil
}

// joinListed puts a file of m into the group. The caller holds mu.
func (l *look) joinListed(m *manifest, f *File) {
	m.pending++
	l.listed[listedAs{f.Path, f.List}] = m
	l.collect(f)
}

// await says what the manifest waits for now that it was taken up: its files,
// the originals of copies, or to be put away. The caller holds mu.
func (l *look) await(m *manifest, d draft, twins map[*File]*File) {
	e, waits := m.entry, false
	for f, o := range twins {
		waits = l.hold(e, f, o) || waits
	}
	switch e.id, e.list, e.err = d.file.Identity, m, nil; {
	case m.pending > 0:
		e.state = listed
	case m.err != nil:
		l.settle(e, Indexed{Err: m.err}, judgement{})
	case waits:
		e.state = held
	case len(twins) > 0:
		l.release(e)
	default:
		d.file.Verdict = Verdict{Outcome: Done, Reason: "a manifest: all that it names was read"}
		if len(d.wrong.first) > 0 {
			d.file.Verdict = Verdict{Outcome: Failed, Reason: fmt.Sprintf("a manifest: not all that it names was read: %s", &d.wrong)}
		}
		l.join(e, d.file)
	}
}

// listedAs is a file as a manifest names it.
type listedAs struct {
	path string
	list uint64
}

// endListed notes that a file which a manifest names is covered, or came back
// with err. The caller holds mu.
func (s *Spool) endListed(path string, list uint64, err error) {
	m := s.listed[listedAs{path, list}]
	if m == nil {
		return // from before a crash
	}
	delete(s.listed, listedAs{path, list})
	if m.pending--; err != nil {
		m.err = err
	}
	e := m.entry
	switch {
	case m.pending > 0 || s.entries[e.path] != e || e.list != m:
	case m.err != nil:
		if e.failed(m.err, s.now()) {
			s.returned = append(s.returned, e)
		}
	default:
		s.release(e)
	}
}
