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
	coarse      = 2 // level, from which on buckets are dealt out to lower ones first
	wheelLevels = (64 - tickBits + digitBits - 1) / digitBits
	bucketCount = 1 << digitBits
	rosterLen   = 62
)

// wheel keeps the flows by deadline. It is lazy: a flow whose deadline moved
// later stays where it is and is put in its right place when its bucket comes up;
// only a deadline that moved before its bucket moves the flow at once.
type wheel struct {
	heads    [wheelLevels][bucketCount]uint32
	occupied [wheelLevels]uint64
	now      uint64 // tick up to which everything was swept
	started  bool

	rosters slab[roster]
	flows   *flowSlab
	batch   roster
	sink    packet.Time // what drain read ahead, so that reading it is not optimised away
}

// roster lists flows of a bucket, in four cache lines: a bucket is a list of
// them, all but the first full. Unlike links inside the flows it is walked without
// waiting for one flow after the other, and to join it touches no other flow.
type roster struct {
	flows [rosterLen]uint32
	n     uint32
	next  uint32
}

// timeOf is the first instant of a tick.
func timeOf(tick uint64) packet.Time { return packet.Time(tick<<tickBits ^ 1<<63) }

// tickOf maps time to ticks that order as unsigned numbers.
func tickOf(t packet.Time) uint64 { return (uint64(t) ^ 1<<63) >> tickBits }

// start sets the clock before the first flow.
func (w *wheel) start(t packet.Time) {
	if !w.started {
		w.started, w.now = true, tickOf(t)
	}
}

// place puts flow i, which is in no bucket, where its deadline says.
func (w *wheel) place(i uint32, f *flow) {
	tick := max(tickOf(f.deadline), w.now)
	level := 0
	if diff := tick ^ w.now; diff != 0 {
		level = (bits.Len64(diff) - 1) / digitBits
	}
	bucket := tick >> (level * digitBits) & (bucketCount - 1)
	f.bucket = uint16(level*bucketCount) | uint16(bucket)
	head := &w.heads[level][bucket]
	if *head == 0 || w.rosters.at(*head).n == rosterLen {
		first, r := w.rosters.alloc()
		r.next, *head = *head, first
	}
	r := w.rosters.at(*head)
	r.flows[r.n] = i
	f.roster, f.seat = *head, uint8(r.n)
	r.n++
	w.occupied[level] |= 1 << bucket
}

// remove takes flow i out of its bucket, if it is in one. The flow that joined
// last takes its seat.
func (w *wheel) remove(i uint32, f *flow) {
	if f.bucket == noBucket {
		return
	}
	level, bucket := f.bucket/bucketCount, f.bucket%bucketCount
	f.bucket = noBucket
	head := &w.heads[level][bucket]
	r := w.rosters.at(*head)
	r.n--
	if last := r.flows[r.n]; last != i {
		w.rosters.at(f.roster).flows[f.seat] = last
		l := w.flows.at(last)
		l.roster, l.seat = f.roster, f.seat
	}
	if r.n > 0 {
		return
	}
	next := r.next
	w.rosters.release(*head)
	if *head = next; next == 0 {
		w.occupied[level] &^= 1 << bucket
	}
}

// update moves flow i if its deadline is now before the start of its bucket.
func (w *wheel) update(i uint32, f *flow) {
	if tickOf(f.deadline) < w.bucketStart(int(f.bucket/bucketCount), uint64(f.bucket%bucketCount)) {
		w.remove(i, f)
		w.place(i, f)
	}
}

// bucketStart is the first tick of a bucket: now with the bucket's digit at its
// level and zeros below.
func (w *wheel) bucketStart(level int, bucket uint64) uint64 {
	shift := level * digitBits
	return w.now>>shift>>digitBits<<digitBits<<shift | bucket<<shift
}

// sweep takes out every flow whose deadline is before end, hands them to expire,
// some at a time, and moves the clock to end. Their order is by bucket, not exact: before
// a bucket is begun, reach hears the time before which every deadline was met. A bucket
// covers less than a tenth of a second then. Neither may change what is in the wheel.
func (w *wheel) sweep(end packet.Time, expire func(due []uint32), reach func(before packet.Time)) {
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
		if level >= coarse {
			w.drain(level, bucket, timeOf(start), nil) // nothing is due before it starts
			continue
		}
		reach(timeOf(start))
		w.drain(level, bucket, min(end, timeOf(start+1<<(level*digitBits))), expire)
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
func (w *wheel) drain(level int, bucket uint64, end packet.Time, expire func(due []uint32)) {
	at := w.heads[level][bucket]
	w.heads[level][bucket] = 0
	w.occupied[level] &^= 1 << bucket
	for at != 0 {
		r := &w.batch
		*r = *w.rosters.at(at) // to place flows may use it again
		w.rosters.release(at)
		at = r.next
		for _, i := range r.flows[:r.n] {
			w.sink += w.flows.at(i).deadline
		}
		due := r.flows[:0]
		for _, i := range r.flows[:r.n] {
			f := w.flows.at(i)
			if f.deadline < end {
				f.bucket = noBucket
				due = append(due, i)
			} else {
				w.place(i, f)
			}
		}
		if len(due) > 0 {
			expire(due)
		}
	}
}

// clear forgets all flows.
func (w *wheel) clear() {
	w.heads, w.occupied, w.rosters = [wheelLevels][bucketCount]uint32{}, [wheelLevels]uint64{}, slab[roster]{}
}

// noBucket is the bucket of a flow that is in none: new, or freed.
const noBucket = ^uint16(0)
