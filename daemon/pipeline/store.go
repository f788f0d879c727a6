package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/books"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// mover puts files away. *spool.Spool is one.
type mover interface {
	// Do carries out moves and returns those that are still to be done, and why.
	Do(moves []spool.Move) (left []spool.Move, err error)
}

// store carries commits out, in the order that makes a crash harmless:
//
//  1. the stage, with every byte that the logs get, and the segments, with the state
//     that goes with them, are written and synced;
//  2. the ledger, which says where each byte goes, which file moves where and which
//     segments hold, is renamed into place: that rename is the commit;
//  3. logs whose files are full get new ones, the bytes are appended and synced, the stage is removed, the files move, and
//     the segments go that the ledger does not name.
//
// A crash before 2 leaves no trace; after it, recover does 3 again, which is the
// same however often it is done. That the stage is gone says that the lines are
// in the logs: what happens to these from then on, rotation above all, is no
// longer the commit's business. A move that fails is carried into the next
// ledger, so that one file cannot hold up the others. Without a directory, as in
// batch mode, which moves no file and starts afresh each time, only the appends
// remain.
type store struct {
	fs       spool.FS
	dir      string // state directory, or ""
	sink     logs.Sink
	form     logs.Encoder
	setup    *setup
	mover    mover // or nil
	log      *slog.Logger
	seq      uint64         // of the last commit
	cut      packet.Time    // of that
	left     []spool.Move   // of commits before, not done yet
	books    books.Accounts // of all files up to the last commit
	state    json.RawMessage
	segments []segment // that state names
}

// keeps says that state outlives the process.
func (s *store) keeps() bool { return s.dir != "" }

// reset drops the state of the run before.
func (s *store) reset() error {
	s.state = nil
	return s.forget()
}

// restore is the state of the run before, or nil. What commits left that never
// happened, or were not swept up after, goes.
func (s *store) restore() (*state, error) {
	var st *state
	if len(s.state) > 0 {
		st = new(state)
		if err := json.Unmarshal(s.state, st); err != nil {
			return nil, refused(err)
		}
		s.segments = st.segments()
	}
	names, err := s.fs.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	for _, n := range names {
		old := strings.HasPrefix(n.Name(), segmentPrefix) && !named(s.segments, n.Name())
		if old || strings.HasPrefix(n.Name(), stagePrefix) {
			s.remove(n.Name())
		}
	}
	return st, nil
}

// begin is the next commit, empty.
func (s *store) begin() *commit {
	b := &commit{seq: s.seq + 1, cut: s.cut, books: s.books}
	if s.dir != "" {
		b.stage = &stage{fs: s.fs, path: stagePath(s.dir, b.seq)}
	}
	return b
}

// spill moves the lines of b to its stage. It can be repeated until it succeeds.
func (s *store) spill(b *commit) error {
	if b.stage == nil {
		return nil
	}
	for len(b.logs) > 0 {
		a := b.logs[0]
		if err := b.stage.add(a.log, s.form.Encode(a.log, a.text, false, time.Now())); err != nil {
			return err
		}
		b.logs = b.logs[1:]
	}
	return nil
}

// publish does b, from the start or from wherever it failed before.
func (s *store) publish(b *commit) error {
	if err := s.spill(b); err != nil {
		return err
	}
	if b.ledger == nil {
		l, err := s.place(b)
		if err != nil {
			return err
		}
		b.ledger = l
	}
	if s.dir != "" {
		if err := s.promise(b); err != nil {
			return err
		}
	}
	if !b.logged {
		if err := s.write(b); err != nil {
			return err
		}
		if err := s.settle(b.seq); err != nil {
			return err
		}
		b.logged = true
	}
	if b.stage != nil {
		b.stage.close()
	}
	s.seq, s.cut, s.books, s.state = b.seq, b.cut, b.books, b.state
	fault("logged")
	s.move(b.ledger)
	fault("moved")
	s.sweep(b.segments)
	fault("swept")
	return nil
}

// write appends the lines of b to the logs, to new files where the old ones are full.
func (s *store) write(b *commit) error {
	if err := s.rotate(b.ledger.Turns); err != nil {
		return err
	}
	for i := range b.ledger.Appends {
		a := &b.ledger.Appends[i]
		var lines logs.Lines
		if b.stage != nil {
			lines = linesOf(a, b.stage.file)
		} else {
			lines = logs.Join(headerLines(a.Header), bytes.NewReader(b.logs[i].text))
		}
		if err := s.append(a, lines); err != nil {
			return err
		}
		fault("append")
	}
	return nil
}

// rotates says that a commit without lines has something to do, too.
func (s *store) rotates() bool {
	return len(s.turns()) > 0
}

// turns are the logs whose files are full. A batch leaves them as they are.
func (s *store) turns() (all []spool.Turn) {
	if s.dir == "" {
		return nil
	}
	for _, log := range committed {
		if t, due := s.sink.Due(log, s.setup.rotation(), time.Now()); due {
			all = append(all, spool.Turn(t))
		}
	}
	return all
}

// committed are the logs that get lines by commits alone.
var committed = [...]string{
	logs.ConnStream().Name, logs.OpenConnStream().Name, logs.WeirdStream().Name, logs.KMeansStream().Name,
	logs.AnomalyStream().Name, logs.VectorStream().Name, logs.SpoolStream().Name,
}

func (s *store) rotate(turns []spool.Turn) error {
	for _, t := range turns {
		if err := s.sink.Rotate(logs.Turn(t)); err != nil {
			return fmt.Errorf("%s.log: %w", t.Log, err)
		}
		fault("rotated")
	}
	return nil
}

// headerLines are what a file begins with, or nothing.
func headerLines(header string) logs.Lines { return strings.NewReader(header) }

