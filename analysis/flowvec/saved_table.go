package flowvec

import (
	"time"

	"pcapdir/analysis/pages"
	"pcapdir/source/packet"
	"pcapdir/source/snap"
)

// savedTable heads what a table saves. Batches of pairs follow, each with all that
// belongs to them: their places are within the batch.
type savedTable struct {
	pane  time.Duration
	seed  uint64
	start packet.Time
	limit uint64
	lost  Loss
	pairs uint32
}

// batchPairs bounds what is held twice in memory while it is saved or loaded.
const batchPairs = 16 * pages.ChunkLen

// Save writes the open pane, for LoadTable. The table stays as it is.
func (t *Table) Save(w *snap.Writer) {
	w.Put(&savedTable{t.cfg.Pane, t.cfg.Seed, t.start, t.limit, t.lost, t.pairs.n})
	slots, upTo := t.flows.byPair(t.pairs.n)
	batch := newSlabs()
	var flows []flow
	for place := uint32(1); place <= t.pairs.n; {
		flows = flows[:0]
		for ; place <= t.pairs.n && batch.pairs.n < batchPairs; place++ {
			at, to := batch.pairs.add()
			batch.copyPair(to, t.pairs.at(place), &t.slabs)
			for _, slot := range slots[upTo[place-1]:upTo[place]] {
				f := t.flows.slots[slot]
				f.pair = at
				flows = append(flows, f)
			}
		}
		batch.save(w)
		w.Put(&flows)
		batch.release()
	}
}

// byPair are the slots of the flows, pair by pair, and where those of each end.
func (t *flowTable) byPair(pairs uint32) (slots, upTo []uint32) {
	slots, upTo = make([]uint32, t.n), make([]uint32, pairs+2)
	for i := range t.slots {
		if place := t.slots[i].pair; place != 0 {
			upTo[place+1]++
		}
	}
	for i := range pairs {
		upTo[i+2] += upTo[i+1]
	}
	for i := range t.slots { // what says where they begin rises to where they end
		if place := t.slots[i].pair; place != 0 {
			slots[upTo[place]] = uint32(i)
			upTo[place]++
		}
	}
	return slots, upTo
}

// LoadTable reads what one table saved and deals it to tables by route, which says
// for a packet on which it belongs. Tables are of the same Config as the one that
// saved, bounds apart, and hold nothing but what LoadTable brought. Nothing that is
// reported depends on how many there were and are, unless their bounds were reached.
// After an error the tables are of no use.
//
// A conversation does not remember the version of IP. IPv6 packets between two
// v4-mapped addresses, which no network carries, are taken for IPv4: where that makes
// the route another one, a flow of theirs counts twice in the pane.
func LoadTable(r *snap.Reader, tables []*Table, route func(*packet.Packet) int) error {
	d := dealer{tables: tables, route: route}
	if !r.Get(&d.head) {
		return r.Err()
	}
	if err := d.begin(); err != nil {
		return err
	}
	for left := d.head.pairs; left > 0; {
		var batch slabs
		if err := batch.load(r); err != nil {
			return err
		}
		var flows []flow
		if !r.Get(&flows) {
			return r.Err()
		}
		if batch.pairs.n > left || !open(&batch, flows) {
			return errDamaged
		}
		d.deal(&batch, flows)
		left -= batch.pairs.n
	}
	return nil
}

// open says whether a batch is one of an open pane, with its flows in order.
func open(batch *slabs, flows []flow) bool {
	for place := range batch.pairs.n {
		if q := batch.pairs.at(place + 1); q.sums != 0 || q.flags&(recalled|beganHi|beganNoSYN) != 0 {
			return false
		}
	}
	last := uint32(1)
	for i := range flows {
		if place := flows[i].pair; place < last || place > batch.pairs.n {
			return false
		}
		last = flows[i].pair
	}
	return true
}

// dealer deals what one table saved to others.
type dealer struct {
	head   savedTable
	tables []*Table
	route  func(*packet.Packet) int
	p      packet.Packet // the one to route
}

// begin readies the tables for the pane that was open.
func (d *dealer) begin() error {
	for _, t := range d.tables {
		switch {
		case t.cfg.Pane != d.head.pane || t.cfg.Seed != d.head.seed:
			return ErrConfig
		case d.head.pairs == 0:
		case d.head.start != d.head.start.Floor(t.cfg.Pane) || t.pairs.n != 0 && t.start != d.head.start:
			return errDamaged
		default:
			t.start = d.head.start
		}
	}
	d.tables[0].lost.add(d.head.lost) // it counts for all
	return nil
}

// deal gives each pair to the table of its origin, and each flow to its own. Tables
// that get flows only learn the pair without its packets.
func (d *dealer) deal(batch *slabs, flows []flow) {
	for place := uint32(1); place <= batch.pairs.n; place++ {
		q := batch.pairs.at(place)
		home := d.tableOf(q, q.portsBy(0), q.proto)
		there := home.join(q, batch, d.head.limit)
		for ; len(flows) > 0 && flows[0].pair == place; flows = flows[1:] {
			f := &flows[0]
			to, at := d.tableOf(q, f.ports, f.proto), there
			if to != home {
				bare := pair{lo: q.lo, hi: q.hi, flags: manyFlow}
				bare.beginAs(q)
				at = to.join(&bare, batch, d.head.limit)
			}
			if at != 0 {
				to.joinFlow(at, f)
			}
		}
	}
}

// tableOf is where packets of a flow of q belong.
func (d *dealer) tableOf(q *pair, ports [2]uint16, proto uint8) *Table {
	d.p = packet.Packet{Src: q.lo, Dst: q.hi, SrcPort: ports[0], DstPort: ports[1], Proto: proto}
	if !q.lo.Is4() || !q.hi.Is4() {
		d.p.Flags = packet.IPv6
	}
	return d.tables[d.route(&d.p)]
}
