package spool

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// directory is one that is watched.
type directory struct {
	inode  Identity // device and inode alone
	look   uint64   // number of the last look that found it
	usable bool     // probed
	listed uint64   // number of the look that listed it first; 0: none has
	tree   *tree    // what it came with; nil: nothing, or it lay there at the start
}

// look is one round over all directories.
type look struct {
	*Spool
	now      time.Time
	skip     map[string]bool   // targets by path: one may be made while we look
	visited  map[Identity]bool // directories by device and inode, targets included
	broken   []string          // directories of which this look knows nothing
	troubles map[string]Problem
	ready    []*entry // to be indexed
	news     []*entry // found unreadable, or taken back
}

// look lists everything, and indexes and groups what has settled. The error is
// that of ctx.
func (s *Spool) look(ctx context.Context) error {
	l := look{Spool: s, now: s.now(), skip: map[string]bool{}, visited: map[Identity]bool{}, troubles: map[string]Problem{}}
	s.looks++
	s.mu.Lock()
	l.news, s.returned = s.returned, nil
	s.closing = s.set.begin(s.entries)
	s.mu.Unlock()
	l.skipTargets()
	l.roots()
	l.forget()
	l.report()
	s.listing = s.now().Sub(l.now)
	return l.index(ctx)
}

// skipTargets makes sure that done and failed are never sources.
func (l *look) skipTargets() {
	for _, dir := range []string{l.cfg.Done, l.cfg.Failed} {
		if dir == "" {
			continue
		}
		real, err := l.fs.Resolve(dir)
		if err != nil {
			continue // not there: neither are files in it
		}
		l.skip[real] = true
		if st, err := l.fs.Lstat(real); err == nil {
			l.visited[inode(st)] = true
		}
	}
}

// inode is what stays the same of a directory.
func inode(st Stat) Identity { return Identity{Dev: st.Dev, Ino: st.Ino} }

// roots lists the watched directories and all below them.
func (l *look) roots() {
	for _, dir := range l.cfg.Dirs {
		real, err := l.fs.Resolve(dir)
		if err != nil {
			l.trouble(dir, err)
			l.broken = append(l.broken, l.resolved[dir])
			continue
		}
		l.resolved[dir] = real
		l.directory(real, "")
	}
}

// trouble notes that dir cannot be looked at now.
func (l *look) trouble(dir string, err error) {
	l.broken = append(l.broken, dir)
	since := l.now
	if p, ok := l.problems[dir]; ok {
		since = p.Since
	}
	l.troubles[dir] = Problem{Path: dir, Reason: err.Error(), Since: since}
}

// directory lists one directory and those below it.
func (l *look) directory(dir, source string) {
	st, err := l.fs.Lstat(dir)
	if err != nil {
		if source == "" || !gone(err) {
			l.trouble(dir, err)
		}
		return
	}
	if !st.Mode.IsDir() {
		if source == "" {
			l.trouble(dir, errors.New("not a directory"))
		}
		return
	}
	if l.skip[dir] || l.visited[inode(st)] {
		return
	}
	l.visited[inode(st)] = true
	if err := l.enter(dir, source, inode(st)); err != nil {
		l.trouble(dir, err)
		return
	}
	names, err := l.fs.ReadDir(dir)
	if err != nil {
		l.trouble(dir, err)
		return
	}
	l.list(dir, source, names)
	for _, e := range names {
		if e.IsDir() && !ignored(e.Name()) {
			l.directory(filepath.Join(dir, e.Name()), filepath.Join(source, e.Name()))
		}
	}
}

// enter watches a directory that is new, or new under its name, before it is
// listed, and probes it.
func (l *look) enter(dir, source string, id Identity) error {
	d := l.dirs[dir]
	if d == nil || d.inode != id {
		d = &directory{inode: id, usable: l.first && source == ""} // Probe did those
		l.dirs[dir] = d
	}
	l.watch.add(dir)
	d.look = l.looks
	if d.usable {
		return nil
	}
	err := l.probe(dir)
	d.usable = err == nil
	return err
}

