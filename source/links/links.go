// Package links numbers the places on the link layer at which packets are seen, so
// that a packet has four bytes of its place instead of sixteen. It is used only
// where somebody wants VLANs or MAC addresses in conn.log.
package links

import (
	"sync"
	"sync/atomic"

	"pcapdir/source/packet"
)

// Max bounds the places that are known. A site has thousands of them; an attacker
// can make any number. Which ones have a number then depends on which reader came
// first: Lost says so.
const Max = 1 << 20

// Table numbers links. VLANs alone make their number; with MAC addresses links are
// numbered from 1 in the order in which they come: no log shows the numbers. Any
// goroutine may use it.
type Table struct {
	macs bool
	max  int
	lost atomic.Uint64

	mu    sync.RWMutex
	ids   map[packet.Link]uint32
	links []packet.Link // by number; the first is none
}

// New makes a table for VLANs, or for at most max links with MAC addresses.
func New(macs bool, max int) *Table {
	return &Table{macs: macs, max: max, ids: map[packet.Link]uint32{}, links: make([]packet.Link, 1)}
}

// tagBits is how many bits a VLAN has.
const tagBits = 12

// ID is the number of l: 0 where l says nothing, or where there is no room.
func (t *Table) ID(l packet.Link) uint32 {
	if !t.macs {
		return uint32(l.VLAN) | uint32(l.Inner)<<tagBits
	}
	if l == (packet.Link{}) {
		return 0
	}
	t.mu.RLock()
	id, ok := t.ids[l]
	full := len(t.ids) == t.max
	t.mu.RUnlock()
	if !ok && full {
		t.lost.Add(1)
	}
	if ok || full {
		return id
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok = t.ids[l]; ok {
		return id
	}
	if len(t.ids) == t.max {
		t.lost.Add(1)
		return 0
	}
	id = uint32(len(t.links))
	t.ids[l] = id
	t.links = append(t.links, l)
	return id
}

// Link is the link of a number.
func (t *Table) Link(id uint32) packet.Link {
	if !t.macs {
		return packet.Link{VLAN: uint16(id & (1<<tagBits - 1)), Inner: uint16(id >> tagBits)}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.links[id]
}

// Lost is how many packets had no number for want of room.
func (t *Table) Lost() uint64 { return t.lost.Load() }

// Cache is one reader's view of a table: most packets of a file have the link of
// the one before, or the way back.
type Cache struct {
	table *Table
	last  [2]packet.Link
	ids   [2]uint32
}

// NewCache makes a view of t.
func NewCache(t *Table) *Cache { return &Cache{table: t} }

// ID is the table's.
func (c *Cache) ID(l packet.Link) uint32 {
	for i := range c.last {
		if c.ids[i] != 0 && c.last[i] == l {
			return c.ids[i]
		}
	}
	id := c.table.ID(l)
	c.last[1], c.ids[1] = c.last[0], c.ids[0]
	c.last[0], c.ids[0] = l, id
	return id
}
