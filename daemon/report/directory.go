package report

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"pcapdir/analysis/logs"
)

// directory is a directory of logs that is being read.
type directory struct {
	ctx      context.Context
	path     string
	file     string           // that is being read
	left     map[string]error // rotated files that were left out, in part or all, and why
	done     int64            // bytes read, of all
	all      int64
	progress func(done, all int64) // nil: nobody wants to know
}

// hasLogs says what is wrong when there is nothing to report of: of captures
// without a packet spool.log alone can be there.
func (d *directory) hasLogs() error {
	if st, err := os.Stat(d.path); err != nil {
		return fmt.Errorf("log directory: %w", err)
	} else if !st.IsDir() {
		return fmt.Errorf("%s is a file: name the directory that it lies in", d.path)
	}
	for _, log := range logs.Names {
		if files, err := logs.Files(d.path, log); err != nil || len(files) > 0 {
			return err
		}
	}
	return fmt.Errorf("%s has none of pcapdir's logs: name a directory that pcapdird has written logs to, as with pcapdird read --log-dir %s captures/", d.path, d.path)
}

// expect sums the lengths of logs that will be read.
func (d *directory) expect(names ...string) {
	for _, log := range names {
		files, _ := logs.Files(d.path, log) // whoever reads them is told
		for _, path := range files {
			if info, err := os.Stat(path); err == nil {
				d.all += info.Size()
			}
		}
	}
}

// lines hands over the lines of a log, of each of its files as eachLine does. A log that
// is not there has none, and then found is false.
func (d *directory) lines(log string, each func(n int, line []byte, whole bool) error) (found bool, err error) {
	// The live file is opened first, and read last: it may be rotated meanwhile.
	live, err := openLog(filepath.Join(d.path, log+".log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("log: %w", err)
	}
	if live != nil {
		defer live.Close()
	}
	files, err := logs.Files(d.path, log)
	if err != nil {
		return false, err
	}
	if live != nil {
		// Nor is what has its name by now, for that is newer.
		files = slices.DeleteFunc(files, func(path string) bool { return path == live.Name() || isFile(path, live) })
	}
	for _, path := range files {
		f, err := openLog(path)
		if errors.Is(err, fs.ErrNotExist) { // packed meanwhile
			f, err = openLog(path + logs.PackedSuffix)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return found, fmt.Errorf("log: %w", err)
		}
		found = true
		err = d.linesOf(f, each)
		_ = f.Close() // opened for reading
		if isDamage(err) {
			d.leaveOut(err)
		} else if err != nil {
			return true, err
		}
	}
	if live == nil {
		return found, nil
	}
	return true, d.linesOf(live, each)
}

// leaveOut notes what is wrong with the file that is being read: one of many is no
// reason to show nothing.
func (d *directory) leaveOut(err error) {
	if d.left == nil {
		d.left = map[string]error{}
	}
	d.left[d.file] = err
}

// unread are the files that were left out.
func (d *directory) unread() []string { return slices.Sorted(maps.Keys(d.left)) }

// isDamage says that a file cannot be unpacked, or is of another format.
func isDamage(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, errTSV) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)
}

// isFile says that path is f.
func isFile(path string, f *os.File) bool {
	was, errA := os.Stat(path)
	is, errB := f.Stat()
	return errA == nil && errB == nil && os.SameFile(was, is)
}

func (d *directory) linesOf(f *os.File, each func(n int, line []byte, whole bool) error) error {
	d.file = filepath.Base(f.Name())
	text, err := logs.Unpack(f.Name(), &reading{d, f})
	if err == nil {
		err = eachLine(text, each)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

// openLog opens a file, and nothing else: a pipe would make its reader wait, and a
// device may have no end.
func openLog(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory, not a file", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is a pipe or a device: only files are read here", path)
	}
	return os.Open(path)
}

// readLog hands over the lines of a log as T.
func readLog[T any, P record[T]](d *directory, log string, each func(*T)) (bad Bad, found bool, err error) {
	bad.Log = log + ".log"
	decode := decoder[T, P](&bad, each)
	found, err = d.lines(log, func(n int, line []byte, whole bool) error {
		good := bad.Lines == 0
		err := decode(n, line, whole)
		if good && bad.Lines > 0 {
			bad.Log = d.file
		}
		return err
	})
	return bad, found, err
}

// reading is a log being read, until the context ends.
type reading struct {
	*directory
	from io.Reader
}

func (r *reading) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.from.Read(p)
	r.done += int64(n)
	if r.progress != nil {
		r.progress(r.done, r.all)
	}
	return n, err
}
