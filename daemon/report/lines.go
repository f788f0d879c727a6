package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"pcapdir/analysis/logs"
)

// errTSV says that a log is no JSON, but Zeek's TSV.
var errTSV = errors.New("this log is TSV: only logs in JSON are read here (logs.format = \"json\")")

// Bad counts the lines of a log that could not be read.
type Bad struct {
	Log    string `json:"log"` // the file that the first of them is in
	Lines  int    `json:"lines"`
	First  int    `json:"first"`  // number of the first of them, from 1
	Reason string `json:"reason"` // why that one could not be read
}

func (b *Bad) note(line int, reason string) {
	if b.Lines++; b.Lines == 1 {
		b.First, b.Reason = line, cut(reason)
	}
}

// record is a line that can say what is wrong with its values, or "".
type record[T any] interface {
	*T
	problem() string
}

// decoder takes the lines of eachLine and hands over each as a T; those that are
// none are counted in bad. Its error is errTSV.
func decoder[T any, P record[T]](bad *Bad, each func(*T)) func(n int, line []byte, whole bool) error {
	return func(n int, line []byte, whole bool) error {
		if n == 1 && bytes.HasPrefix(line, []byte("#separator")) {
			return errTSV
		}
		rec := new(T)
		if !whole {
			bad.note(n, fmt.Sprintf("longer than %d MiB", maxLine>>20))
		} else if err := json.Unmarshal(logs.NumberTimes(line), rec); err != nil {
			bad.note(n, err.Error())
		} else if problem := P(rec).problem(); problem != "" {
			bad.note(n, problem)
		} else {
			each(rec)
		}
		return nil
	}
}

// eachLine hands over each line that is not empty, without its newline, until
// each fails. whole says that it is not longer than maxLine; of a longer one
// that much is handed over. The line holds until each returns.
func eachLine(in io.Reader, each func(n int, line []byte, whole bool) error) error {
	r := bufio.NewReaderSize(in, 64<<10)
	var line []byte
	whole := true
	for n := 1; ; {
		part, err := r.ReadSlice('\n')
		room := maxLine + 1 - len(line) // a newline may follow
		whole = whole && len(part) <= room
		line = append(line, part[:min(len(part), room)]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text := bytes.TrimSuffix(line, []byte("\n")); len(text) > 0 {
			fits := whole && len(text) <= maxLine
			if failed := each(n, text[:min(len(text), maxLine)], fits); failed != nil {
				return failed
			}
		}
		if err != nil {
			return nil
		}
		line, whole = line[:0], true
		n++
	}
}
