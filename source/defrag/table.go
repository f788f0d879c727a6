package defrag

import (
	"time"

	"pcapdir/source/packet"
)

// Config bounds a Table.
type Config struct {
	Timeout   time.Duration // of packet time, from a datagram's first fragment
	Datagrams int           // in the making, at least 1
	Bytes     int           // of memory that they take
}

// DefaultConfig has Zeek's frag_timeout, and room for a gigabit of fragments for
// half a second.
func DefaultConfig() Config {
	return Config{Timeout: 5 * time.Minute, Datagrams: 64 << 10, Bytes: 64 << 20}
}

// Counts are what became of fragments and datagrams. But for those still in the
// making, every datagram is rebuilt, expired or evicted.
type Counts struct {
	Fragments uint64 // added
	Rebuilt   uint64 // datagrams that became whole
	Expired   uint64 // datagrams whose time was over
	Evicted   uint64 // datagrams given up for want of room
}

// key is what fragments of one datagram have in common: pointer-free, 40 bytes.
type key struct {
	src, dst packet.Addr
	id       uint32
	ipv6     bool
}

// Table holds the datagrams in the making. It belongs to one goroutine.
type Table struct {
	cfg    Config
	open   map[key]*datagram
	oldest *datagram // list in the order of their first fragments
	newest *datagram
	bytes  int
	counts Counts
}

// New makes an empty table.
func New(cfg Config) *Table {
	return &Table{cfg: cfg, open: map[key]*datagram{}}
}

// Add takes in a copy of the fragment f at the packet time at, which must not
// fall from call to call. whole is the IP datagram that f completes, the
// caller's to keep, or nil. odd is what Zeek finds odd about f; each oddity is
// named once, however often it occurs.
func (t *Table) Add(f *packet.Fragment, at packet.Time) (whole []byte, odd Oddities) {
	t.Expire(at)
	t.counts.Fragments++
	k := key{f.Src, f.Dst, f.ID, f.IPv6}
	d := t.open[k]
	if d == nil {
		if len(t.open) >= t.cfg.Datagrams {
			t.evict()
		}
		d = newDatagram(k, f, at.Add(t.cfg.Timeout))
		t.insert(d)
	}
	before := d.bytes
	complete := d.add(f, &odd)
	t.bytes += d.bytes - before
	if complete {
		t.remove(d)
		t.counts.Rebuilt++
		return d.rebuild(), odd
	}
	for t.bytes > t.cfg.Bytes && t.oldest != nil {
		t.evict()
	}
	return nil, odd
}

// Expire gives up the datagrams whose time is over at the packet time now: at
// the deadline itself, as in Zeek.
func (t *Table) Expire(now packet.Time) {
	for t.oldest != nil && t.oldest.deadline <= now {
		t.remove(t.oldest)
		t.counts.Expired++
	}
}

// Counts are the totals so far.
func (t *Table) Counts() Counts { return t.counts }

// Len is the number of datagrams in the making.
func (t *Table) Len() int { return len(t.open) }

func (t *Table) evict() {
	t.remove(t.oldest)
	t.counts.Evicted++
}

func (t *Table) insert(d *datagram) {
	t.open[d.key] = d
	t.bytes += d.bytes
	d.older = t.newest
	if t.newest != nil {
		t.newest.newer = d
	} else {
		t.oldest = d
	}
	t.newest = d
}

func (t *Table) remove(d *datagram) {
	delete(t.open, d.key)
	t.bytes -= d.bytes
	if d.older != nil {
		d.older.newer = d.newer
	} else {
		t.oldest = d.newer
	}
	if d.newer != nil {
		d.newer.older = d.older
	} else {
		t.newest = d.older
	}
	d.older, d.newer = nil, nil
}
