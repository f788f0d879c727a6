package pipeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
	"pcapdir/source/spool"
)

// mover puts files away. *spool.Spool is one.
type mover interface {
	Do(moves []spool.Move) error
}

// store carries commits out, in the order that makes a crash harmless:
//
//  1. the stage, with every byte that the logs get, is written and synced;
//  2. the ledger, which says where each byte goes and which file moves where,
//     is renamed into place: that rename is the commit;
//  3. the bytes are appended and synced, the files moved, the stage before this
//     one removed.
//
// A crash before 2 leaves no trace; after it, recover does 3 again, which is the
// same however often it is done. Without a directory, as in batch mode, which
// moves no file and starts afresh each time, only the appends remain.
type store struct {
	fs    spool.FS
	dir   string // state directory, or ""
	sink  logs.Sink
	mover mover // or nil
	log   *slog.Logger
	seq   uint64 // of the last commit
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
	for i, a := range b.logs {
		if err := s.append(b.ledger.Appends[i], a.text); err != nil {
			return err
		}
	}
	if err := s.finish(b.ledger); err != nil {
		return err
	}
	s.seq = b.seq
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

// place fixes where in each log the lines go.
func (s *store) place(b *commit) (*spool.Ledger, error) {
	l := &spool.Ledger{Version: spool.LedgerVersion, Seq: b.seq, Cut: b.cut, Moves: b.moves}
	var offset int64
	for _, a := range b.logs {
		at, err := s.sink.Position(a.log)
		if err != nil {
			return nil, fmt.Errorf("%s.log: %w", a.log, err)
		}
		n := int64(len(a.text))
		l.Appends = append(l.Appends, spool.Append{
			Log: a.log, Dev: at.Dev, Ino: at.Ino, Length: at.Length, Offset: offset, Bytes: n,
		})
		offset += n
	}
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

// finish is what follows the appends.
func (s *store) finish(l *spool.Ledger) error {
	// A batch is done again if it is cut short; it syncs once, at its end.
	if s.dir != "" {
		if err := s.sink.Sync(); err != nil {
			return fmt.Errorf("sync logs: %w", err)
		}
	}
	if s.mover != nil && len(l.Moves) > 0 {
		if err := s.mover.Do(l.Moves); err != nil {
			return fmt.Errorf("put files away: %w", err)
		}
	}
	if s.dir != "" && l.Seq > 1 {
		if err := s.fs.Remove(s.stage(l.Seq - 1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove stage: %w", err)
		}
	}
	return nil
}

// recover finishes the last commit of the run before, if there was one.
func (s *store) recover() error {
	l, err := spool.LoadLedger(s.fs, s.dir)
	if err != nil || l == nil {
		return err
	}
	text, err := s.readStage(l)
	if err != nil {
		return err
	}
	for _, a := range l.Appends {
		if err := s.append(a, text[a.Offset:a.Offset+a.Bytes]); err != nil {
			return fmt.Errorf("finish commit %d: %w", l.Seq, err)
		}
	}
	if err := s.finish(l); err != nil {
		return fmt.Errorf("finish commit %d: %w", l.Seq, err)
	}
	s.seq = l.Seq
	s.log.Info("the last commit stands", "seq", l.Seq, "up_to", eventTime(l.Cut))
	return nil
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
	if size == 0 {
		return nil, nil
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
