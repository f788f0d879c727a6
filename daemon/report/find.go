package report

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Conn is a connection that was looked for, by the fields of its line.
type Conn struct {
	UID                  string
	TS, Duration         float64 // seconds since 1970; seconds
	Proto, Service       string
	OrigH, RespH         string
	OrigP, RespP         uint16
	ConnState, History   string
	OrigPkts, RespPkts   float64
	OrigBytes, RespBytes float64 // of IP packets
	AsOf                 float64 // when it was still open; 0: it has ended
}

// End is when its last packet came. Of one that was open that is not known: then
// until when the line speaks.
func (c *Conn) End() float64 { return max(c.TS+c.Duration, c.AsOf) }

// Holder is a capture file whose time overlaps a connection's.
type Holder struct {
	File        string  // its path when it was read
	First, Last float64 // stamps
	Packets     float64
	Outcome     string
	Reason      string // "": none
}

// Found is a connection and the files that may hold its packets.
type Found struct {
	Conn  Conn
	Files []Holder // by first stamp
	More  int      // files beyond those
	Spool bool     // there is a spool.log
	Left  []string // rotated files that cannot be read to their end
}

// Find looks for a connection in the logs in dir: in conn.log, else in
// open_conn.log, where its last line counts. Lines that cannot be read are
// passed over.
func Find(ctx context.Context, dir, uid string) (*Found, error) {
	d := &directory{ctx: ctx, path: dir}
	if err := d.hasLogs(); err != nil {
		return nil, err
	}
	c, err := d.conn("conn", uid, true)
	if c == nil && err == nil {
		c, err = d.conn("open_conn", uid, false)
	}
	if err != nil {
		return nil, err
	}
	if c == nil {
		if len(d.left) > 0 {
			return nil, fmt.Errorf("no connection %q in what can be read of the logs in %s; %s cannot be read to its end", uid, dir, d.unread()[0])
		}
		return nil, fmt.Errorf("no connection %q in the logs in %s: open ones are there only where conn.open_interval is set", uid, dir)
	}
	found := &Found{Conn: Conn{
		UID: c.UID, TS: c.TS, Duration: c.Duration, Proto: c.Proto, Service: c.Service,
		OrigH: c.OrigH, RespH: c.RespH, OrigP: c.OrigP, RespP: c.RespP, ConnState: c.ConnState, History: c.History,
		OrigPkts: c.OrigPkts, RespPkts: c.RespPkts, OrigBytes: c.OrigBytes, RespBytes: c.RespBytes, AsOf: c.AsOf,
	}}
	err = found.holders(d)
	found.Left = d.unread()
	return found, err
}

// errEnough ends the reading of a log when what was looked for is there.
var errEnough = errors.New("found")

// conn is a line about a connection in a log: the first or the last.
func (d *directory) conn(log, uid string, first bool) (*connLine, error) {
	var found *connLine
	var bad Bad
	decode := decoder(&bad, func(c *connLine) {
		if c.UID == uid {
			found = c
		}
	})
	_, err := d.lines(log, func(n int, line []byte, whole bool) error {
		if n > 1 && !bytes.Contains(line, []byte(uid)) { // much faster than reading each
			return nil
		}
		if err := decode(n, line, whole); err != nil {
			return err
		}
		if found != nil && first {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// holders looks for the files.
func (f *Found) holders(d *directory) error {
	_, found, err := readLog(d, "spool", func(s *spoolLine) {
		if !s.times() || *s.FirstTS > f.Conn.End() || *s.LastTS < f.Conn.TS {
			return
		}
		if len(f.Files) == foundFiles {
			f.More++
			return
		}
		f.Files = append(f.Files, Holder{cut(s.File), *s.FirstTS, *s.LastTS, s.Packets, cut(s.Outcome), cut(s.Reason)})
	})
	f.Spool = found
	slices.SortStableFunc(f.Files, func(a, b Holder) int { return cmp.Compare(a.First, b.First) })
	return err
}
