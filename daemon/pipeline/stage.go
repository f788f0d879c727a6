package pipeline

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"pcapdir/analysis/logs"
	"pcapdir/source/spool"
)

// stage is where the lines of the commit in the making wait, on disk: they come all
// the time, and are visible only when the state is saved that goes with them. In it
// each log has pieces, in order.
type stage struct {
	fs     spool.FS
	path   string
	file   spool.OpenFile // nil until there are lines
	size   int64
	logs   []string // in the order in which they came
	pieces map[string][]spool.Piece
	torn   bool // a sync failed: the kernel may have dropped what it could not write
	synced bool
}

// stagePrefix begins the names of stages.
const stagePrefix = "stage-"

func stagePath(dir string, seq uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%s%d", stagePrefix, seq))
}

// add puts lines at the end. After an error the same lines are to be added again,
// which then leaves nothing twice.
func (s *stage) add(log string, text []byte) error {
	if s.file == nil {
		f, err := s.fs.OpenWrite(s.path, stateMode)
		if err != nil {
			return fmt.Errorf("write stage: %w", err)
		}
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("write stage: %w", errors.Join(err, f.Close()))
		}
		s.file, s.pieces = f, map[string][]spool.Piece{}
	}
	if _, err := s.file.WriteAt(text, s.size); err != nil {
		return fmt.Errorf("write stage: %w", err)
	}
	all := s.pieces[log]
	if len(all) == 0 {
		s.logs = append(s.logs, log)
	}
	if n := len(all); n > 0 && all[n-1].Offset+all[n-1].Bytes == s.size {
		all[n-1].Bytes += int64(len(text))
	} else {
		all = append(all, spool.Piece{Offset: s.size, Bytes: int64(len(text))})
	}
	s.pieces[log] = all
	s.size += int64(len(text))
	return nil
}

// sync makes the stage durable, and its name: a stage that is not there means that
// its commit is finished.
func (s *stage) sync() error {
	if s.synced {
		return nil
	}
	if s.file == nil {
		if err := spool.WriteDurable(s.fs, s.path, nil); err != nil {
			return fmt.Errorf("write stage: %w", err)
		}
	} else if err := s.syncFile(); err != nil {
		return fmt.Errorf("write stage: %w", err)
	}
	if err := s.fs.SyncDir(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("write stage: %w", err)
	}
	s.synced = true
	return nil
}

// syncFile syncs the file, which is written anew if that has failed before: a second
// sync would say that all is well.
func (s *stage) syncFile() error {
	if s.torn {
		again, err := s.fs.OpenWrite(s.path+".again", stateMode)
		if err != nil {
			return err
		}
		if err := s.copyTo(again); err != nil {
			return errors.Join(err, again.Close())
		}
		_ = s.file.Close() // its copy is synced
		s.file, s.torn = again, false
		return s.fs.Rename(s.path+".again", s.path)
	}
	err := s.file.Sync()
	s.torn = err != nil
	return err
}

// copyTo makes f hold what the stage holds, durably.
func (s *stage) copyTo(f spool.OpenFile) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := io.Copy(io.NewOffsetWriter(f, 0), io.NewSectionReader(s.file, 0, s.size)); err != nil {
		return err
	}
	return f.Sync()
}

// close lets go of the file.
func (s *stage) close() {
	if s.file != nil {
		_ = s.file.Close() // synced, or of no use any more
		s.file = nil
	}
}

// linesOf are the lines that a adds, out of the stage.
func linesOf(a *spool.Append, stage io.ReaderAt) logs.Lines {
	parts := []logs.Lines{headerLines(a.Header)}
	for _, p := range a.Pieces {
		parts = append(parts, io.NewSectionReader(stage, p.Offset, p.Bytes))
	}
	return logs.Join(parts...)
}
