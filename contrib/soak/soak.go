package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pcapdir/contrib/gen/traffic"
)

const (
	waiting   = 48              // files in the spool at most: the daemon sets the pace
	every     = time.Second     // between samples
	patience  = 2 * time.Minute // with a spool in which nothing happens
	rotateAt  = 64 << 20        // bytes of a log
	endlessly = 1 << 50         // packets
)

// soak is one run.
type soak struct {
	options
	out    io.Writer
	until  time.Time
	daemon *exec.Cmd
	ended  chan error

	files, packets int // moved in
	watched        time.Time
	samples        []sample
	ledger         ledger
}

func (s *soak) path(name ...string) string { return filepath.Join(append([]string{s.dir}, name...)...) }

func (s *soak) run() error {
	if err := s.start(); err != nil {
		return err
	}
	err := s.feed()
	if err == nil {
		err = s.await(func() bool { return s.inSpool() == 0 })
	}
	if err = errors.Join(err, s.stop()); err != nil {
		return err
	}
	if err := s.rotate(0); err != nil {
		return err
	}
	return s.verdict()
}

// start builds the daemon and starts it.
func (s *soak) start() error {
	bin := s.path("pcapdird")
	build := exec.Command("go", "build", "-o", bin, "pcapdir/daemon/pcapdird")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, text)
	}
	if err := os.MkdirAll(s.path("in"), 0o755); err != nil {
		return err
	}
	text, err := os.Create(s.path("stderr"))
	if err != nil {
		return err
	}
	defer func() { _ = text.Close() }() // the daemon has its own
	s.daemon = exec.Command(bin, "run")
	for _, set := range []string{
		"spool.dirs=" + s.path("in"), "spool.done=" + s.path("done"), "spool.failed=" + s.path("failed"), "spool.after=delete",
		"logs.dir=" + s.path("logs"), "commit.dir=" + s.path("state"), "commit.interval=1s", "order.hold_back=100ms", "limits.memory=" + s.memory,
	} {
		s.daemon.Args = append(s.daemon.Args, "--set", set)
	}
	s.daemon.Stderr = text
	if err := s.daemon.Start(); err != nil {
		return err
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.daemon.Wait() }()
	return nil
}

// feed moves files in, and watches, until time is up.
func (s *soak) feed() error {
	g, err := traffic.New(traffic.Config{Kind: s.kind, Flows: s.flows, Packets: endlessly, Snap: 128})
	if err != nil {
		return err
	}
	for time.Now().Before(s.until) {
		if err := s.await(func() bool { return s.inSpool() < waiting }); err != nil {
			return err
		}
		if err := s.move(g); err != nil {
			return err
		}
	}
	return nil
}

// watch takes a sample and rotates logs when it is time to.
func (s *soak) watch() error {
	if time.Since(s.watched) < every {
		return nil
	}
	s.watched = time.Now()
	s.sample()
	return s.rotate(rotateAt)
}

// move writes the next packets beside the spool and moves them in.
func (s *soak) move(g *traffic.Generator) error {
	c := traffic.Container{Link: traffic.Ethernet, Snap: 128}
	buf := c.AppendHeader(nil)
	for range s.options.packets {
		buf = c.AppendFrame(buf, g.Next())
	}
	written := s.path("next.pcap")
	if err := os.WriteFile(written, buf, 0o644); err != nil {
		return err
	}
	s.files++
	s.packets += s.options.packets
	return os.Rename(written, s.path("in", fmt.Sprintf("soak-%06d.pcap", s.files)))
}

func (s *soak) inSpool() int {
	names, err := os.ReadDir(s.path("in"))
	if err != nil {
		return waiting // await tells that nothing happens
	}
	return len(names)
}

// await polls until ok. It fails when the daemon ends, or when nothing leaves the
// spool for long.
func (s *soak) await(ok func() bool) error {
	last, since := s.inSpool(), time.Now()
	for {
		if err := s.watch(); err != nil {
			return err
		}
		if ok() {
			return nil
		}
		select {
		case err := <-s.ended:
			return fmt.Errorf("the daemon ended early: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
		if n := s.inSpool(); n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > patience {
			return errors.New("nothing leaves the spool any more")
		}
	}
}

// stop ends the daemon as a service manager does.
func (s *soak) stop() error {
	if err := s.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := <-s.ended
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 128+int(syscall.SIGTERM) {
		return nil
	}
	return fmt.Errorf("the daemon did not stop cleanly: %w", err)
}

// rotate moves logs away that are larger than so many bytes. What a log that was moved
// says is taken in at the next rotation, when nobody writes to it any more.
func (s *soak) rotate(least int64) error {
	names, err := filepath.Glob(s.path("logs", "*.log"))
	if err != nil {
		return err
	}
	for _, path := range names {
		info, err := os.Stat(path)
		if err != nil || info.Size() <= least {
			continue
		}
		if err := s.take(path + ".1"); err != nil {
			return err
		}
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
		if least == 0 {
			if err := s.take(path + ".1"); err != nil {
				return err
			}
		}
	}
	return nil
}

// take adds up what a log says and removes it.
func (s *soak) take(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	log, _, _ := strings.Cut(filepath.Base(path), ".")
	return errors.Join(s.ledger.add(log, path), os.Remove(path))
}
