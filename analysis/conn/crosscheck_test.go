//go:build invariants

package conn

import (
	"testing"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Each of the invariants is broken on purpose, and seen.
func TestBreachesAreSeen(t *testing.T) {
	for _, c := range []struct {
		name   string
		breach func(tr *Tracker, i uint32, f *flow)
	}{
		{"none", nil},
		{"a flow too many is counted", func(tr *Tracker, _ uint32, _ *flow) { tr.table.n++ }},
		{"a slot is lost", func(tr *Tracker, i uint32, f *flow) { tr.table.remove(f.tag, i); tr.table.n++ }},
		{"a slot has another tag", func(_ *Tracker, _ uint32, f *flow) { f.tag++ }},
		{"a slot is not reached", func(tr *Tracker, i uint32, f *flow) {
			tr.table.remove(f.tag, i)
			tr.table.n++
			for at := range tr.table.slots {
				if home := tr.table.home(f.tag); tr.table.slots[at] == 0 && at > home+2 {
					tr.table.slots[at] = uint64(f.tag)<<32 | uint64(i)
					return
				}
			}
		}},
		{"a timer is lost", func(tr *Tracker, i uint32, f *flow) { tr.wheel.remove(i, f) }},
		{"a seat is another's", func(_ *Tracker, _ uint32, f *flow) { f.seat++ }},
		{"a bucket comes too late", func(_ *Tracker, _ uint32, f *flow) { f.deadline -= packet.Time(1e15) }},
		{"a bucket is not marked", func(tr *Tracker, _ uint32, f *flow) { tr.wheel.occupied[f.bucket/bucketCount] = 0 }},
		{"a flow ends before its time", func(_ *Tracker, _ uint32, f *flow) {
			f.lastSeen += packet.Time(1e9)
			f.due, f.stream().timer = noTime, noTime
		}},
		{"octets of ranges are lost", func(tr *Tracker, _ uint32, f *flow) { tr.spans.at(f.stream().end[orig].pending).sum-- }},
		{"ranges overlap", func(tr *Tracker, _ uint32, f *flow) { f.stream().end[orig].reassembled += 1000 }},
		{"a range leaks", func(tr *Tracker, _ uint32, _ *flow) { tr.spans.alloc() }},
		{"oddities leak", func(tr *Tracker, _ uint32, _ *flow) { tr.rares.alloc() }},
		{"a flow leaks", func(tr *Tracker, _ uint32, _ *flow) { tr.flows.alloc(udp) }},
		{"parents of a flow that has ended", func(tr *Tracker, i uint32, _ *flow) {
			tr.parents = map[uint32][]Parent{i + 1: nil}
			tr.flows.at(i + 1).bucket = noBucket
		}},
		{"a flow that says little is passed over", func(tr *Tracker, i uint32, f *flow) {
			tr.bounds.tcp.victims.cover(tr.flows.tcp.used)
			tr.bounds.tcp.victims.settle(i - tcpIndex)
			f.pkts[resp] = 0
		}},
		{"a place is not counted", func(tr *Tracker, _ uint32, _ *flow) {
			tr.bounds.plain.victims.cover(1)
			tr.bounds.plain.victims.unsettled++
		}},
		{"instants out of order", func(tr *Tracker, i uint32, f *flow) { tr.addShowing(9, i, f.uid); tr.addShowing(8, i, f.uid) }},
	} {
		tr := New(DefaultConfig(), Deps{Emit: func(packet.Time, *logs.Conn) {}})
		for i := range 5 {
			converse(tr, i, packet.TCP)
		}
		i := uint32(tcpIndex + 3)
		f := tr.flows.at(i)
		tr.dataSent(f, f.stream(), orig, 50, 10) // above a hole
		if c.breach != nil {
			c.breach(tr, i, f)
		}
		if seen := panics(tr.crossCheck); seen != (c.breach != nil) {
			t.Errorf("%s: seen %t", c.name, seen)
		}
	}
}

func panics(do func()) (did bool) {
	defer func() { did = recover() != nil }()
	do()
	return false
}
