package conn

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pcapdir/source/dpd"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// Expected are connections that others have announced: what FTP transfers goes through
// connections of its own, which do not say what they are (Zeek's scheduled analyzers). It
// is one for all Trackers of a timeline, for which of them will have the connection is
// not known before it comes. It may be used by several goroutines.
//
// An announcement counts for what begins after it, in event time. So records are the same
// however far ahead it was noted, if that was before the Tracker heard of its instant.
// Where there are too many, the first of each slice of event time are kept: those that
// came before an instant decide which of them are known then, whoever noted them first.
type Expected struct {
	until atomic.Int64 // nanoseconds: none counts for what begins later

	mu     sync.RWMutex
	slices map[packet.Time][]announcement // by where a slice of event time begins, in order
	by     map[announced][]packet.Time    // when, in order
}

// announced is a connection before it comes.
type announced struct {
	orig, resp packet.Addr
	port       uint16 // of resp
}

// announcement is what Save writes, too.
type announcement struct {
	announced
	at packet.Time
}

func (a announcement) compare(b announcement) int {
	return cmp.Or(cmp.Compare(a.at, b.at), a.orig.Compare(b.orig), a.resp.Compare(b.resp), cmp.Compare(a.port, b.port))
}

const (
	// expectedFor is how long a connection may take to come, as in Zeek
	// (FTP::add_expected_data_channel).
	expectedFor = 5 * time.Minute
	// maxExpected bounds the announcements of one expectedSlice.
	maxExpected   = 1 << 12
	expectedSlice = 10 * time.Second
)

// Note takes what p, whose effective time is set, announces: with its DataPort it invites
// its receiver to connect. It is false where there was no room for that, or for one that
// was noted before.
func (e *Expected) Note(p *packet.Packet) (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.add(announcement{announced{p.Dst, p.Src, p.DataPort()}, p.Eff})
}

func (e *Expected) add(a announcement) (ok bool) {
	if e.by == nil {
		e.by, e.slices = map[announced][]packet.Time{}, map[packet.Time][]announcement{}
	}
	start := a.at.Floor(expectedSlice)
	all := e.slices[start]
	i, known := slices.BinarySearchFunc(all, a, announcement.compare)
	if known || i == maxExpected {
		return known
	}
	if ok = len(all) < maxExpected; !ok {
		last := all[maxExpected-1]
		all = all[:maxExpected-1]
		e.remove(last.announced, last.at, last.at+1)
	}
	e.slices[start] = slices.Insert(all, i, a)
	times := e.by[a.announced]
	k, _ := slices.BinarySearch(times, a.at)
	e.by[a.announced] = slices.Insert(times, k, a.at)
	e.until.Store(max(e.until.Load(), int64(after(a.at, expectedFor))))
	return ok
}

// remove drops the times of a from an instant on, before another.
func (e *Expected) remove(a announced, from, before packet.Time) {
	times := e.by[a]
	i, _ := slices.BinarySearch(times, from)
	k, _ := slices.BinarySearch(times, before)
	if times = slices.Delete(times, i, k); len(times) > 0 {
		e.by[a] = times
	} else {
		delete(e.by, a)
	}
}

// has says whether a connection that begins at now was announced.
func (e *Expected) has(orig, resp *packet.Addr, port uint16, now packet.Time) bool {
	if e == nil || int64(now) > e.until.Load() {
		return false
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	times := e.by[announced{*orig, *resp, port}]
	k, _ := slices.BinarySearch(times, now) // the one before is the last that it can have heard
	return k > 0 && now <= after(times[k-1], expectedFor)
}

// Forget drops what was announced too long before now, at or after which all
// connections begin that are still to come.
func (e *Expected) Forget(now packet.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for start, all := range e.slices {
		end := after(start, expectedSlice)
		if now <= after(end, expectedFor) {
			continue
		}
		delete(e.slices, start)
		for _, a := range all {
			e.remove(a.announced, start, end)
		}
	}
}

// Save writes what was announced up to and with an instant: later ones come again.
func (e *Expected) Save(w *snap.Writer, until packet.Time) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var saved []announcement
	for _, all := range e.slices {
		for _, a := range all {
			if a.at <= until {
				saved = append(saved, a)
			}
		}
	}
	w.Put(&saved)
}

// Load reads what Save wrote.
func (e *Expected) Load(r *snap.Reader) {
	var all []announcement
	r.Get(&all)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range all {
		e.add(a)
	}
}

// expect names the service of a flow that begins at now, if it was announced.
func (t *Tracker) expect(f *flow, now packet.Time) {
	if t.deps.Expected.has(&f.addr[orig], &f.addr[resp], f.port[resp], now) {
		f.speech.Begin(dpd.FTPData)
	}
}
