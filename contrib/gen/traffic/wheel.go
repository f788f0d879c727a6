package traffic

// wheel says which flow has the next packet: a ring of buckets of one tick each,
// flows as linked lists in it. Constant time and 4 bytes a flow, for millions.
type wheel struct {
	heads, counts [ringTicks]uint32
	next          []uint32 // by flow: the one behind it in its bucket
	tick          uint64   // the bucket that is being emptied
	current       uint32   // the first of what is left of it
	taken, total  uint32   // of the current bucket
}

const (
	tickNanos = 1_000_000
	ringTicks = 1 << 16 // 65 s: more than the longest gap
	noFlow    = ^uint32(0)
)

func newWheel(flows int) *wheel {
	w := &wheel{next: make([]uint32, flows), current: noFlow}
	for i := range w.heads {
		w.heads[i] = noFlow
	}
	return w
}

// put lets the flow come up after so many ticks, which are 1 to ringTicks-1: never
// in the bucket that is being emptied.
func (w *wheel) put(flow uint32, ticks uint64) {
	bucket := (w.tick + min(max(ticks, 1), ringTicks-1)) % ringTicks
	w.next[flow] = w.heads[bucket]
	w.heads[bucket] = flow
	w.counts[bucket]++
}

// take is the next flow, which the caller puts back, and its time in nanoseconds
// since the beginning. Those of one tick are spread over it.
func (w *wheel) take() (flow uint32, nanos int64) {
	for w.current == noFlow {
		w.tick++
		bucket := w.tick % ringTicks
		w.current, w.total, w.taken = w.heads[bucket], w.counts[bucket], 0
		w.heads[bucket], w.counts[bucket] = noFlow, 0
	}
	flow = w.current
	w.current = w.next[flow]
	nanos = int64(w.tick)*tickNanos + int64(w.taken)*tickNanos/int64(w.total)
	w.taken++
	return flow, nanos
}
