package spool

import (
	"io/fs"
	"syscall"
	"time"
)

// Identity tells one file, in one state, from every other. Names are reused
// and say nothing. Times are wall-clock nanoseconds since the Unix epoch.
type Identity struct {
	Dev, Ino     uint64
	Size         int64
	Mtime, Ctime int64
}

// SameFile says whether both are the same inode, whatever happened to it.
func (id Identity) SameFile(o Identity) bool { return id.Dev == o.Dev && id.Ino == o.Ino }

// SameContent says whether nobody wrote to the file in between, as far as size
// and modification time tell. The change time is left out: a chmod, a new link
// or a rename moves it too.
func (id Identity) SameContent(o Identity) bool {
	return id.SameFile(o) && id.Size == o.Size && id.Mtime == o.Mtime
}

// modified is the modification time on the wall clock.
func (id Identity) modified() time.Time { return time.Unix(0, id.Mtime) }

// Stat is what FS knows of a path.
type Stat struct {
	Identity
	Mode fs.FileMode
}

// statOf needs the Linux stat structure, as everything of this daemon does.
func statOf(info fs.FileInfo) Stat {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		panic("BUG: os.FileInfo without a syscall.Stat_t")
	}
	return Stat{
		Identity: Identity{
			Dev: uint64(st.Dev), Ino: st.Ino, Size: st.Size,
			Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(),
		},
		Mode: info.Mode(),
	}
}
