package conn

import (
	"math/bits"

	"pcapdir/source/packet"
)

// The wheel: levels of 64 buckets. A flow lies in the level of the highest digit
// (base 64) in which its deadline's tick differs from now, in the bucket of that
// digit. Eight levels span every int64 nanosecond, so jumps of years and negative
// stamps need no care, and the occupancy words skip empty buckets.
const (
	tickBits    = 20 // a tick is 2^20 ns, about a millisecond
	digitBits   = 6
	wheelLevels = (64 - tickBits + digitBits - 1) / digitBits
	bucketCount = 1 << digitBits
)

// wheel keeps the flows by deadline. It is lazy: a flow whose deadline moved
// later stays where it is and is put in its right place when its bucket comes up;
// only a deadline that moved before its bucket moves the flow at once.
type wheel struct {
	heads    [wheelLevels][bucketCount]uint32
	occupied [wheelLevels]uint64
	now      uint64 // tick up to which everything was swept
	started  bool
}

// tickOf maps time to ticks that order as unsigned numbers.
func tickOf(t packet.Time) uint64 { return (uint64(t) ^ 1<<63) >> tickBits }

// start sets the clock before the first flow.
func (w *wheel) start(t packet.Time) {
	if !w.started {
		w.started, w.now = true, tickOf(t)
	}
}

// place puts flow i, which is in no bucket, where its deadline says.
func (w *wheel) place(flows *flowSlab, i uint32, f *flow) {
	tick := max(tickOf(f.deadline), w.now)
	level := 0
	if diff := tick ^ w.now; diff != 0 {
		level = (bits.Len64(diff) - 1) / digitBits
	}
	bucket := tick >> (level * digitBits) & (bucketCount - 1)
	f.bucket = uint16(level*bucketCount) | uint16(bucket)
	head := &w.heads[level][bucket]
	f.prev, f.next = 0, *head
	if *head != 0 {
		flows.at(*head).prev = i
	}
	*head = i
	w.occupied[level] |= 1 << bucket
}

// remove takes flow i out of its bucket.
func (w *wheel) remove(flows *flowSlab, i uint32, f *flow) {
	level, bucket := f.bucket/bucketCount, f.bucket%bucketCount
	if f.next != 0 {
		flows.at(f.next).prev = f.prev
	}
	if f.prev != 0 {
		flows.at(f.prev).next = f.next
		return
	}
	w.heads[level][bucket] = f.next
	if f.next == 0 {
		w.occupied[level] &^= 1 << bucket
	}
}

// update moves flow i if its deadline is now before the start of its bucket.
func (w *wheel) update(flows *flowSlab, i uint32, f *flow) {
	if tickOf(f.deadline) < w.bucketStart(int(f.bucket/bucketCount), uint64(f.bucket%bucketCount)) {
		w.remove(flows, i, f)
		w.place(flows, i, f)
	}
}

// bucketStart is the first tick of a bucket: now with the bucket's digit at its
// level and zeros below.
func (w *wheel) bucketStart(level int, bucket uint64) uint64 {
	shift := level * digitBits
	return w.now>>shift>>digitBits<<digitBits<<shift | bucket<<shift
}

// sweep calls expire for every flow whose deadline is before end, and moves the
// clock to end. expire must remove the flow; its order is by bucket, not exact.
func (w *wheel) sweep(flows *flowSlab, end packet.Time, expire func(i uint32, f *flow)) {
	last := tickOf(end)
	if !w.started || last < w.now {
		return
	}
	for {
		level := w.lowest()
		if level < 0 {
			break
		}
		bucket := uint64(bits.TrailingZeros64(w.occupied[level]))
		start := w.bucketStart(level, bucket)
		if start > last {
			break
		}
		w.now = start
		w.drain(flows, level, bucket, end, expire)
		if start == last && level == 0 {
			break // what is left here is due within this tick, but not before end
		}
	}
	w.now = last
}

// lowest is the lowest level with a flow: the earliest deadlines are there,
// because flows in higher levels differ from now in a higher digit.
func (w *wheel) lowest() int {
	for level := range w.occupied {
		if w.occupied[level] != 0 {
			return level
		}
	}
	return -1
}

// drain empties a bucket: what is due expires, the rest is placed anew.
func (w *wheel) drain(flows *flowSlab, level int, bucket uint64, end packet.Time, expire func(i uint32, f *flow)) {
	i := w.heads[level][bucket]
	w.heads[level][bucket] = 0
	w.occupied[level] &^= 1 << bucket
	for i != 0 {
		f := flows.at(i)
		next := f.next
		w.place(flows, i, f)
		if f.deadline < end {
			expire(i, f)
		}
		i = next
	}
}

// noBucket is the bucket of a flow that is in none: new, or freed.
const noBucket = ^uint16(0)