// cameWith is the tree of a directory that is listed for the first time: that
// of the one above it, where that is new too, or its own.
func (l *look) cameWith(dir string) *tree {
	switch above := l.dirs[filepath.Dir(dir)]; {
	case l.first:
		return nil
	case above != nil && above.listed == l.looks:
		return above.tree
	}
	return new(tree)
}

// list takes in the files of one directory. The lock is not held while the
// file system is asked: a disk that hangs must not hang Status and Do.
func (l *look) list(dir, source string, names []fs.DirEntry) {
	d := l.dirs[dir]
	if d.listed == 0 {
		d.listed, d.tree = l.looks, l.cameWith(dir)
	}
	for _, e := range l.unsettled(dir, source, names) {
		st, err := l.fs.Lstat(e.path)
		l.take(e, st, err)
	}
}

// unsettled are the entries of a directory that need a closer look. New ones
// are not in the table yet.
func (l *look) unsettled(dir, source string, names []fs.DirEntry) (out []*entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range names {
		if n.IsDir() || ignored(n.Name()) {
			continue
		}
		path := filepath.Join(dir, n.Name())
		e := l.entries[path]
		if e == nil {
			e = &entry{path: path, source: source, arrived: l.now, since: l.now, closed: l.closing}
			if d := l.dirs[dir]; d.listed == l.looks {
				e.tree = d.tree
			}
		}
		e.look = l.looks
		if e.state != grouped && e.state != admitted && e.state != listed {
			out = append(out, e)
		}
	}
	return out
}

// take notes what Lstat said of an entry.
func (l *look) take(e *entry, st Stat, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.entries[e.path]
	switch {
	case gone(err), err == nil && st.Mode.IsDir():
		e.look = 0 // gone, or something else by now: forget sweeps it up
		return
	case err != nil:
		if e.state != kept && e.failed(err, l.now) {
			l.news = append(l.news, e)
		}
	case e.seen(st, l.now, l.cfg.Settle):
		l.ready = append(l.ready, e)
	}
	if !known {
		l.entries[e.path] = e
		l.group.last = l.now
	}
}

// forget drops what is no longer there, unless nothing is known of where it was.
func (l *look) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for path, e := range l.entries {
		// Of admitted files the receiver knows more; Do ends them.
		if e.look == l.looks || e.state == grouped || e.state == admitted || e.state == listed || l.unknown(path) {
			continue
		}
		delete(l.entries, path)
		if e.state == unreadable {
			l.vanish(e)
		}
	}
	for path, d := range l.dirs {
		if d.look != l.looks && !l.unknown(path) {
			delete(l.dirs, path)
			l.watch.remove(path)
		}
	}
}

// unknown says whether path lies in a directory that could not be listed.
func (l *look) unknown(path string) bool {
	return slices.ContainsFunc(l.broken, func(dir string) bool { return within(path, dir) })
}

// report logs which directories went wrong or came back, once each.
func (l *look) report() {
	l.mu.Lock()
	was := l.problems
	l.problems = l.troubles
	l.mu.Unlock()
	for dir, p := range l.troubles {
		if was[dir].Reason != p.Reason {
			l.log.Warn("a spool directory cannot be used; its files wait", "dir", dir, "reason", p.Reason)
		}
	}
	for dir := range was {
		if _, ok := l.troubles[dir]; !ok {
			l.log.Info("a spool directory is no longer in trouble", "dir", dir)
		}
	}
}

