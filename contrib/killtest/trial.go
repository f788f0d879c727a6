package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/contrib/rig"
)

const (
	patience = 2 * time.Minute // for what is to happen
	longest  = 1500 * time.Millisecond
)

// trial is one run.
type trial struct {
	options
	out     io.Writer
	rng     *rand.Rand
	rig     *rig.Rig
	traffic *traffic.Generator
	readers []*reader
	sent    int // files
}

func newTrial(o options, out io.Writer) *trial {
	return &trial{options: o, out: out, rng: rand.New(rand.NewPCG(o.seed, 9))}
}

func (t *trial) run() (err error) {
	if t.rig, err = rig.New(t.dir); err != nil {
		return err
	}
	t.traffic, err = traffic.New(traffic.Config{Kind: "mix", Flows: 300, Packets: uint64(t.files * t.packets), Seed: t.seed, Snap: 200})
	if err != nil {
		return err
	}
	for _, log := range []string{"conn", "spool", "weird"} {
		t.readers = append(t.readers, &reader{path: t.rig.Path("logs", log+".log")})
	}
	for n := range t.kills {
		if err := t.start(); err != nil {
			return err
		}
		if err := t.live(t.files * (n + 1) / t.kills); err != nil {
			return err
		}
		if err := t.rig.Kill(); err != nil {
			return err
		}
		if err := t.look(); err != nil {
			return fmt.Errorf("after kill %d: %w", n+1, err)
		}
	}
	if err := t.finish(); err != nil {
		return err
	}
	return t.verdict()
}

// start starts the daemon, with another number of shards each time.
func (t *trial) start() error {
	return t.rig.Start("commit.interval=100ms", "order.hold_back=50ms", "spool.settle=100ms", "order.idle=1s", fmt.Sprintf("shards.count=%d", 1+t.rng.IntN(4)))
}

// live lets captures arrive, up to the given number, for a while that is drawn, and
// looks at the logs meanwhile.
func (t *trial) live(upTo int) error {
	end := time.Now().Add(time.Duration(t.rng.Int64N(int64(longest))))
	for time.Now().Before(end) {
		if t.sent < upTo {
			if err := t.send(); err != nil {
				return err
			}
		}
		if err := t.look(); err != nil {
			return err
		}
		time.Sleep(time.Duration(t.rng.Int64N(int64(60 * time.Millisecond))))
	}
	return nil
}

// send deposits the next capture.
func (t *trial) send() error {
	c := traffic.Container{Link: traffic.Ethernet, Snap: 200}
	buf := c.AppendHeader(nil)
	for range t.packets {
		buf = c.AppendFrame(buf, t.traffic.Next())
	}
	t.sent++
	return t.rig.Deposit(t.name(t.sent), buf)
}

func (t *trial) name(n int) string { return fmt.Sprintf("kill-%05d.pcap", n) }

// look has every reader read on.
func (t *trial) look() error {
	var errs []error
	for _, r := range t.readers {
		errs = append(errs, r.read())
	}
	return errors.Join(errs...)
}

// finish lets the rest arrive and be read, and stops the daemon cleanly.
func (t *trial) finish() error {
	if err := t.start(); err != nil {
		return err
	}
	for t.sent < t.files {
		if err := t.send(); err != nil {
			return err
		}
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if n, err := t.rig.Waiting(); err != nil || n == 0 {
			return errors.Join(err, t.rig.Stop(), t.look())
		}
		select {
		case err := <-t.rig.Ended():
			return fmt.Errorf("the daemon ended early: %w", err)
		default:
		}
		if time.Since(begin) > patience {
			return errors.New("files stay in the spool")
		}
	}
}

// reader is somebody who has a log open, as tail -F has, and remembers all.
type reader struct {
	path string
	seen []byte
}

// read compares what was seen with what is there, and takes in the rest.
func (r *reader) read() error {
	text, err := os.ReadFile(r.path)
	if errors.Is(err, os.ErrNotExist) && len(r.seen) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	log := filepath.Base(r.path)
	if len(text) < len(r.seen) {
		return fmt.Errorf("%s was cut from %d bytes to %d", log, len(r.seen), len(text))
	}
	for i := range r.seen {
		if text[i] != r.seen[i] {
			return fmt.Errorf("%s: byte %d was changed after it was seen", log, i)
		}
	}
	r.seen = text
	return nil
}
