package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/contrib/rig"
)

const (
	mostWaiting = 48              // files in the spool at most: the daemon sets the pace
	every       = time.Second     // between samples
	patience    = 2 * time.Minute // with a spool in which nothing happens
	rotateAt    = 64 << 20        // bytes of a log
	endlessly   = 1 << 50         // packets
)

var container = traffic.Container{Link: traffic.Ethernet, Snap: 128}

// soak is one run.
type soak struct {
	options
	out io.Writer
	rig *rig.Rig

	files   int    // moved in
	sent    uint64 // packets in them
	peak    int64  // bytes that were resident at most
	flood   *flood // nil: traffic
	watched time.Time
	samples []sample
	ledger  ledger
}

func (s *soak) run() error {
	if err := s.start(); err != nil {
		return err
	}
	defer s.rig.Abandon()
	err := s.feed()
	if err == nil {
		err = s.await(func() bool { return s.waiting() == 0 })
	}
	if err = errors.Join(err, s.rig.Stop()); err != nil {
		return err
	}
	s.peak = s.rig.Peak()
	if err := s.takeAll(); err != nil {
		return err
	}
	err = s.verdict()
	if s.flood != nil {
		err = errors.Join(err, s.bounded(), s.heard())
	}
	return err
}

// start builds the daemon and starts it.
func (s *soak) start() (err error) {
	if s.rig, err = rig.New(s.dir); err != nil {
		return err
	}
	return s.rig.Start(false, "spool.after=delete", "commit.interval=1s", "order.hold_back=100ms", "limits.memory="+s.memory)
}

// feed moves files in, and watches, until time is up.
func (s *soak) feed() error {
	g, err := s.traffic()
	if err != nil {
		return err
	}
	until := time.Now().Add(time.Duration(s.minutes * float64(time.Minute)))
	for s.total == 0 && time.Now().Before(until) || s.sent < s.total {
		if err := s.await(func() bool { return s.waiting() < mostWaiting }); err != nil {
			return err
		}
		if err := s.move(g); err != nil {
			return err
		}
	}
	return nil
}

// packets is where they come from.
type packets interface{ Next() *traffic.Frame }

// traffic is what is played.
func (s *soak) traffic() (packets, error) {
	if s.options.flood == "" {
		return traffic.New(traffic.Config{Kind: s.kind, Flows: s.flows, Packets: endlessly, Snap: 128})
	}
	f, err := newFlood(s.options.flood, s.total)
	s.flood = f
	return f, err
}

// watch takes a sample and rotates logs when it is time to.
func (s *soak) watch() error {
	if time.Since(s.watched) < every {
		return nil
	}
	s.watched = time.Now()
	s.sample()
	return s.rotate()
}

// move writes the next packets beside the spool and moves them in.
func (s *soak) move(g packets) error {
	buf := container.AppendHeader(nil)
	for range s.packets {
		buf = container.AppendFrame(buf, g.Next())
	}
	s.files++
	s.sent += uint64(s.packets)
	return s.rig.Deposit(fmt.Sprintf("soak-%06d.pcap", s.files), buf)
}

// waiting is how many files are in the spool, where it can be told.
func (s *soak) waiting() int {
	n, err := s.rig.Waiting()
	if err != nil {
		return mostWaiting // await tells that nothing happens
	}
	return n
}

// await polls until ok. It fails when the daemon ends, or when nothing leaves the
// spool for long.
func (s *soak) await(ok func() bool) error {
	last, since := s.waiting(), time.Now()
	for {
		if err := s.watch(); err != nil {
			return err
		}
		if ok() {
			return nil
		}
		select {
		case err := <-s.rig.Ended():
			return fmt.Errorf("the daemon ended early: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
		if n := s.waiting(); n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > patience {
			return errors.New("nothing leaves the spool any more")
		}
	}
}

// rotate moves logs away that are larger than rotateAt. What a log that was moved says
// is taken in at the next rotation, when nobody writes to it any more.
func (s *soak) rotate() error {
	names, err := filepath.Glob(s.rig.Log("*.log"))
	if err != nil {
		return err
	}
	for _, path := range names {
		info, err := os.Stat(path)
		if err != nil || info.Size() <= rotateAt {
			continue
		}
		if err := errors.Join(s.take(path+".1"), os.Rename(path, path+".1")); err != nil {
			return err
		}
	}
	return nil
}

// takeAll takes in every log, when the daemon has ended.
func (s *soak) takeAll() error {
	names, err := filepath.Glob(s.rig.Log("*.log*"))
	for _, path := range names {
		err = errors.Join(err, s.take(path))
	}
	return err
}

// take adds up what a log says and removes it.
func (s *soak) take(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	log, _, _ := strings.Cut(filepath.Base(path), ".")
	return errors.Join(s.ledger.add(log, path), os.Remove(path))
}
