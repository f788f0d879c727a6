package pipeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
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
//  1. the stage, with every byte that the logs get, is written and synced;
//  2. the ledger, which says where each byte goes and which file moves where,
//     is renamed into place: that rename is the commit;
//  3. the bytes are appended and synced, the stage is removed, the files move.
//
// A crash before 2 leaves no trace; after it, recover does 3 again, which is the
// same however often it is done. That the stage is gone says that the lines are
// in the logs: what happens to these from then on, rotation above all, is no
// longer the commit's business. A move that fails is carried into the next
// ledger, so that one file cannot hold up the others. Without a directory, as in
// batch mode, which moves no file and starts afresh each time, only the appends
// remain.
type store struct {
	fs    spool.FS
	dir   string // state directory, or ""
	sink  logs.Sink
	form  logs.Encoder
	mover mover // or nil
	log   *slog.Logger
	seq   uint64         // of the last commit
	cut   packet.Time    // of that
	left  []spool.Move   // of commits before, not done yet
	books books.Accounts // of all files up to the last commit
}

func (s *store) stage(seq uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf("stage-%d", seq))
}

// publish does b, from the start or from wherever it failed before.
func (s *store) publish(b *commit) error {
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
		for i, a := range b.logs {
			if err := s.append(b.ledger.Appends[i], a.text); err != nil {
				return err
			}
		}
		if err := s.settle(b.seq); err != nil {
			return err
		}
		b.logged = true
	}
	s.seq, s.cut, s.books = b.seq, b.cut, b.books
	s.move(b.ledger)
	return nil
}

// settle makes the appended lines durable; then the stage has done its work. A
// batch is done again if it is cut short; it syncs once, at its end.
func (s *store) settle(seq uint64) error {
	if s.dir == "" {
		return nil
	}
	if err := s.sink.Sync(); err != nil {
		return fmt.Errorf("sync logs: %w", err)
	}
	if err := s.fs.Remove(s.stage(seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove stage: %w", err)
	}
	return nil
}

// promise does steps 1 and 2, each until it has succeeded and never again: once
// the ledger may name it, a stage is not touched.
func (s *store) promise(b *commit) error {
	if !b.staged {
		var stage []byte
		for _, a := range b.logs {
			stage = append(stage, a.text...)
		}
		if err := spool.WriteDurable(s.fs, s.stage(b.seq), stage); err != nil {
			return fmt.Errorf("write stage: %w", err)
		}
		// Its name must be as durable as its bytes: a stage that is not there
		// means that its commit is finished.
		if err := s.fs.SyncDir(s.dir); err != nil {
			return fmt.Errorf("write stage: %w", err)
		}
		b.staged = true
	}
	if !b.promised {
		if err := b.ledger.Save(s.fs, s.dir); err != nil {
			return err
		}
		b.promised = true
	}
	return nil
}

// place fixes where in each log the lines go, and gives them their final form: a
// file that begins gets a header where the form has one.
func (s *store) place(b *commit) (*spool.Ledger, error) {
	l := &spool.Ledger{Version: spool.LedgerVersion, Seq: b.seq, Cut: b.cut, Books: b.books, Moves: append(slices.Clone(s.left), b.moves...)}
	final := make([]addition, len(b.logs))
	var offset int64
	for i, a := range b.logs {
		at, err := s.sink.Position(a.log)
		if err != nil {
			return nil, fmt.Errorf("%s.log: %w", a.log, err)
		}
		final[i] = addition{a.log, s.form.Encode(a.log, a.text, at.Length == 0, time.Now())}
		n := int64(len(final[i].text))
		l.Appends = append(l.Appends, spool.Append{
			Log: a.log, Dev: at.Dev, Ino: at.Ino, Length: at.Length, Offset: offset, Bytes: n,
		})
		offset += n
	}
	b.logs = final // now that nothing is done again
	return l, nil
}

func (s *store) append(a spool.Append, text []byte) error {
	at, err := s.sink.Append(a.Log, logs.Position{Dev: a.Dev, Ino: a.Ino, Length: a.Length}, text)
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
	l := &spool.Ledger{Version: spool.LedgerVersion, Seq: s.seq, Cut: s.cut, Books: s.books, Moves: s.left}
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
	s.seq, s.cut, s.books = l.Seq, l.Cut, l.Books
	text, err := s.readStage(l)
	switch {
	case errors.Is(err, fs.ErrNotExist): // the lines are in the logs
	case err != nil:
		return err
	default:
		for _, a := range l.Appends {
			if err := s.append(a, text[a.Offset:a.Offset+a.Bytes]); err != nil {
				return fmt.Errorf("finish commit %d: %w", l.Seq, err)
			}
		}
		if err := s.settle(l.Seq); err != nil {
			return fmt.Errorf("finish commit %d: %w", l.Seq, err)
		}
		s.log.Info("the commit that was cut short is finished", "seq", l.Seq, "up_to", eventTime(l.Cut))
	}
	s.move(l)
	return s.forget()
}

// readStage reads the stage of l, which must hold all that l says.
func (s *store) readStage(l *spool.Ledger) ([]byte, error) {
	var size int64
	for _, a := range l.Appends {
		if a.Offset != size || a.Bytes < 0 {
			return nil, fmt.Errorf("%w: commit %d is out of step with its stage", spool.ErrLedger, l.Seq)
		}
		size += a.Bytes
	}
	path := s.stage(l.Seq)
	f, err := s.fs.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the stage of commit %d: %w", l.Seq, err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	text := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), text); err != nil {
		return nil, fmt.Errorf("%w: %s is shorter than the ledger says: %w", spool.ErrLedger, path, err)
	}
	return text, nil
}

// eventTime is t for people: nothing for the ends of time.
func eventTime(t packet.Time) string {
	if t == packet.MaxTime || t == -packet.MaxTime {
		return "the end"
	}
	return t.UTC()
}
