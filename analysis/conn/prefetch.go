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

// prefetch reads the slots first and decides nothing by them: a branch that waits
// for memory is often taken wrongly, and then the loads behind it wait, too.
func (t *Tracker) prefetch(ps []*packet.Packet) {
	warm := t.warm[:len(ps)]
	sum := uint64(0)
	for i, p := range ps {
		t.key.setRest(p)
		warm[i] = t.key.tag
	}
	for _, tag := range warm {
		sum += t.table.slots[t.table.home(tag)]
	}
	for i, tag := range warm {
		warm[i] = t.table.first(tag)
	}
	var opening [2]int // packets that find no flow: plain, TCP
	for n, i := range warm {
		if i != 0 {
			sum += t.touch(i)
		} else if ps[n].Proto == packet.TCP {
			opening[1]++
		} else {
			opening[0]++
		}
	}
	for _, i := range t.flows.plain.coming(opening[0]) {
		sum += t.touch(i)
	}
	for _, i := range t.flows.tcp.coming(opening[1]) {
		sum += t.touch(i + tcpIndex)
	}
	t.sink += sum
}

// touch reads a word of each cache line of flow i.
func (t *Tracker) touch(i uint32) uint64 {
	f := t.flows.at(i)
	sum := uint64(f.addr[0][0]) + uint64(f.lastSeen) + uint64(f.first)
	if i < tcpIndex {
		return sum + uint64(f.bytes()[resp])
	}
	return sum + uint64(f.stream().timer)
}

// warmEnds reads what the ends of flows need, likewise: the flows with their
// histories, and their slots in the table.
func (t *Tracker) warmEnds(flows []uint32) {
	sum := uint64(0)
	for _, i := range flows {
		sum += t.touch(i) + t.table.slots[t.table.home(t.flows.at(i).tag)]
	}
	t.sink += sum
}
