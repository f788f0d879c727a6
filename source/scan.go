package source

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"pcapdir/source/clock"
	"pcapdir/source/decompress"
	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// Most runs that a scan finds in a file: each is read by a reader of its own. A
// reader that cannot seek to its run reads all before it again, so there they
// are fewer. What comes after is one run, whatever its order.
const (
	maxRunsSeek = 1024
	maxRunsSkip = 64
)

// Run is a stretch of the records of a file that is in order but for the reorder
// window and suspect stamps, and so an input of the merge of its own.
type Run struct {
	From, To uint64      // numbers of its first record and of the one behind its last
	Offset   int64       // of the record From in the decompressed file
	First    packet.Time // stamp of its first record that is believed
}

// Whole is the run of a file that was not scanned; first is where it begins.
func Whole(first packet.Time) Run { return Run{To: math.MaxUint64, First: first} }

// Scan is what the stamps of a file say, without its packets.
type Scan struct {
	Runs       []Run // in the order of the file; all records are in one
	Inversions uint64
	Highest    packet.Time // largest stamp that is believed; holds if there are runs
	Format     string
	LinkTypes  []uint16

	// Err is why reading ended before the end of the file, or nil.
	Err error
}

// ScanFile reads the record headers of src, the bytes of the file on disk.
func ScanFile(ctx context.Context, cfg Config, src io.Reader, c decompress.Format) Scan {
	var s Scan
	inflated, err := decompress.NewReader(c, src)
	if err != nil {
		s.Err = err
		return s
	}
	defer func() { _ = inflated.Close() }() // nothing is written
	file, err := pcapfile.NewReader(inflated, cfg.Buffer)
	if err != nil {
		s.Err = err
		return s
	}
	p := pass{cfg: cfg, scan: &s, clock: clock.New(cfg.latest()), limit: maxRunsSkip}
	if seekable(c, file.Format()) {
		p.limit = maxRunsSeek
	}
	s.Err = p.records(ctx, file)
	s.Highest = p.highest
	s.Format, s.LinkTypes = file.Format(), file.LinkTypes()
	return s
}

// seekable says whether a reader can go to a record of a file without reading
// what is before it.
func seekable(c decompress.Format, format string) bool {
	return c == decompress.Plain && format == "pcap"
}

// pass is one scan at work.
type pass struct {
	cfg   Config
	scan  *Scan
	clock *clock.Clock
	limit int

	offsets []int64     // of the records that the clock has not decided about
	next    uint64      // number of the first of them
	top     packet.Time // largest stamp of the run
	highest packet.Time // largest stamp of the file
}

// records takes all records through the clock. Where it ends early, what was
// read before counts.
func (p *pass) records(ctx context.Context, file *pcapfile.Reader) error {
	var rec pcapfile.Record
	for n := uint64(0); ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at := file.Offset()
		if err := file.Next(&rec); err != nil {
			p.decided(true)
			p.close(n)
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		if ts := Clamp(rec.TS); p.clock.Sure(ts) {
			p.record(n, at, ts)
			p.next = n + 1
		} else {
			p.offsets = append(p.offsets, at)
			p.clock.Add(ts)
			p.decided(false)
		}
	}
}

// decided takes in the records that the clock has made up its mind about.
func (p *pass) decided(end bool) {
	taken := 0
	for ts, suspect, ok := p.clock.Next(end); ok; ts, suspect, ok = p.clock.Next(end) {
		if !suspect {
			p.record(p.next, p.offsets[taken], ts)
		}
		p.next++
		taken++
	}
	p.offsets = slices.Delete(p.offsets, 0, taken)
}

// record takes in a record whose stamp is believed.
func (p *pass) record(n uint64, at int64, ts packet.Time) {
	runs := p.scan.Runs
	switch {
	case len(runs) == 0: // suspect records before it are of its run
		p.scan.Runs = append(runs, Run{First: ts})
		p.top, p.highest = ts, ts
	case ts < p.top.Add(-p.cfg.Window) && len(runs) < p.limit:
		p.close(n)
		p.scan.Runs = append(runs, Run{From: n, Offset: at, First: ts})
		p.top = ts
	}
	if ts < p.highest {
		p.scan.Inversions++
	}
	p.top, p.highest = max(p.top, ts), max(p.highest, ts)
}

// close ends the last run before the record n.
func (p *pass) close(n uint64) {
	if runs := p.scan.Runs; len(runs) > 0 {
		runs[len(runs)-1].To = n
	}
}
