package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// directory is a directory of logs that is being read.
type directory struct {
	ctx      context.Context
	path     string
	done     int64 // bytes read, of all
	all      int64
	progress func(done, all int64) // nil: nobody wants to know
}

// logNames are the logs that pcapdird writes.
var logNames = [...]string{"conn", "open_conn", "spool", "anomaly", "kmeans", "vectors", "weird", "coverage", "stats"}

// hasLogs says what is wrong when there is nothing to report of: of captures
// without a packet spool.log alone can be there.
func (d *directory) hasLogs() error {
	for _, log := range logNames {
		if _, err := os.Stat(d.file(log)); err == nil {
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("logs: %w", err)
		}
	}
	if _, err := os.Stat(d.path); err != nil {
		return fmt.Errorf("log directory: %w", err)
	}
	return fmt.Errorf("%s has none of pcapdir's logs: name a directory that pcapdird has written logs to, as with pcapdird read --log-dir %s captures/", d.path, d.path)
}

func (d *directory) file(log string) string { return filepath.Join(d.path, log+".log") }

// expect sums the lengths of logs that will be read.
func (d *directory) expect(logs ...string) {
	for _, log := range logs {
		if info, err := os.Stat(d.file(log)); err == nil {
			d.all += info.Size()
		}
	}
}

// lines hands over the lines of a log as eachLine does. A log that is not there
// has none, and then found is false.
func (d *directory) lines(log string, each func(n int, line []byte, whole bool) error) (found bool, err error) {
	f, err := openLog(d.file(log))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("log: %w", err)
	}
	defer f.Close()
	if err := eachLine(&reading{d, f}, each); err != nil {
		return true, fmt.Errorf("%s: %w", d.file(log), err)
	}
	return true, nil
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
	found, err = d.lines(log, decoder[T, P](&bad, each))
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
