package pipeline_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pcapdir/daemon/pipeline"
)

// A file that is written to while a batch runs may hold more than was read: the batch
// says so.
func TestReadOfAFileThatGrows(t *testing.T) {
	micro := readFile(t, filepath.Join(testdata, "containers/micro.pcap"))
	path := writeFile(t, filepath.Join(t.TempDir(), "grows"), micro)
	j := newJob(t)
	j.input = &late{bytes.NewReader(micro), func() { // standard input comes first, after all are looked into
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.Write(micro[24:])
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Error(err)
		}
	}}
	out := j.read(t, "-", path)
	if !errors.Is(out.err, pipeline.ErrFailedFiles) || len(out.sum.Failures) != 1 || out.sum.Failures[0].Path != path {
		t.Errorf("%v, %+v", out.err, out.sum.Failures)
	}
}

// late does something before it is read.
type late struct {
	io.Reader
	do func()
}

func (l *late) Read(p []byte) (int, error) {
	if l.do != nil {
		l.do()
		l.do = nil
	}
	return l.Reader.Read(p)
}
