package pipeline

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// weirdInterval is how much event time one line of weird.log sums up, so that a
// flood of malformed packets is a number, not a flood of lines.
const weirdInterval = time.Minute

// weirdKey is what one line of weird.log is about.
type weirdKey struct {
	end  packet.Time // of the interval
	name string
}

// oddity is one occurrence. first picks the one that a line shows by content
// alone, so that the choice is the same on any number of shards.
type oddity struct {
	eff, ts          packet.Time
	uid              logs.UID
	src, dst         packet.Addr
	srcPort, dstPort uint16
	headers          bool // the endpoints hold
}

func (o *oddity) compare(q *oddity) int {
	return cmp.Or(cmp.Compare(o.eff, q.eff), cmp.Compare(o.ts, q.ts),
		o.src.Compare(q.src), o.dst.Compare(q.dst),
		cmp.Compare(o.srcPort, q.srcPort), cmp.Compare(o.dstPort, q.dstPort),
		bytes.Compare(o.uid[:], q.uid[:]))
}

// weirdCount is a partial or whole line.
type weirdCount struct {
	weirdKey
	n     uint64
	first oddity
}

func (w *weirdCount) merge(n uint64, o *oddity) {
	if w.n == 0 || o.compare(&w.first) < 0 {
		w.first = *o
	}
	w.n += n
}

// weirds counts the oddities of one shard.
type weirds struct {
	open map[weirdKey]*weirdCount
}

// add counts one oddity of the packet p at event time at.
func (w *weirds) add(at packet.Time, name string, p *packet.Packet, uid logs.UID) {
	key := weirdKey{at.Floor(weirdInterval).Add(weirdInterval), name}
	c := w.open[key]
	if c == nil {
		c = &weirdCount{weirdKey: key}
		w.open[key] = c
	}
	c.merge(1, &oddity{
		eff: p.Eff, ts: p.TS, uid: uid, src: p.Src, dst: p.Dst,
		srcPort: p.SrcPort, dstPort: p.DstPort, headers: p.Drop == packet.DropNone,
	})
}

// closed takes out what ended at or before end.
func (w *weirds) closed(end packet.Time) (out []weirdCount) {
	for key, c := range w.open {
		if key.end <= end {
			out = append(out, *c)
			delete(w.open, key)
		}
	}
	return out
}

// appendWeirds appends the lines that the parts of all shards make together.
func appendWeirds(dst []byte, parts []weirdCount) []byte {
	slices.SortFunc(parts, func(a, b weirdCount) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	stream := logs.WeirdStream()
	for i := 0; i < len(parts); {
		whole := weirdCount{weirdKey: parts[i].weirdKey}
		for ; i < len(parts) && parts[i].weirdKey == whole.weirdKey; i++ {
			whole.merge(parts[i].n, &parts[i].first)
		}
		dst = stream.Append(dst, &logs.Weird{
			TS: whole.first.ts.Seconds(), UID: whole.first.uid, HasID: whole.first.headers,
			OrigH: whole.first.src, RespH: whole.first.dst,
			OrigP: whole.first.srcPort, RespP: whole.first.dstPort,
			Name: whole.name, Count: whole.n,
		})
	}
	return dst
}
