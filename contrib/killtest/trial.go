package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"pcapdir/contrib/gen/traffic"
	"pcapdir/contrib/rig"
)

const (
	patience = 2 * time.Minute // for what is to happen
	longest  = 1500 * time.Millisecond
)

// steps are the named steps of the commit at which a daemon that is built with the tag
// faults kills itself.
var steps = []string{"cut", "save", "stage", "ledger", "promised", "rotated", "append", "synced", "logged", "moved", "swept"}

// trial is one run.
type trial struct {
	options
	out     io.Writer
	rng     *rand.Rand
	rig     *rig.Rig
	traffic *traffic.Generator
	readers []*reader
	sent    int // files
	endured int // outages, without a kill

	descriptors unix.Rlimit // that the daemon had before an outage
}

func newTrial(o options, out io.Writer) *trial {
	return &trial{options: o, out: out, rng: rand.New(rand.NewPCG(o.seed, 9))}
}

// logs are those that must be as without a kill, and spool.log, whose lines are in the
// order in which files were put away.
var logs = []string{"conn", "anomaly", "kmeans", "vectors", "weird", "spool"}

func (t *trial) run() (err error) {
	if t.outages > 0 {
		if err := mount(t.dir); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unmount(t.dir)) }()
	}
	if t.rig, err = rig.New(t.dir, "faults"); err != nil {
		return err
	}
	defer t.rig.Abandon()
	t.traffic, err = traffic.New(traffic.Config{Kind: "mix", Flows: 300, Packets: uint64(t.files * t.packets), Seed: t.seed, Snap: 200})
	if err != nil {
		return err
	}
	for _, log := range logs {
		r := &reader{path: t.rig.Log(log + ".log")}
		defer r.close()
		t.readers = append(t.readers, r)
	}
	lives := t.plan()
	for n, life := range lives {
		if err := t.start(true, life); err != nil {
			return err
		}
		if err := t.live(t.files*(n+1)/len(lives), life); err != nil {
			return fmt.Errorf("life %d (%s): %w", n+1, life, err)
		}
		if err := t.look(); err != nil {
			return fmt.Errorf("after life %d (%s): %w", n+1, life, err)
		}
	}
	if err := t.finish(); err != nil {
		return err
	}
	return t.verdict()
}

// The ways in which a life ends beside the steps.
const (
	killed  = "killed"
	stopped = "stopped"
)

// stops is how many of the lives that end at random instants end by a stop: one of so
// many.
const stops = 8

// plan is how lives end, in an order that is drawn.
func (t *trial) plan() (ends []string) {
	for n := range t.kills {
		if n%stops == stops-1 {
			ends = append(ends, stopped)
		} else {
			ends = append(ends, killed)
		}
	}
	for range t.steps {
		ends = append(ends, steps...)
	}
	for range t.outages {
		ends = slices.AppendSeq(ends, maps.Keys(outages))
	}
	slices.Sort(ends) // the order of a map is not drawn from the seed
	t.rng.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	return ends
}

// start starts the daemon, with other shards each time, for a life that ends at a step
// of the commit, if end is one.
func (t *trial) start(keep bool, end string) error {
	t.rig.Env = nil
	if slices.Contains(steps, end) {
		t.rig.Env = []string{fmt.Sprintf("PCAPDIR_FAULT=%s:%d", end, 1+t.rng.IntN(6))}
	}
	return t.rig.Start(keep, "commit.interval=100ms", "order.hold_back=50ms", "spool.settle=100ms", "order.idle=1s",
		fmt.Sprintf("shards.count=%d", 1+t.rng.IntN(4)), "shards.hash="+hashes[t.rng.IntN(len(hashes))],
		fmt.Sprintf("logs.rotate_size=%dKiB", 1<<(4+t.rng.IntN(5))),
		fmt.Sprintf("logs.compress=%v", outages[end].begin == nil)) // or a full disk would get room
}

var hashes = []string{"2-tuple", "4-tuple", "5-tuple"}

// live lets captures arrive, up to the given number, until the life is over, and looks
// at the logs meanwhile. One that is to end at a step and does not come to it, for
// there was no commit, is killed.
func (t *trial) live(upTo int, life string) error {
	last := time.Duration(t.rng.Int64N(int64(longest)))
	if slices.Contains(steps, life) {
		last = longest
	}
	for end := time.Now().Add(last); time.Now().Before(end); {
		if t.sent < upTo {
			if err := t.send(); err != nil {
				return err
			}
		}
		if err := t.look(); err != nil {
			return err
		}
		select {
		case err := <-t.rig.Ended():
			return rig.WasKilled(err)
		case <-time.After(time.Duration(t.rng.Int64N(int64(60 * time.Millisecond)))):
		}
	}
	if life == stopped {
		return t.rig.Stop()
	}
	if o, ok := outages[life]; ok {
		return t.endure(o, upTo)
	}
	return t.rig.Kill()
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
	if err := t.start(false, killed); err != nil {
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

// reader is somebody who has a log open, as tail -F has, and remembers all of the file.
type reader struct {
	path string
	file *os.File // nil: there was none yet
	seen []byte
}

// read compares what was seen with what is there, and takes in the rest; then it goes
// on to the file that has the name now.
func (r *reader) read() error {
	if r.file != nil {
		if err := r.compare(); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(r.path), err)
		}
	}
	now, err := os.Open(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.file != nil && sameFile(r.file, now) {
		return now.Close()
	}
	if n := len(r.seen); n > 0 && r.seen[n-1] != '\n' {
		err = fmt.Errorf("%s was rotated with half a line at its end", filepath.Base(r.path))
	}
	r.close()
	r.file, r.seen = now, nil
	return err
}

func sameFile(a, b *os.File) bool {
	was, errA := a.Stat()
	is, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(was, is)
}

func (r *reader) compare() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	text := make([]byte, info.Size())
	if _, err := r.file.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(text) < len(r.seen) {
		return fmt.Errorf("cut from %d bytes to %d", len(r.seen), len(text))
	}
	for i := range r.seen {
		if text[i] != r.seen[i] {
			return fmt.Errorf("byte %d was changed after it was seen", i)
		}
	}
	r.seen = text
	return nil
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // opened for reading
	}
}
