package conn

import (
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
type Expected struct {
	some atomic.Bool // there are announcements

	mu sync.RWMutex
	by map[announced][]packet.Time // when
	n  int
}

// announced is a connection before it comes.
type announced struct {
	orig, resp packet.Addr
	port       uint16 // of resp
}

const (
	// expectedFor is how long a connection may take to come, as in Zeek
	// (FTP::add_expected_data_channel).
	expectedFor = 5 * time.Minute
	// maxExpected bounds the announcements that are kept; beyond it none is noted.
	maxExpected = 1 << 16
)

// Note takes what p, whose effective time is set, announces: with its DataPort it invites
// its receiver to connect.
func (e *Expected) Note(p *packet.Packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.add(announced{p.Dst, p.Src, p.DataPort()}, p.Eff)
}

func (e *Expected) add(a announced, at packet.Time) {
	if e.n == maxExpected || slices.Contains(e.by[a], at) {
		return
	}
	if e.by == nil {
		e.by = map[announced][]packet.Time{}
	}
	e.by[a] = append(e.by[a], at)
	e.n++
	e.some.Store(true)
}

// has says whether a connection that begins at now was announced.
func (e *Expected) has(orig, resp *packet.Addr, port uint16, now packet.Time) bool {
	if e == nil || !e.some.Load() {
		return false
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.ContainsFunc(e.by[announced{*orig, *resp, port}], func(at packet.Time) bool {
		return at < now && now <= after(at, expectedFor)
	})
}

// Forget drops what was announced too long before now, at or after which all
// connections begin that are still to come.
func (e *Expected) Forget(now packet.Time) {
	if !e.some.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for a, times := range e.by {
		left := slices.DeleteFunc(times, func(at packet.Time) bool { return now > after(at, expectedFor) })
		if e.n -= len(times) - len(left); len(left) == 0 {
			delete(e.by, a)
		} else {
			e.by[a] = left
		}
	}
	e.some.Store(e.n > 0)
}

// savedAnnounced is one announcement.
type savedAnnounced struct {
	announced
	at packet.Time
}

// Save writes what was announced up to and with an instant: later ones come again.
func (e *Expected) Save(w *snap.Writer, until packet.Time) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var all []savedAnnounced
	for a, times := range e.by {
		for _, at := range times {
			if at <= until {
				all = append(all, savedAnnounced{a, at})
			}
		}
	}
	w.Put(&all)
}

// Load reads what Save wrote.
func (e *Expected) Load(r *snap.Reader) {
	var all []savedAnnounced
	r.Get(&all)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range all {
		e.add(s.announced, s.at)
	}
}

// expect names the service of a flow that begins at now, if it was announced.
func (t *Tracker) expect(f *flow, now packet.Time) {
	if t.deps.Expected.has(&f.addr[orig], &f.addr[resp], f.port[resp], now) {
		f.speech.Begin(dpd.FTPData)
	}
}
