package logs

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pcapdir/source/dirs"
)

// Rotation says when the file of a log is full: then it gets a name that tells when it
// was begun, conn.2026-11-21-05-00-00.log, as Zeek names it (local time), and the next
// line begins a new one. The zero value is never.
type Rotation struct {
	Every time.Duration // of local time, in whole seconds; what divides a day is counted from midnight
	Size  int64         // bytes
	// Other says that a file of another form than this is full, too: nobody reads two
	// forms in one file.
	Other bool
	Form  Form
}

// due says whether a file that was begun at opened and has so many bytes is full.
func (r Rotation) due(opened time.Time, size int64, now time.Time) bool {
	return size > 0 && (r.Size > 0 && size >= r.Size || r.Every > 0 && r.turn(now) > r.turn(opened))
}

// turn is the number of the stretch of time that t is in.
func (r Rotation) turn(t time.Time) int64 {
	_, offset := t.Zone()
	return (t.Unix() + int64(offset)) / max(1, int64(r.Every/time.Second))
}

// Turn is the rotation of a log.
type Turn struct {
	Log      string
	Dev, Ino uint64    // the file's inode
	Opened   time.Time // when the file was begun
}

// Due implements Sink. When a file was begun is what the file system says, or where it
// does not say, when it was written last.
func (d *Dir) Due(log string, by Rotation, now time.Time) (t Turn, due bool) {
	if by == (Rotation{}) {
		return Turn{}, false
	}
	info, err := os.Lstat(d.name(log))
	if err != nil {
		return Turn{}, false
	}
	at, err := positionOf(info)
	if err != nil {
		return Turn{}, false // a link or a device is somebody's purpose
	}
	opened, known := d.born(log)
	if !known {
		opened = info.ModTime()
	}
	due = by.due(opened, at.Length, now) || by.Other && at.Length > 0 && d.otherForm(log, by.Form)
	return Turn{log, at.Dev, at.Ino, opened}, due
}

// otherForm says that the file of a log begins as one of another form does. One that
// cannot be read says nothing.
func (d *Dir) otherForm(log string, form Form) bool {
	f, err := d.live(log)
	if err != nil {
		return false
	}
	var first [1]byte
	_, err = f.ReadAt(first[:], 0)
	return err == nil && (first[0] == tsvLead) != (form == TSV)
}

// born is when the file of a log was begun, if the file system knows.
func (d *Dir) born(log string) (at time.Time, known bool) {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, d.name(log), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)), err == nil && st.Mask&unix.STATX_BTIME != 0
}

// Rotate implements Sink.
func (d *Dir) Rotate(t Turn) error {
	info, err := os.Lstat(d.name(t.Log))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	now, err := positionOf(info)
	born, known := d.born(t.Log)
	if err != nil || now.Dev != t.Dev || now.Ino != t.Ino || known && !born.Equal(t.Opened) {
		return nil // it was done, by an attempt before or by someone else
	}
	if err := d.drop(t.Log); err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	stamp, err := d.nextStamp(t)
	if err == nil {
		err = d.rename(t.Log, stamp)
	}
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	d.renamed = true
	return nil
}

// nextStamp is what stands in the name of the file: when it was begun by the clock on the
// wall or, where that was put back, a second behind the newest that is there.
func (d *Dir) nextStamp(t Turn) (time.Time, error) {
	stamp, err := time.Parse(stampLayout, t.Opened.Local().Format(stampLayout))
	if err != nil {
		return stamp, err
	}
	all, err := rotatedFiles(d.path, t.Log)
	if err != nil || len(all) == 0 {
		return stamp, err
	}
	newest, err := time.Parse(stampLayout, all[len(all)-1].stamp)
	if behind := newest.Add(time.Second); !behind.Before(stamp) && behind.Year() <= lastYear {
		return behind, err
	}
	return stamp, err
}

// lastYear is the last one that a stamp has room for.
const lastYear = 9999

// nameTries is how many names are tried where something else has the first.
const nameTries = 1000