// settle makes the appended lines durable; then the stage has done its work. A
// batch is done again if it is cut short; it syncs once, at its end.
func (s *store) settle(seq uint64) error {
	if s.dir == "" {
		return nil
	}
	if err := s.sink.Sync(); err != nil {
		return fmt.Errorf("sync logs: %w", err)
	}
	fault("synced")
	if err := s.fs.Remove(stagePath(s.dir, seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove stage: %w", err)
	}
	return nil
}

// promise does steps 1 and 2, each until it has succeeded and never again: once
// the ledger may name it, a stage is not touched.
func (s *store) promise(b *commit) error {
	if b.promised {
		return nil
	}
	fault("stage")
	if err := b.stage.sync(); err != nil {
		return err
	}
	fault("ledger")
	if err := b.ledger.Save(s.fs, s.dir); err != nil {
		return err
	}
	fault("promised")
	b.promised = true
	return nil
}

// place fixes where in each log the lines go, and what comes before them.
func (s *store) place(b *commit) (*spool.Ledger, error) {
	l := &spool.Ledger{
		Version: spool.LedgerVersion, Seq: b.seq, Cut: b.cut, Books: b.books, Moves: append(slices.Clone(s.left), b.moves...), State: b.state,
	}
	l.Turns = s.turns()
	if b.stage == nil {
		for i, a := range b.logs {
			b.logs[i].text = s.form.Encode(a.log, a.text, false, time.Now())
			if err := s.placeLog(l, a.log, nil); err != nil {
				return nil, err
			}
		}
		return l, nil
	}
	for _, log := range b.stage.logs {
		if err := s.placeLog(l, log, b.stage.pieces[log]); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (s *store) placeLog(l *spool.Ledger, log string, pieces []spool.Piece) error {
	at, err := s.sink.Position(log)
	if err != nil {
		return fmt.Errorf("%s.log: %w", log, err)
	}
	if slices.ContainsFunc(l.Turns, func(t spool.Turn) bool { return t.Log == log }) {
		at = logs.Position{}
	}
	a := spool.Append{Log: log, Dev: at.Dev, Ino: at.Ino, Length: at.Length, Pieces: pieces}
	a.Header = string(s.form.Before(log, at, time.Now()))
	if at.Torn {
		s.log.Warn("a log ends in half a line, which stays as it is; the next line begins below it", "log", log)
	}
	l.Appends = append(l.Appends, a)
	return nil
}

func (s *store) append(a *spool.Append, lines logs.Lines) error {
	at, err := s.sink.Append(a.Log, logs.Position{Dev: a.Dev, Ino: a.Ino, Length: a.Length}, lines)
	if err != nil {
		return fmt.Errorf("%s.log: %w", a.Log, err)
	}
	if at.Replaced {
		s.log.Warn("a log was moved, removed or changed by someone else; lines go on in the file that has its name now", "log", a.Log)
	}
	return nil
}

// forget makes a ledger that holds none of the moves that are done: otherwise
// they would be done again after a start, also to a file that somebody has moved
// back to be read anew.
func (s *store) forget() error {
	if s.dir == "" || s.seq == 0 {
		return nil
	}
	l := &spool.Ledger{Version: spool.LedgerVersion, Seq: s.seq, Cut: s.cut, Books: s.books, Moves: s.left, State: s.state}
	return l.Save(s.fs, s.dir)
}

// move puts files away. One that cannot be moved is no error of the commit: it
// is told, and tried again with the next one.
func (s *store) move(l *spool.Ledger) {
	if s.mover == nil || len(l.Moves) == 0 {
		return
	}
	left, err := s.mover.Do(l.Moves)
	if err != nil && !slices.Equal(left, s.left) {
		s.log.Warn("files cannot be put away; they are tried again", "files", len(left), "error", err)
	}
	s.left = left
}

// recover finishes the last commit of the run before, if it was cut short.
func (s *store) recover() error {
	l, err := spool.LoadLedger(s.fs, s.dir)
	if err != nil || l == nil {
		return err
	}
	s.seq, s.cut, s.books, s.state = l.Seq, l.Cut, l.Books, l.State
	if err := s.finish(l); err != nil {
		return err
	}
	s.move(l)
	return s.forget()
}

// finish appends the lines of l unless that is done.
func (s *store) finish(l *spool.Ledger) error {
	path := stagePath(s.dir, l.Seq)
	f, err := s.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the lines are in the logs
	}
	if err != nil {
		return fmt.Errorf("open the stage of commit %d: %w", l.Seq, err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open the stage of commit %d: %w", l.Seq, err)
	}
	for _, a := range l.Appends {
		for _, p := range a.Pieces {
			if p.Offset < 0 || p.Bytes < 0 || p.Offset > st.Size-p.Bytes {
				return fmt.Errorf("%w: %s is shorter than the ledger says", spool.ErrLedger, path)
			}
		}
	}
	if err := s.rotate(l.Turns); err != nil {
		return fmt.Errorf("finish commit %d: %w", l.Seq, err)
	}
	for i := range l.Appends {
		if err := s.append(&l.Appends[i], linesOf(&l.Appends[i], io.NewSectionReader(f, 0, st.Size))); err != nil {
			return fmt.Errorf("finish commit %d: %w", l.Seq, err)
		}
	}
	if err := s.settle(l.Seq); err != nil {
		return fmt.Errorf("finish commit %d: %w", l.Seq, err)
	}
	s.log.Info("the commit that was cut short is finished", "seq", l.Seq, "up_to", eventTime(l.Cut))
	return nil
}

// eventTime is t for people, the ends of time in words.
func eventTime(t packet.Time) string {
	switch t {
	case packet.MaxTime:
		return "the end"
	case -packet.MaxTime:
		return "the beginning"
	}
	return t.UTC()
}
