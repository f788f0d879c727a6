package defrag

import (
	"errors"

	"pcapdir/source/snap"
)

// farthestEnd is behind the end of any payload: the last offset that a fragment can
// have, and the longest payload.
const farthestEnd = 8191*8 + 65535

// errState says that what was saved is no table.
var errState = errors.New("the state of fragments is damaged")

// Save writes the datagrams in the making.
func (t *Table) Save(w *snap.Writer) {
	all := make([]known, 0, len(t.open))
	for d := t.oldest; d != nil; d = d.newer {
		all = append(all, d.known)
	}
	w.Put(&all)
}

// Load reads what Save wrote into an empty table. What its bounds have no room for
// is given up, as ever. Counts say nothing of the time before.
func (t *Table) Load(r *snap.Reader) error {
	var all []known
	if !r.Get(&all) {
		return r.Err()
	}
	for _, k := range all {
		d := &datagram{known: k, bytes: datagramOverhead + len(k.header)}
		if t.open[k.key] != nil || !k.sane() {
			return errState
		}
		for _, b := range k.blocks {
			d.count(b.data)
		}
		t.insert(d)
	}
	for t.oldest != nil && (len(t.open) > t.cfg.Datagrams || t.bytes > t.cfg.Bytes) {
		t.evict()
	}
	return nil
}

// sane says whether fragments can have said so.
func (k *known) sane() bool {
	least := 20
	if k.key.ipv6 {
		least = 40
	}
	if len(k.header) < least || k.nextAt < 0 || k.nextAt >= len(k.header) || k.size > farthestEnd {
		return false
	}
	end := uint32(0)
	for _, b := range k.blocks {
		if len(b.data) == 0 || b.from < end || int(b.from) > farthestEnd-len(b.data) {
			return false
		}
		end = b.end()
	}
	return true
}
