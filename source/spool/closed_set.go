package spool

import (
	"context"
	"errors"
)

// ErrPaused says that nothing is admitted until Resume.
var ErrPaused = errors.New("the spool is paused")

// ErrEnded says that Run has ended.
var ErrEnded = errors.New("the spool is no longer watched")

// closedSet is what is admitted as one group, without being held back: the
// backlog, and later whatever lies in the spool when somebody says that it is all.
type closedSet struct {
	wanted    bool         // the next look says what it has
	gathering bool         // it is waited for
	answer    []chan error // who wants to hear when it is admitted; of capacity 1
}

// begin is called at the start of a look and says whether that look decides what
// the set has: what it finds, and what still settles.
func (c *closedSet) begin(entries map[string]*entry) bool {
	if !c.wanted {
		return false
	}
	c.wanted, c.gathering = false, true
	for _, e := range entries {
		e.closed = e.state == settling
	}
	return true
}

// tell answers everybody who waits.
func (c *closedSet) tell(err error) {
	for _, answer := range c.answer {
		answer <- err
	}
	c.answer = nil
}

// Seal admits all that lies in the spool now as one closed set, and returns once
// it is admitted: what has to settle is waited for, unless it turns out to be
// still written to. Errors are ErrPaused, ErrEnded and that of ctx, which ends
// the wait alone.
func (s *Spool) Seal(ctx context.Context) error {
	s.mu.Lock()
	if s.paused {
		s.mu.Unlock()
		return ErrPaused
	}
	admitted := s.want()
	s.mu.Unlock()
	return s.await(ctx, admitted)
}

// Pause stops admitting; files are still found and indexed. When it returns,
// nothing further is admitted. It is not remembered beyond Run.
func (s *Spool) Pause() {
	s.admitting.Lock() // a group that is on its way arrives before
	defer s.admitting.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
	s.set.tell(ErrPaused)
}

// Resume ends a pause: all that came meanwhile is one closed set, and Resume
// returns as Seal does. Without a pause nothing happens.
func (s *Spool) Resume(ctx context.Context) error {
	s.mu.Lock()
	if !s.paused {
		s.mu.Unlock()
		return nil
	}
	s.paused = false
	admitted := s.want()
	s.mu.Unlock()
	return s.await(ctx, admitted)
}

// want asks for a closed set. The caller holds mu.
func (s *Spool) want() (admitted chan error) {
	admitted = make(chan error, 1)
	s.set.wanted = true
	s.set.answer = append(s.set.answer, admitted)
	s.lookSoon()
	return admitted
}

func (s *Spool) await(ctx context.Context, admitted chan error) error {
	select {
	case err := <-admitted:
		return err
	case <-s.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}