// rename gives the log's file the name with the stamp, or the next that nobody has.
func (d *Dir) rename(log string, stamp time.Time) (err error) {
	for range nameTries {
		to := filepath.Join(d.path, log+"."+stamp.Format(stampLayout)+".log")
		_, packed := os.Lstat(to + PackedSuffix)
		if err = fs.ErrExist; errors.Is(packed, fs.ErrNotExist) {
			err = dirs.RenameNew(d.name(log), to)
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		stamp = stamp.Add(time.Second)
	}
	return err
}

// PackedSuffix is what Pack adds to the name of a file.
const PackedSuffix = ".gz"

const stampLayout = "2006-01-02-15-04-05"

// stampOf is the time in the name of a file of the log that was rotated.
func stampOf(log, name string) (stamp string, packed, ok bool) {
	name, packed = strings.CutSuffix(name, PackedSuffix)
	name, isLog := strings.CutSuffix(name, ".log")
	stamp, ours := strings.CutPrefix(name, log+".")
	_, err := time.Parse(stampLayout, stamp)
	return stamp, packed, isLog && ours && err == nil
}

// rotated is a file of a log that was rotated.
type rotated struct {
	path, stamp string
	packed      bool
	file        bool // and no link to one
}

// rotatedFiles are those of a log in dir, in the order in which they were rotated. One
// that is there packed and as it was, since packing was cut short, counts as it was.
func rotatedFiles(dir, log string) ([]rotated, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []rotated
	for _, e := range entries {
		if stamp, packed, ok := stampOf(log, e.Name()); ok && !e.IsDir() {
			all = append(all, rotated{filepath.Join(dir, e.Name()), stamp, packed, e.Type().IsRegular()})
		}
	}
	slices.SortFunc(all, func(a, b rotated) int { return cmp.Or(cmp.Compare(a.stamp, b.stamp), cmp.Compare(a.path, b.path)) })
	return slices.CompactFunc(all, func(a, b rotated) bool { return a.stamp == b.stamp }), nil
}

// Files are the files of a log in dir in the order of their lines: those that were
// rotated, of which some may be packed, and the live one, if there are such.
func Files(dir, log string) (paths []string, err error) {
	all, err := rotatedFiles(dir, log)
	if err != nil {
		return nil, fmt.Errorf("files of a log: %w", err)
	}
	for _, r := range all {
		paths = append(paths, r.path)
	}
	live := filepath.Join(dir, log+".log")
	if _, err := os.Lstat(live); err == nil {
		paths = append(paths, live)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("files of a log: %w", err)
	}
	return paths, nil
}

// Unpack is the text of a file of a log called path, of which from reads the bytes.
func Unpack(path string, from io.Reader) (io.Reader, error) {
	if !strings.HasSuffix(path, PackedSuffix) {
		return from, nil
	}
	return gzip.NewReader(from)
}

// Pack packs the rotated files of a log in dir with gzip, but not the newest, which slow
// readers may still be at, until ctx ends. What is cut short does no harm, and is done
// again by the next call.
func Pack(ctx context.Context, dir, log string) error {
	all, err := rotatedFiles(dir, log)
	if err != nil {
		return fmt.Errorf("pack logs: %w", err)
	}
	var errs []error
	for _, r := range all[:max(0, len(all)-1)] {
		if r.packed || !r.file {
			continue
		}
		if err := pack(ctx, r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("pack logs: %w", err))
		}
	}
	return errors.Join(errs...)
}

// pack puts path.gz in the place of path, with its time.
func pack(ctx context.Context, path string) (err error) {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // opened for reading
	info, err := from.Stat()
	if err != nil {
		return err
	}
	making := path + PackedSuffix + ".tmp"
	to, err := os.OpenFile(making, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(making))
		}
	}()
	z := gzip.NewWriter(to)
	z.ModTime = info.ModTime()
	_, err = io.Copy(z, &untilDone{ctx, from})
	if err = errors.Join(err, z.Close()); err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	if err = os.Chtimes(making, info.ModTime(), info.ModTime()); err != nil {
		return err
	}
	if err = os.Rename(making, path+PackedSuffix); err != nil {
		return err
	}
	if err := dirs.Sync(filepath.Dir(path)); err != nil {
		return err
	}
	return os.Remove(path)
}

// untilDone is a reader until ctx ends.
type untilDone struct {
	ctx  context.Context
	from io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.from.Read(p)
}
