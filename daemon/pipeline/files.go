package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source"
	"pcapdir/source/books"
	"pcapdir/source/decompress"
	"pcapdir/source/merge"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
	"pcapdir/source/spool"
)

// stdin is the path of standard input.
const stdin = "-"

// file is an admitted file and, once read, its books.
type file struct {
	*spool.File
	on     *timeline   // where its packets go
	scan   source.Scan // its runs, if it has several
	inputs []*input
	books  *books.File  // nil until all of it was read
	unread int          // inputs that were not read to their end
	read   atomic.Int64 // bytes of it, as on disk; some twice where runs overlap
}

// input is a run of a file on its way through the merge. files.mu guards it.
type input struct {
	source.Run
	begun            bool // it is open, or was lifted: then floor and watermark hold
	floor, watermark packet.Time
	from             packet.Order  // all below was handled in an earlier life
	point            *source.Point // from where it is read on after a restart, or nil
	trail            *source.Trail // once it is open
	books            *books.File   // once it was read; nil before: many files wait
}

// files opens admitted files when the merge asks for them and keeps them until
// a commit covers what they brought.
type files struct {
	cfg         source.Config
	full        bool // files are scanned for runs before they are admitted
	gate        source.Gate
	commitNow   func() // asks for a commit
	descriptors *spool.Descriptors
	input       io.Reader       // standard input
	stop        context.Context // a clean stop is asked for when it ends
	plan        func(spool.Retirement) (spool.Move, error)
	giveBack    func(*spool.File, error) // a file that cannot be opened now; nil in a batch

	readers sync.WaitGroup
	read    atomic.Int64 // bytes of files, as on disk

	mu       sync.Mutex
	started  map[*file]struct{} // that have inputs which began, and are not retired
	finished []*file            // read, or not readable, and not yet retired
	noted    noted              // files of an earlier life that did not come yet
	tally    fileTally
	covered  covered      // by files that were put away
	put      []logs.Spool // the newest of their lines
}

// fileTally counts files and what their books say, of retired files.
type fileTally struct {
	admitted, done, failed uint64
	givenBack              uint64 // of those that were admitted: they will be again
	books                  books.Fates
	hasTimes               bool
	first, last            packet.Time // own stamps; hold if hasTimes
	failures               []Failure
}

// maxFailures is how many failures a summary names; spool.log has all.
const maxFailures = 1000

// admit takes files from the spool into the merge of a timeline, as one group.
func (fs *files) admit(ctx context.Context, on *timeline, found []*spool.File) {
	var entries []merge.Entry
	admitted := fs.known(on, found)
	fs.scan(ctx, admitted)
	fs.mu.Lock()
	for _, f := range admitted {
		fs.tally.admitted++
		switch {
		case f.books != nil: // an earlier life has read it
			fs.finished = append(fs.finished, f)
			continue
		case f.Err != nil || !f.HasRecords:
			f.books = &books.File{Format: f.Format, Err: f.Err}
			fs.finished = append(fs.finished, f)
			continue
		}
		if f.inputs == nil {
			for _, run := range fs.runs(f) {
				f.inputs = append(f.inputs, &input{Run: run})
			}
		}
		for _, in := range f.inputs {
			if in.books == nil {
				f.unread++
				entries = append(entries, fs.entry(ctx, f, in))
			}
			if in.begun || on.catchUp {
				fs.began(f)
			}
		}
		if f.unread == 0 {
			f.sum()
			fs.finished = append(fs.finished, f)
		}
	}
	fs.mu.Unlock()
	on.frontier.Admit(entries...)
}

// entry is what the merge gets to know of an input of f.
func (fs *files) entry(ctx context.Context, f *file, in *input) merge.Entry {
	e := merge.Entry{
		File: f.ContentID, Source: sourceOf(f.File),
		First: source.Clamp(in.First).Add(-fs.cfg.Lead()), Part: len(f.inputs) > 1,
		Lifted: func(floor, watermark packet.Time) {
			fs.mu.Lock()
			defer fs.mu.Unlock()
			in.begun, in.floor, in.watermark = true, floor, watermark
			fs.began(f)
		},
		Start: func(w *merge.Writer) {
			f.on.reading.Add(1)
			fs.readers.Go(func() {
				defer f.on.reading.Add(-1)
				fs.readRun(ctx, f, in, w)
			})
		},
	}
	if in.begun {
		e.First, e.Floor, e.Watermark = max(in.floor, in.from.Eff), in.floor, in.watermark
		// Where others have gone on without the file, the rest of it comes late.
		e.Resumed = !in.from.Less(f.on.from)
	}
	return e
}

// began notes that an input of f began. The caller holds mu.
func (fs *files) began(f *file) {
	if fs.started == nil {
		fs.started = map[*file]struct{}{}
	}
	fs.started[f] = struct{}{}
}

// followInterval is the wall time between two looks at how far reading is.
const followInterval = 300 * time.Millisecond

// follow tells hear how far reading of the files found is, until ctx ends.
func (e *engine) follow(ctx context.Context, hear func(Progress), found []*spool.File) {
	fs, p := e.files, Progress{AllFiles: len(found)}
	for _, f := range found {
		if f.Err == nil && f.HasRecords {
			p.AllBytes += f.Size
		}
	}
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.Bytes, p.Packets = min(fs.read.Load(), p.AllBytes), 0
			for _, c := range e.cores {
				p.Packets += c.counters.packets.Load()
			}
			fs.mu.Lock()
			p.Files = int(fs.tally.done+fs.tally.failed) + len(fs.finished)
			fs.mu.Unlock()
			hear(p)
		case <-ctx.Done():
			return
		}
	}
}

