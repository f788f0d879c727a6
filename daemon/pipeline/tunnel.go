package pipeline

import (
	"cmp"
	"encoding/binary"
	"log/slog"
	"slices"

	"pcapdir/analysis/conn"
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// A line of a connection that was seen in tunnels is encoded before it is known
// which these are, for they may be another shard's. Until a commit knows, the line
// has a prefix: a zero byte, which no line begins with, how many parents follow,
// and the parents. It stays with the text wherever that is copied.
const (
	parentMark = 0
	parentSize = 16
)

// appendParents appends the prefix of a line with parents, or nothing.
func appendParents(dst []byte, parents []conn.Parent) []byte {
	if len(parents) == 0 {
		return dst
	}
	dst = append(dst, parentMark, byte(len(parents)))
	for _, p := range parents {
		dst = binary.LittleEndian.AppendUint64(dst, p.Hash)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(p.At))
	}
	return dst
}

// cutParents splits a line from its prefix.
func cutParents(text []byte) (parents []conn.Parent, line []byte) {
	if text[0] != parentMark {
		return nil, text
	}
	n := int(text[1])
	text = text[2:]
	for ; n > 0; n-- {
		hash, at := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
		parents = append(parents, conn.Parent{Hash: hash, At: packet.Time(at)})
		text = text[parentSize:]
	}
	return parents, text
}

// maxCarriers bounds the tunnels that are remembered of a timeline. Beyond it the
// oldest are forgotten, and what was seen in them has no tunnel_parents.
const maxCarriers = 1 << 20

// carriers are the tunnels of a timeline, by the hash of their packets, each list
// in order of time.
type carriers struct {
	by  map[uint64][]conn.Carrier
	n   int
	log *slog.Logger
}

// save writes the tunnels that began before end: of later ones shards tell again.
func (c *carriers) save(w *snap.Writer, end packet.Time) {
	var all []conn.Carrier
	for _, list := range c.by {
		for _, t := range list {
			if t.From < end {
				all = append(all, t)
			}
		}
	}
	w.Put(&all)
}

// load reads what save wrote.
func (c *carriers) load(r *snap.Reader) {
	var all []conn.Carrier
	if r.Get(&all) {
		c.add(all)
	}
}

// add takes in tunnels that shards have seen. Those of one hash come in order.
func (c *carriers) add(found []conn.Carrier) {
	if c.by == nil {
		c.by = map[uint64][]conn.Carrier{}
	}
	for _, f := range found {
		c.by[f.Hash] = append(c.by[f.Hash], f)
	}
	if c.n += len(found); c.n > maxCarriers {
		c.forget(c.n - maxCarriers/2)
	}
}

// forget drops the n oldest tunnels.
func (c *carriers) forget(n int) {
	all := make([]conn.Carrier, 0, c.n)
	for _, list := range c.by {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b conn.Carrier) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Hash, b.Hash))
	})
	for _, old := range all[:n] {
		if c.by[old.Hash] = c.by[old.Hash][1:]; len(c.by[old.Hash]) == 0 {
			delete(c.by, old.Hash)
		}
	}
	c.n -= n
	c.log.Warn("too many tunnels: the oldest are forgotten, and connections in them lack tunnel_parents", "tunnels", n)
}

// name finds what the parents are called.
func (c *carriers) name(parents []conn.Parent) (uids []logs.UID) {
	for _, p := range parents {
		list := c.by[p.Hash]
		at, _ := slices.BinarySearchFunc(list, p.At, func(c conn.Carrier, t packet.Time) int {
			if c.From <= t {
				return -1
			}
			return 1
		})
		if at > 0 && !slices.Contains(uids, list[at-1].UID) {
			uids = append(uids, list[at-1].UID)
		}
	}
	return uids
}

// appendLine appends a line of conn.log, with its parents by name.
func (c *carriers) appendLine(dst, text []byte) []byte {
	parents, line := cutParents(text)
	if len(parents) == 0 {
		return append(dst, line...)
	}
	return logs.AppendWithParents(dst, line, c.name(parents))
}
