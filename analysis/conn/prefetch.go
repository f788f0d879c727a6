package conn

import "pcapdir/source/packet"

// prefetchLen is how many packets are looked up at once.
const prefetchLen = 256

// Prefetch reads the table slots and flows that the coming packets need, so that
// Handle finds them in the cache: loads that do not depend on each other overlap.
// It changes nothing that is seen.
func (t *Tracker) Prefetch(ps []*packet.Packet) {
	for len(ps) > prefetchLen {
		t.prefetch(ps[:prefetchLen])
		ps = ps[prefetchLen:]
	}
	t.prefetch(ps)
}

func (t *Tracker) prefetch(ps []*packet.Packet) {
	k := &t.key
	for i, p := range ps {
		k.set(p)
		t.warm[i] = t.table.first(k.tag)
	}
	warm := t.warm[:len(ps)]
	sum := uint64(0)
	for _, i := range warm {
		if i != 0 {
			f := t.flows.at(i)
			sum += uint64(f.deadline) + f.pkts[0]
			if i >= tcpIndex {
				s := f.stream()
				sum += s.end[0].trimmed + uint64(s.closeAt)
			}
		}
	}
	t.sink += sum
}
