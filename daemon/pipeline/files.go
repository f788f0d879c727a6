package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source"
	"pcapdir/source/decode"
	"pcapdir/source/decompress"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// stdin is the path of standard input.
const stdin = "-"

// file is an admitted file and, once read, its books.
type file struct {
	*spool.File
	books source.Books
}

// files opens admitted files when the merge asks for them and keeps them until
// a commit covers what they brought.
type files struct {
	cfg         source.Config
	router      source.Router
	gate        source.Gate
	frontier    *merge.Frontier
	descriptors *spool.Descriptors
	input       io.Reader       // standard input
	stop        context.Context // a clean stop is asked for when it ends
	plan        func(spool.Retirement) (spool.Move, error)
	giveBack    func(*spool.File, error) // a file that cannot be opened now; nil in a batch

	readers sync.WaitGroup
	read    atomic.Int64 // bytes of files, as on disk

	mu       sync.Mutex
	finished []*file // read, or not readable, and not yet retired
	tally    fileTally
}

// fileTally counts files and what their books say, of retired files.
type fileTally struct {
	admitted, done, failed uint64
	records, bytes         uint64
	dropped, late          uint64
	hasTimes               bool
	first, last            packet.Time // own stamps; hold if hasTimes
	failures               []Failure
}

// maxFailures is how many failures a summary names; spool.log has all.
const maxFailures = 1000

// admit takes files from the spool into the merge, as one group.
func (fs *files) admit(ctx context.Context, found []*spool.File) {
	var entries []merge.Entry
	fs.mu.Lock()
	for _, sf := range found {
		f := &file{File: sf}
		fs.tally.admitted++
		if f.Err != nil || !f.HasRecords {
			f.books = source.Books{Format: sf.Format, Err: f.Err}
			fs.finished = append(fs.finished, f)
			continue
		}
		entries = append(entries, merge.Entry{
			File:  f.ContentID,
			First: source.Clamp(f.First).Add(-fs.cfg.Lead()),
			Start: func(w *merge.Writer) { fs.readers.Go(func() { fs.readFile(ctx, f, w) }) },
		})
	}
	fs.mu.Unlock()
	fs.frontier.Admit(entries...)
}

// readFile reads f to its end. It is a goroutine of its own.
func (fs *files) readFile(ctx context.Context, f *file, w *merge.Writer) {
	r := source.NewReader(fs.cfg, fs.router, fs.gate, w)
	if f.Path == stdin {
		in := bufio.NewReader(fs.stdin())
		head, _ := in.Peek(decompress.HeadLen) // too short is the reader's to report
		f.books = r.Read(ctx, &counted{in, &fs.read}, decompress.Detect(head))
	} else {
		h := fs.descriptors.File(f.Path, f.Identity)
		f.books = r.Read(ctx, &counted{h.Stream(0), &fs.read}, f.Compression)
		_ = h.Close() // opened for reading
	}
	if ctx.Err() != nil {
		return // cut off: not read to its end, so nothing is known of it
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if b := &f.books; fs.giveBack != nil && b.Read.Packets == 0 && spool.Retryable(b.Err) {
		fs.tally.admitted--
		fs.giveBack(f.File, b.Err)
		return
	}
	fs.finished = append(fs.finished, f)
}

// stdin is standard input, which ends when a stop is asked for: who feeds it may
// be silent for ever. What copies it ends with the process.
func (fs *files) stdin() io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, fs.input)
		_ = w.CloseWithError(err) // never fails
	}()
	context.AfterFunc(fs.stop, func() { _ = w.Close() })
	return r
}

// counted adds what is read to a total.
type counted struct {
	io.Reader
	total *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.total.Add(int64(n))
	return n, err
}

// take takes out the finished files all of whose packets lie below covered.
func (fs *files) take(covered packet.Order) (due []*file) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	due, fs.finished = cut(fs.finished, func(f *file) bool { return !f.books.Sent || f.books.End.Less(covered) })
	return due
}

// keep puts back a file that take took out.
func (fs *files) keep(f *file) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.finished = append(fs.finished, f)
}