// readRun reads an input of f to its end. It is a goroutine of its own.
func (fs *files) readRun(ctx context.Context, f *file, in *input, w *merge.Writer) {
	cfg := fs.cfg
	cfg.Latest, cfg.Buffer = f.Latest, f.buffer()
	r := source.NewReader(cfg, f.on.router, fs.gate, w)
	if r.Only(in.Run); in.point != nil {
		r.Resume(*in.point, in.from)
	}
	fs.mu.Lock()
	in.begun, in.floor, in.watermark, in.trail = true, w.Floor, w.Watermark, r.Trail()
	fs.began(f)
	fs.mu.Unlock()
	var kept books.File
	if f.Stream {
		src := bufio.NewReader(fs.stream(f.Path))
		head, _ := src.Peek(decompress.HeadLen) // too short is the reader's to report
		kept = r.Read(ctx, &counted{src, []*atomic.Int64{&fs.read, &f.read}}, decompress.Detect(head))
	} else {
		h := fs.descriptors.File(f.Path, f.Identity)
		h.WaitUntil(ctx)
		src := h.Stream(0)
		if at := r.Seek(f.Compression, f.Format); at > 0 {
			src = pcapfile.From(h, h.Stream(at))
		}
		kept = r.Read(ctx, &counted{src, []*atomic.Int64{&fs.read, &f.read}}, f.Compression)
		_ = h.Close() // opened for reading
	}
	if ctx.Err() != nil {
		return // cut off: not read to its end, so nothing is known of it
	}
	fs.inputRead(f, in, &kept)
}

// inputRead takes the books kept of an input of f, and with those of the last one f is
// read.
func (fs *files) inputRead(f *file, in *input, kept *books.File) {
	f.on.handed.Add(kept.Handed)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	in.books = kept
	if f.unread--; f.unread > 0 {
		return
	}
	f.sum()
	if b := f.books; fs.giveBack != nil && b.Read.Packets == 0 && spool.Retryable(b.Err) {
		fs.tally.givenBack++
		delete(fs.started, f)
		fs.giveBack(f.File, b.Err)
		return
	}
	fs.finished = append(fs.finished, f)
	if len(fs.finished)%commitFiles == 0 {
		fs.commitNow()
	}
}

// sum makes the books of f, whose inputs are all read.
func (f *file) sum() {
	f.books = &books.File{}
	for _, in := range f.inputs {
		f.books.Add(in.books)
	}
	f.bookScan()
}

// commitFiles is how many finished files, each with its books, are no reason to
// commit before the interval is over: of small ones there are thousands a second.
const commitFiles = 1000

// stream is standard input or a pipe, which ends when a stop is asked for: who feeds it
// may be silent for ever. What copies it ends with the process.
func (fs *files) stream(path string) io.Reader {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(fs.copyStream(w, path)) }() // never fails
	context.AfterFunc(fs.stop, func() { _ = w.Close() })
	return r
}

func (fs *files) copyStream(w io.Writer, path string) error {
	if path == stdin {
		_, err := io.Copy(w, fs.input)
		return err
	}
	pipe, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = pipe.Close() }() // opened for reading
	_, err = io.Copy(w, pipe)
	return err
}

// counted adds what is read to totals.
type counted struct {
	io.Reader
	totals []*atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	for _, t := range c.totals {
		t.Add(int64(n))
	}
	return n, err
}

// take takes out the finished files all of whose packets the cuts cover.
func (fs *files) take(cuts []cut) (due []*file) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	due, fs.finished = split(fs.finished, func(f *file) bool {
		return slices.ContainsFunc(cuts, f.coveredBy)
	})
	return due
}

// unretired is how many finished files of a timeline have not been put away.
func (fs *files) unretired(t *timeline) (n int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.finished {
		if f.on == t {
			n++
		}
	}
	return n
}

// keep puts back a file that take took out.
func (fs *files) keep(f *file) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.finished = append(fs.finished, f)
}

// retired counts files whose commit has happened.
func (fs *files) retired(done []*file, moves []spool.Move) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	t := &fs.tally
	for i, f := range done {
		delete(fs.started, f)
		if i >= len(done)-latestFiles {
			fs.put = keepLast(append(fs.put, f.line(moves[i])), latestFiles)
		}
		t.books.Add(&f.books.Fates)
		fs.covered.add(f)
		t.stamps(f.books)
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

// latest are the newest lines of spool.log since the start.
func (fs *files) latest() []logs.Spool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return slices.Clone(fs.put)
}

// inHand is how far the files are that were begun, by path.
func (fs *files) inHand() map[string]fileInHand {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	all := make(map[string]fileInHand, len(fs.started))
	for f := range fs.started {
		in := fileInHand{stageReading, f.read.Load()}
		if f.unread == 0 {
			in.stage = stageRead
		}
		all[f.Path] = in
	}
	return all
}

// fileInHand is how far a file is.
type fileInHand struct {
	stage string
	read  int64 // bytes of it
}

// coverage is what coverage.log says now.
func (fs *files) coverage() []logs.Coverage {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.covered.lines()
}

func (fs *files) snapshot() fileTally {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.tally
}

// wallSeconds is a wall-clock time as logs print it.
func wallSeconds(t time.Time) float64 { return packet.Time(t.UnixNano()).Seconds() }

func (t *fileTally) stamps(b *books.File) {
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
