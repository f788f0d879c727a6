package flowvec

// counts are the sums and extremes of one direction. first and last are in
// ticks within a pane, and nanoseconds since 1970 beyond it. The zero counts
// hold no packet.
type counts struct {
	n, bytes    uint64
	pay, pay2   uint64 // L4 payload, and its squares per packet
	ttlSum      uint64
	first, last int64

	npay, syn, rst, weird, icmp uint32
	ttlMin, ttlMax              uint8
}

func (c *counts) merge(o *counts) {
	if o.n == 0 {
		return
	}
	if c.n == 0 {
		*c = *o
		return
	}
	c.n, c.bytes, c.pay, c.pay2 = c.n+o.n, c.bytes+o.bytes, c.pay+o.pay, c.pay2+o.pay2
	c.ttlSum += o.ttlSum
	c.first, c.last = min(c.first, o.first), max(c.last, o.last)
	c.npay, c.syn, c.rst = c.npay+o.npay, c.syn+o.syn, c.rst+o.rst
	c.weird, c.icmp = c.weird+o.weird, c.icmp+o.icmp
	c.ttlMin, c.ttlMax = min(c.ttlMin, o.ttlMin), max(c.ttlMax, o.ttlMax)
}

// fill puts f into c. Field by field: most of what a report reads goes through
// here, and a value that is returned is made twice.
func (f *few) fill(c *counts) {
	c.n, c.bytes, c.pay, c.pay2 = uint64(f.n), uint64(f.bytes), uint64(f.pay), uint64(f.pay2)
	c.ttlSum, c.first, c.last = uint64(f.ttlSum), int64(f.first), int64(f.last)
	c.npay, c.syn, c.rst = uint32(f.npay), uint32(f.syn), uint32(f.rst)
	c.weird, c.icmp, c.ttlMin, c.ttlMax = uint32(f.weird), uint32(f.icmp), f.ttlMin, f.ttlMax
}
