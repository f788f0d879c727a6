package spool_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pcapdir/source/spool"
)

// later calls f beside the test and hands over what it returned, and when.
func (r *running) later(f func(context.Context) error) (ended func() (time.Duration, error)) {
	var at time.Duration
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = f(r.t.Context())
		at = time.Since(r.start).Truncate(time.Second)
	}()
	return func() (time.Duration, error) {
		<-done
		return at, err
	}
}

// What comes during a pause waits, however long, and is one group afterwards,
// with what still had to settle and without being held back.
func TestPauseAndResume(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.Pause()
		r.Pause()
		for i, name := range []string{"b", "tap/a", "c"} {
			r.until(time.Duration(i+1) * 10 * time.Minute)
			r.put(name, old)
		}
		r.until(time.Hour - time.Second)
		if st := r.Status(); !st.Paused || st.Grouped != 3 {
			t.Errorf("status %+v", st)
		}
		if list := r.Waiting(2, nil); len(list) != 2 || list[0].Stage != spool.Held || list[1].Source != "tap" || !list[0].Arrived.Before(list[1].Arrived) {
			t.Errorf("the first that wait: %+v", list)
		}
		if list := r.Waiting(2, map[string]bool{r.at("in/c"): true}); len(list) != 2 || list[0].Path != r.at("in/c") || list[1].Path != r.at("in/b") {
			t.Errorf("c before those that came before it: %+v", list)
		}
		r.want(admission{0, ""})
		r.put("settling", 0)
		r.until(time.Hour)
		resumed := r.later(r.Resume)
		if at, err := resumed(); at < time.Hour+settle-rescan || at > time.Hour+settle+rescan || err != nil {
			t.Errorf("resumed at %v: %v", at, err)
		}
		got := r.got()
		if len(got) != 2 || got[1].files != "b c settling tap/a" {
			t.Errorf("admitted %v", got)
		}
		if err := r.Resume(r.t.Context()); err != nil || r.Status().Paused {
			t.Errorf("a second time: %v, %+v", err, r.Status())
		}
		r.forget()
		r.put("held", old)
		r.until(2 * time.Hour)
		if got := r.got(); len(got) != 1 || got[0].files != "held" {
			t.Errorf("afterwards: %v", got)
		}
	})
}

// A seal admits at once what would be held back, waits for what settles, not for
// what is written to all the time, and has nothing to admit in an empty spool.
func TestSeal(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		if err := r.Seal(r.t.Context()); err != nil {
			t.Error(err)
		}
		r.want(admission{0, ""}) // no empty group
		r.until(time.Minute)
		r.put("a", old)
		if at, err := r.later(r.Seal)(); at > time.Minute+time.Second || err != nil {
			t.Errorf("sealed at %v: %v", at, err)
		}
		r.put("growing", 0)
		r.put("fresh", 0)
		sealed := r.later(r.Seal)
		for range 10 {
			time.Sleep(time.Second)
			write(r.t, r.at("in/growing"), pcap(t, make([]int64, 2+time.Since(r.start)/time.Second)...))
		}
		if _, err := sealed(); err != nil {
			t.Error(err)
		}
		if got := r.got(); len(got) != 3 || got[1].files != "a" || got[2].files != "fresh" {
			t.Errorf("admitted %v", got)
		}
	})
}

// Who waits is told when that becomes vain: by a pause, by the end, by giving up.
func TestSealIsTold(t *testing.T) {
	runSpool(t, spool.AfterDone, nil, func(r *running) {
		r.until(time.Minute)
		r.put("fresh", 0)
		sealed := r.later(r.Seal)
		synctest.Wait()
		r.Pause()
		if _, err := sealed(); !errors.Is(err, spool.ErrPaused) {
			t.Errorf("paused meanwhile: %v", err)
		}
		if err := r.Seal(r.t.Context()); !errors.Is(err, spool.ErrPaused) {
			t.Errorf("while paused: %v", err)
		}
		short, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if err := r.Resume(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("given up: %v", err)
		}
		r.until(2 * time.Minute)
		if got := r.got(); len(got) != 2 || r.Status().Paused { // it was resumed all the same
			t.Errorf("admitted %v, status %+v", got, r.Status())
		}
		must(t, os.Remove(r.at("in/fresh")))
		r.put("late", 0)
		sealed = r.later(r.Seal)
		r.t.Cleanup(func() {
			if _, err := sealed(); !errors.Is(err, spool.ErrEnded) && !errors.Is(err, context.Canceled) {
				t.Errorf("at the end: %v", err)
			}
		})
	})
}