// retirement is what becomes of a file.
type retirement struct {
	move spool.Move
	line logs.Spool
}

// retire settles what becomes of f, and how spool.log tells it.
func (fs *files) retire(f *file) (retirement, error) {
	outcome, reason := f.outcome()
	move, err := fs.plan(spool.Retirement{
		File: f.File, Outcome: outcome, Reason: reason,
		Handled: f.handled(outcome),
	})
	if err != nil {
		return retirement{}, err
	}
	return retirement{move, f.line(move)}, nil
}

// retired counts files whose commit has happened.
func (fs *files) retired(done []*file, moves []spool.Move) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	t := &fs.tally
	for i, f := range done {
		t.records += f.books.Read.Packets
		t.bytes += f.books.Read.Bytes
		t.late += f.books.Late
		t.stamps(&f.books)
		t.dropped += f.books.Read.Packets - f.books.Handled.Packets
		if moves[i].Outcome == spool.Failed {
			t.failed++
			if len(t.failures) < maxFailures {
				t.failures = append(t.failures, Failure{f.Path, moves[i].Reason})
			}
		} else {
			t.done++
		}
	}
}

func (fs *files) snapshot() fileTally {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.tally
}

// outcome says how reading f ended, and why.
func (f *file) outcome() (spool.Outcome, string) {
	switch b := &f.books; {
	case f.Verdict.Outcome != "":
		return f.Verdict.Outcome, f.Verdict.Reason
	case b.Err != nil:
		return spool.Failed, b.Err.Error()
	case b.Read.Packets == 0:
		return spool.Done, "a capture without packets"
	case b.Handled.Packets == 0 && b.Dropped[packet.DropLinkType].Packets > 0:
		return spool.Failed, "not decoded: link type " + strings.Join(f.linkTypes(), ", ")
	default:
		return spool.Done, ""
	}
}

// handled says whether all that f holds was read, so that a copy of it brings
// nothing new. Of a file that failed, only what was before damage can be.
func (f *file) handled(outcome spool.Outcome) bool {
	b := &f.books
	return b.Read.Packets > 0 && !spool.ReadFault(b.Err) && (outcome == spool.Done || b.Handled.Packets > 0)
}

func (f *file) linkTypes() []string {
	var names []string
	for _, t := range f.books.LinkTypes {
		names = append(names, decode.LinkTypeName(t))
	}
	return names
}

// line is what spool.log says of f.
func (f *file) line(move spool.Move) logs.Spool {
	b := &f.books
	l := logs.Spool{
		TS: wallSeconds(time.Now()), File: f.Path, Source: f.Source, ContentID: f.ContentID,
		Size: f.Size, Format: b.Format, Compression: f.Compression.String(), LinkTypes: f.linkTypes(),
		HasTimes: b.HasTimes, Packets: b.Read.Packets, Bytes: b.Read.Bytes,
		Late: b.Late, Inversions: b.Inversions,
		Outcome: string(move.Outcome), Reason: move.Reason,
	}
	if b.HasTimes {
		l.FirstTS, l.LastTS = b.First.Seconds(), b.Last.Seconds()
	}
	for d, t := range b.Dropped {
		if t.Packets > 0 {
			l.Dropped = append(l.Dropped, logs.Count{Name: packet.Drop(d).String(), N: t.Packets})
		}
	}
	return l
}

// wallSeconds is a wall-clock time as logs print it.
func wallSeconds(t time.Time) float64 { return packet.Time(t.UnixNano()).Seconds() }

func (t *fileTally) stamps(b *source.Books) {
	switch {
	case !b.HasTimes:
	case !t.hasTimes:
		t.hasTimes, t.first, t.last = true, b.First, b.Last
	default:
		t.first, t.last = min(t.first, b.First), max(t.last, b.Last)
	}
}

// err says that files failed, or nil.
func (t fileTally) err() error {
	if t.failed == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d", ErrFailedFiles, t.failed, t.admitted)
}

// ErrFailedFiles says that some input could not be read to its end. What was
// readable before is in the logs, and spool.log says why.
var ErrFailedFiles = errors.New("files failed")
