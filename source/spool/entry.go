package spool

import (
	"errors"
	"path/filepath"
	"strings"
	"time"
)

// state is how far a file in the spool has come.
type state uint8

const (
	settling   state = iota // it must be looked at once more
	held                    // a copy of a file that is not covered yet
	listed                  // a manifest whose files are not covered yet
	released                // it was held or listed, and is to be taken up again
	unreadable              // opening or reading it failed; it is tried again
	grouped                 // indexed, in the group
	admitted                // with the receiver, until its move is done
	kept                    // read, and left where it is
)

// tree is a directory that was moved in, with all below it: a closed set. Its
// files go into one group, when the last of them has settled.
type tree struct{ _ byte } // not empty, so that no two share an address

// entry is what the spool knows of one path.
type entry struct {
	path, source string
	state        state
	closed       bool      // part of the closed set, and did not change since that began
	tree         *tree     // it came with this directory and did not change since; or nil
	id           Identity  // as it was at the last look
	arrived      time.Time // when the path was first seen
	since        time.Time // when id was first seen, or the trouble began
	look         uint64    // number of the last look that found it

	file *File     // once there is one, until it is admitted
	list *manifest // of a manifest that was taken up; or nil

	// While unreadable.
	err   error
	wait  time.Duration // to the next try, doubled by each
	retry time.Time
}

// Backing off from a file that cannot be read: permissions are mended by hand,
// and a failing disk must not be hammered.
const (
	firstWait = time.Second
	lastWait  = time.Minute
)

// due is when the entry wants to be looked at; false: not by itself.
func (e *entry) due(settle time.Duration) (time.Time, bool) {
	switch e.state {
	case settling:
		return e.since.Add(settle), true
	case unreadable:
		return e.retry, true
	case released:
		return e.since, true
	default:
		return time.Time{}, false
	}
}

// seen takes in what lies at the entry's path now, and says whether it is to
// be indexed, or handed on as it is if file is set.
func (e *entry) seen(st Stat, now time.Time, settle time.Duration) (ready bool) {
	was := e.id
	e.id = st.Identity
	switch {
	case !st.Mode.IsRegular():
		// Nothing to wait for, and never opened or followed.
		e.refuse(notRegular(st.Mode))
		return true
	case e.state == kept && !was.SameFile(e.id):
		*e = entry{path: e.path, source: e.source, id: e.id, arrived: now, since: now, look: e.look}
		return now.Sub(e.id.modified()) >= settle
	case e.state == kept && !was.SameContent(e.id):
		e.refuse(errors.New(changed(was, e.id)))
		return true
	case e.state == kept:
		return false
	case e.state == unreadable && !was.SameContent(e.id):
		// Written to, or seen for the first time: from the start.
		*e = entry{path: e.path, source: e.source, id: e.id, arrived: e.arrived, since: now, look: e.look}
		return false
	case e.state == unreadable:
		// Mending permissions moves the change time: no need to wait then.
		return was != e.id || !now.Before(e.retry)
	case (e.state == held || e.state == released) && was.SameContent(e.id):
		return e.state == released
	case was == Identity{}:
		return now.Sub(e.id.modified()) >= settle
	case was != e.id:
		// Still written to, so no longer part of the closed set, or of what was
		// moved in.
		e.state, e.since, e.closed, e.tree = settling, now, false, nil
		e.file, e.list = nil, nil
		return false
	}
	return now.Sub(e.since) >= settle
}

// refuse makes the entry one that is reported instead of read.
func (e *entry) refuse(why error) {
	e.file = &File{Path: e.path, Name: filepath.Base(e.path), Source: e.source, Identity: e.id, Err: why}
}

// failed notes that the file could not be read, and says whether that is news.
func (e *entry) failed(err error, now time.Time) (news bool) {
	if e.state != unreadable {
		// A file that came back goes on waiting where it left off.
		e.since, e.wait = now, max(e.wait, firstWait/2)
		news = true
	} else {
		news = e.err.Error() != err.Error()
	}
	e.state, e.err = unreadable, err
	e.wait = min(2*e.wait, lastWait)
	e.retry = now.Add(e.wait)
	return news
}

func byPath(a, b *File) int { return strings.Compare(a.Path, b.Path) }
