package conn

import (
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// record fills t.out from a flow as it stands. The record and the slices in it are
// used again for the next.
func (t *Tracker) record(f *flow) *logs.Conn {
	c := &t.out
	var s *stream
	if f.transport() == tcp {
		s = f.stream()
	}
	history := t.appendHistory(c.History[:0], f)
	*c = logs.Conn{
		TS: f.first.Seconds(), UID: f.uid,
		OrigH: f.addr[orig], RespH: f.addr[resp], OrigP: f.port[orig], RespP: f.port[resp],
		Proto:     transportNames[f.transport()],
		ConnState: t.stateName(f, s, history),
		LocalOrig: isLocal(t.local, &f.addr[orig]), LocalResp: isLocal(t.local, &f.addr[resp]),
		Service:  f.speech.Names(),
		History:  history,
		OrigPkts: f.pkts[orig], OrigIP: f.ip[orig], RespPkts: f.pkts[resp], RespIP: f.ip[resp],
		IPProto:     f.proto,
		CommunityID: appendCommunityID(c.CommunityID[:0], f),
		LatePkts:    uint64(t.known(f).late),
		Evicted:     f.marks&markEvicted != 0,
	}
	if s != nil {
		c.MissedBytes = t.knownTCP(f).missed
	}
	if d := f.last.Seconds() - c.TS; d > 0 {
		c.HasDuration, c.Duration = true, d
		c.OrigBytes, c.RespBytes = sizes(f, s)
	}
	return c
}

// sizes are the payload bytes of both sides.
func sizes(f *flow, s *stream) (uint64, uint64) {
	if s != nil {
		return s.end[orig].size(&s.end[resp]), s.end[resp].size(&s.end[orig])
	}
	return uint64(max(f.bytes()[orig], 0)), uint64(max(f.bytes()[resp], 0))
}

// end emits the record of flow i, which ended at the given time, and frees the flow.
func (t *Tracker) end(i uint32, f *flow, at packet.Time) {
	t.emitting = nil
	if f.marks&markTunneled != 0 {
		t.emitting = t.parents[i]
		delete(t.parents, i)
	}
	c := t.record(f)
	t.recordLink(i, f, c)
	delete(t.links, i)
	t.deps.Emit(at, c)
	t.drop(i, f)
}

// drop frees flow i and all that it holds.
func (t *Tracker) drop(i uint32, f *flow) {
	t.wheel.remove(i, f) // Flush tells open flows from free ones by it
	t.table.remove(f.tag, i)
	t.freeHistory(f)
	t.forgetOddities(f)
	if f.proto == packet.TCP {
		s := f.stream()
		t.freeSpans(&s.end[orig])
		t.freeSpans(&s.end[resp])
	}
	t.flows.release(i)
}
