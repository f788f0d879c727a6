package flowvec

import (
	"errors"
	"testing"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
	"pcapdir/source/snap/snaptest"
)

// full is a table whose first pair has all that a pair can have.
func full() *Table {
	table := New(DefaultConfig())
	for n := range 2 {
		for i := range 40 {
			p := hashed(packet.Packet{Src: addr(n), Dst: addr(9), Proto: packet.UDP, SrcPort: uint16(i % 4), DstPort: 53, IPLen: 60})
			table.Add(&p, logs.UID{byte(i), 1})
		}
	}
	return table
}

// Places that lead nowhere are refused, and so is what is out of order.
func TestPlacesAreChecked(t *testing.T) {
	last := uint32(1 << 20)
	for name, damage := range map[string]func(s *slabs, q *pair){
		"no origin":     func(_ *slabs, q *pair) { q.flags &^= known },
		"order":         func(_ *slabs, q *pair) { q.lo, q.hi = q.hi, q.lo },
		"busy":          func(_ *slabs, q *pair) { q.sides[1].busy = last },
		"sums":          func(_ *slabs, q *pair) { q.sums = last },
		"list":          func(_ *slabs, q *pair) { q.since = last },
		"no list":       func(_ *slabs, q *pair) { q.since = 0 },
		"packets":       func(_ *slabs, q *pair) { q.sides[0].n = fewPackets + 1 },
		"slot":          func(_ *slabs, q *pair) { q.sides[0].slots[0] = slotsPerPane },
		"connections":   func(s *slabs, q *pair) { s.lists.at(q.since).n = maxUIDs + 1 },
		"recalled":      func(_ *slabs, q *pair) { q.flags |= recalled },
		"services":      func(s *slabs, _ *pair) { s.sums.at(1)[1].ports.n = manyPorts + 1 },
		"short":         func(s *slabs, _ *pair) { s.pairs.n = 600 },
		"nothing wrong": func(*slabs, *pair) {},
	} {
		open, closed := full(), full().ClosePane()
		_, _ = open.sums.add()
		w := NewWindows(time.Minute, time.Minute)
		w.Push(minute, []*Pane{closed}, true)
		damage(&open.slabs, open.pairs.at(1))
		damage(&closed.slabs, closed.pairs.at(1))
		a := LoadTable(snaptest.Reader(stream(t, open, flowsOf(open))), []*Table{New(DefaultConfig())}, oneTable)
		b := NewWindows(time.Minute, time.Minute).LoadPane(snaptest.Reader(snaptest.Written(t, func(out *snap.Writer) { w.SavePane(minute, out) })))
		if name == "nothing wrong" && (a != nil || b != nil) || name != "nothing wrong" && (a == nil || b == nil) {
			t.Errorf("%s: table %v, pane %v", name, a, b)
		}
	}
}

// stream is what a table saves that has so few pairs that they are one batch.
func stream(t *testing.T, table *Table, flows []flow) []byte {
	return snaptest.Written(t, func(w *snap.Writer) {
		w.Put(&savedTable{table.cfg.Pane, table.cfg.Seed, table.start, table.limit, table.lost, table.pairs.n})
		table.slabs.save(w)
		w.Put(&flows)
	})
}

func flowsOf(table *Table) (flows []flow) {
	slots, _ := table.flows.byPair(table.pairs.n)
	for _, slot := range slots {
		flows = append(flows, table.flows.slots[slot])
	}
	return flows
}

func TestFlowsAndHeadsAreChecked(t *testing.T) {
	for name, damage := range map[string]func(table *Table, flows []flow){
		"no pair":   func(_ *Table, flows []flow) { flows[0].pair = 0 },
		"far pair":  func(_ *Table, flows []flow) { flows[7].pair = 3 },
		"order":     func(_ *Table, flows []flow) { flows[0].pair = 2 },
		"sums":      func(table *Table, _ []flow) { table.pairs.at(1).sums, _ = table.sums.add() },
		"start":     func(table *Table, _ []flow) { table.start++ },
		"too many":  func(table *Table, _ []flow) { table.pairs.n++ },
		"not split": func(table *Table, _ []flow) { table.pairs.at(1).flags &^= manyFlow },
	} {
		table := full()
		flows := flowsOf(table)
		text := stream(t, table, flows)
		if len(flows) != 8 || LoadTable(snaptest.Reader(text), []*Table{New(DefaultConfig())}, oneTable) != nil {
			t.Fatal("nothing is wrong yet")
		}
		damage(table, flows)
		fresh := New(DefaultConfig())
		err := LoadTable(snaptest.Reader(stream(t, table, flows)), []*Table{fresh}, oneTable)
		if name == "not split" { // which a full table has, too
			if lost := fresh.ClosePane().Lost.Flows; err != nil || lost != 4 {
				t.Errorf("%s: %v, %d flows lost", name, err, lost)
			}
		} else if !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where one of two tables was full, what they become keeps no more than the two
// together would have shown; in whatever order they come.
func TestLimitsMeet(t *testing.T) {
	packets := [2][]packet.Packet{medley(0, 4), medley(0, 5)}
	for first := range 2 {
		var streams [2][]byte
		var parts []*Pane
		for i, pairs := range []int{60, 1 << 20} {
			table := New(Config{Pane: time.Minute, MaxPairs: pairs})
			for k := range packets[i] {
				table.Add(&packets[i][k], logs.UID{})
			}
			streams[i] = snaptest.Written(t, table.Save)
			parts = append(parts, table.ClosePane())
		}
		one := []*Table{New(Config{Pane: time.Minute})}
		for _, text := range [][]byte{streams[first], streams[1-first]} {
			if err := LoadTable(snaptest.Reader(text), one, oneTable); err != nil {
				t.Fatal(err)
			}
		}
		want, wantLost := merged(parts)
		got, lost := merged([]*Pane{one[0].ClosePane()})
		if len(got) != len(want) || lost.Packets != wantLost.Packets || wantLost.Pairs == 0 {
			t.Errorf("%d conversations, lost %+v; want %d, %+v", len(got), lost, len(want), wantLost)
		}
	}
}

// Bounds of the new tables hold, whatever the old ones had.
func TestSmallerTables(t *testing.T) {
	table := New(DefaultConfig())
	packets := medley(0, 3)
	for i := range packets {
		table.Add(&packets[i], connection(&packets[i]))
	}
	small := New(Config{Pane: time.Minute, MaxPairs: 50, MaxFlows: 20})
	if err := LoadTable(snaptest.Reader(snaptest.Written(t, table.Save)), []*Table{small}, oneTable); err != nil {
		t.Fatal(err)
	}
	if small.Len() > 50 || small.flows.n > 20 || small.lost.Flows == 0 || small.lost.Pairs == 0 {
		t.Errorf("%d pairs, %d flows, lost %+v", small.Len(), small.flows.n, small.lost)
	}
	conversations, lost := merged([]*Pane{small.ClosePane()})
	for i := range conversations {
		lost.Packets += conversations[i].sides[0].n + conversations[i].sides[1].n
	}
	if lost.Packets != uint64(len(packets)) {
		t.Errorf("%d packets kept or lost of %d", lost.Packets, len(packets))
	}
}