// index indexes what is ready and puts it into the group.
func (l *look) index(ctx context.Context) error {
	slices.SortFunc(l.ready, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
	l.dropKept()
	var unread, lists []*entry
	var paths []string
	l.mu.Lock()
	l.holdTrees()
	for _, e := range l.ready {
		switch {
		case e.file != nil:
			l.join(e, e.file)
		case isManifest(e.path):
			lists = append(lists, e)
		default:
			unread, paths = append(unread, e), append(paths, e.path)
		}
	}
	l.mu.Unlock()
	results, err := IndexAll(ctx, l.files, paths)
	if err != nil {
		return err
	}
	l.now = l.Spool.now() // indexing a backlog takes a while
	for i, e := range unread {
		if err := l.indexed(ctx, e, results[i]); err != nil {
			return err
		}
	}
	if err := l.manifests(ctx, lists); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// One line for all: a want of descriptors would fill the log otherwise.
	if len(l.news) > 0 {
		l.log.Warn("files cannot be read; they stay and are tried again",
			"files", len(l.news), "first", l.news[0].path, "err", l.news[0].err)
	}
	return nil
}

// holdTrees takes from what is ready the files of trees of which others are not.
// The caller holds mu.
func (l *look) holdTrees() {
	if !slices.ContainsFunc(l.ready, func(e *entry) bool { return e.tree != nil }) {
		return
	}
	open := map[*tree]int{}
	for _, e := range l.entries {
		if e.tree != nil && e.state == settling && e.look == l.looks {
			open[e.tree]++
		}
	}
	for _, e := range l.ready {
		if e.state == settling {
			open[e.tree]--
		}
	}
	l.ready = slices.DeleteFunc(l.ready, func(e *entry) bool { return e.tree != nil && open[e.tree] > 0 })
}

// indexed moves an entry on. The error is that of ctx.
func (l *look) indexed(ctx context.Context, e *entry, r Indexed) error {
	var j judgement
	if r.Err == nil && r.File.SameContent(e.id) {
		j, r.Err = l.judge(ctx, r.File)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(e, r, j)
	return nil
}

// settle is indexed once the file is judged. The caller holds mu.
func (l *look) settle(e *entry, r Indexed, j judgement) {
	switch f := r.File; {
	case gone(r.Err):
		delete(l.entries, e.path)
		l.vanish(e)
	case r.Err != nil:
		if e.failed(r.Err, l.now) {
			l.news = append(l.news, e)
		}
	case errors.Is(f.Err, ErrNotRegular):
		delete(l.entries, e.path) // something else by now: the next look says what
	case !f.SameContent(e.id):
		e.state, e.id, e.since, e.closed, e.tree = settling, f.Identity, l.now, false, nil
		e.list = nil
	default:
		if e.state == unreadable {
			l.log.Info("a file can be read again", "file", e.path)
		}
		f.Source = e.source
		switch {
		case j.known != nil:
			l.settleKnown(e, f, j.known)
		case j.twin != nil:
			if e.state, e.id = held, f.Identity; !l.hold(e, f, j.twin) {
				l.release(e)
			}
		case j.original != "":
			l.join(e, copyOf(f, copyReason(j.original)))
		default:
			l.join(e, f)
		}
	}
}

// join puts the file of e into the group. The caller holds mu.
func (l *look) join(e *entry, f *File) {
	e.state, e.id, e.file, e.err = grouped, f.Identity, f, nil
	l.collect(f)
}

// vanish reports a file that nobody could read in time. The caller holds mu.
func (l *look) vanish(e *entry) {
	l.vanished++
	l.collect(&File{Path: e.path, Name: filepath.Base(e.path), Source: e.source, Err: ErrVanished})
}

// collect puts a file into the group. The caller holds mu.
func (l *look) collect(f *File) {
	if len(l.group.files) == 0 {
		l.group.opened = l.now
	}
	l.group.last = l.now
	l.group.files = append(l.group.files, f)
	if f.Err == nil && f.HasRecords && l.inflight[f.ContentID] == nil {
		l.inflight[f.ContentID] = f
	}
}

// Sources are the directories from which files may come: those that are watched
// and have none below them. It is for admit to ask, since Run owns the answer.
func (s *Spool) Sources() (leaves []string) {
	parents := map[string]bool{}
	for dir := range s.dirs {
		parents[filepath.Dir(dir)] = true
	}
	for dir := range s.dirs {
		if !parents[dir] {
			leaves = append(leaves, dir)
		}
	}
	return leaves
}
