// Package clock decides which stamps of a capture file are to be believed. One
// record with a wrong stamp (a bit flipped, a network card that has no time yet,
// a header taken for a record) must not move the time of all that follow.
//
// It sees stamps alone, in the order of the file, so the index of first records,
// a scan of headers and the reader of packets come to the same answer.
package clock

import (
	"slices"
	"time"

	"pcapdir/source/packet"
)

const (
	// tolerance is how far apart the stamps of neighbours may be without a doubt.
	tolerance = time.Hour
	// lookahead is how many records, the doubtful one included, may pass before
	// the file returns to the time before it. More than that, and the clock was set.
	lookahead = 16
	// Opening is how many records are looked at together where no time before
	// them helps: at the start of a file, and where its clock was set.
	Opening = 4
)

// earliest is the beginning of 1980: clocks that were never set start before.
const earliest = packet.Time(315_532_800_000_000_000)

// Latest is the latest stamp that can be right in a file seen at the wall-clock
// time now: a day ahead, for clocks and time zones that are wrong.
func Latest(now time.Time) packet.Time { return packet.Time(now.UnixNano()).Add(24 * time.Hour) }

// Clock judges the stamps of one file.
//
// A record is near another if their stamps are at most an hour apart, and wild
// if its stamp is before 1980 or after latest. Of each record one of these holds,
// the first that does, where left is the last record before it that is not
// suspect:
//
//  1. It is near left: it is believed.
//  2. It is wild and left is not: it is suspect.
//  3. One of the next lookahead-1 records is near left: let right be the first.
//     The record is believed if it is near right, and suspect if not.
//  4. Otherwise the clock was set, or nothing was captured for a while. It is the
//     same with the first record of a file. Of the Opening records from it on, the
//     wild ones are left out unless all are. Let firm be the first that a later
//     one is near, or just the first. The first that is not more than an hour
//     above firm is believed, and those before it are suspect.
//
// The end of the file cuts short what rules 3 and 4 look at.
//
// So a stamp that is out of order by at most an hour is never suspect unless it
// is wild, and stamps that rise and are not wild are believed whatever their gaps:
// how a capture is cut changes nothing. A file of nothing but wild stamps is taken
// as it is, so where stamps get wild in the middle, a cut there does.
//
// A suspect record takes the stamp of left, or by rule 4 that of the record which
// is believed, less a nanosecond: it stands among its neighbours, and never first
// among records of one time, whose tie-break it would change.
type Clock struct {
	latest packet.Time
	left   packet.Time // what suspect records take; the stamp of left if set
	set    bool        // a record was believed

	pending [lookahead]packet.Time // n records without a verdict, oldest first
	n       int
	doubted int // so many of the oldest are known to be suspect
}

// New makes the clock of a file in which stamps after latest are wild.
func New(latest packet.Time) *Clock { return &Clock{latest: latest} }

// Resume makes the clock go on behind a record that was believed with the stamp
// t: verdicts depend on what is left of them by that stamp alone.
func (c *Clock) Resume(t packet.Time) { c.left, c.set = t, true }

// Left is what another clock resumes with to go on from here. It holds behind the
// first verdict, and where no record waits for one.
func (c *Clock) Left() packet.Time { return c.left }

// Sure takes in the next record if it can be believed at once, as nearly all
// can. If not, it is for Add.
func (c *Clock) Sure(t packet.Time) bool {
	if c.n > 0 || !c.set || !near(t, c.left) {
		return false
	}
	c.left = t
	return true
}

// Add takes in the next record. Next is then to be called until it has none.
func (c *Clock) Add(t packet.Time) {
	c.pending[c.n] = t
	c.n++
}

// Next is the verdict about the oldest record without one: its time, and whether
// it is suspect and the time not its own. False says that this is still open, or
// that there is none. At the end of the file nothing stays open.
func (c *Clock) Next(end bool) (t packet.Time, suspect, ok bool) {
	if c.doubted == 0 && !c.judge(end) {
		return 0, false, false
	}
	t = c.pending[0]
	copy(c.pending[:], c.pending[1:c.n])
	c.n--
	if c.doubted > 0 {
		c.doubted--
		return c.left, true, true
	}
	c.left, c.set = t, true
	return t, false, true
}

// judge comes to a verdict about the oldest record, if it can: it is believed
// unless it is doubted then.
func (c *Clock) judge(end bool) bool {
	waiting := c.pending[:c.n]
	switch {
	case c.n == 0, !c.set && c.n < Opening && !end:
		return false
	case !c.set:
		return c.open()
	case near(waiting[0], c.left):
		return true
	case c.wild(waiting[0]) && !c.wild(c.left):
		c.doubted = 1
		return true
	}
	for _, right := range waiting[1:] {
		if near(right, c.left) {
			if !near(waiting[0], right) {
				c.doubted = 1
			}
			return true
		}
	}
	return (c.n == lookahead || end) && c.open()
}

// open is rule 4. The record that is believed will be near left.
func (c *Clock) open() bool {
	c.doubted = opening(c.pending[:min(c.n, Opening)], c.latest)
	c.left, c.set = c.pending[c.doubted]-1, true
	return true
}

func (c *Clock) wild(t packet.Time) bool { return Wild(t, c.latest) }

// First is where a file begins whose first records have these stamps: the least
// that is near the first one believed. They are Opening, or fewer if the file ends.
func First(stamps []packet.Time, latest packet.Time) packet.Time {
	first := stamps[opening(stamps, latest)]
	least := first
	for _, t := range stamps {
		if near(t, first) {
			least = min(least, t)
		}
	}
	return least
}

// opening is which of the records is believed by rule 4.
func opening(stamps []packet.Time, latest packet.Time) int {
	candidate := func(t packet.Time) bool { return !Wild(t, latest) }
	if !slices.ContainsFunc(stamps, candidate) {
		candidate = func(packet.Time) bool { return true }
	}
	first := slices.IndexFunc(stamps, candidate)
	firm := first
	for i, t := range stamps {
		later := func(o packet.Time) bool { return candidate(o) && near(o, t) }
		if candidate(t) && slices.ContainsFunc(stamps[i+1:], later) {
			firm = i
			break
		}
	}
	for i := first; i < firm; i++ {
		if t := stamps[i]; candidate(t) && (t < stamps[firm] || near(t, stamps[firm])) {
			return i
		}
	}
	return firm
}

// Wild says that no clock that was ever set right can have said t.
func Wild(t, latest packet.Time) bool { return t < earliest || t > latest }

// near says whether two stamps are so close that they can be neighbours. Any
// two may be asked about: their distance always fits an unsigned number.
func near(a, b packet.Time) bool { return uint64(max(a, b))-uint64(min(a, b)) <= uint64(tolerance) }
