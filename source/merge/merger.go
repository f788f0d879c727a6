package merge

import (
	"context"

	"pcapdir/source/packet"
)

// Merger is one shard's end of all runs, or the relay's. It belongs to one
// goroutine.
type Merger struct {
	frontier *Frontier
	queue    int // which one of each run: the shard's number or, for the relay, the last
	safe     packet.Order
	version  int    // of the runs met
	mark     Mark   // the last one seen
	passed   uint64 // the last one passed, by its n

	heads []head          // binary heap by the key of the next packet
	dry   []*Run          // known runs whose queue was empty when last polled
	met   uint64          // the last run met, by its seq
	spent []*packet.Batch // batches that the caller may still look at
}

// head is a run with packets at hand.
type head struct {
	run   *Run
	left  []packet.Packet // of the batch; not empty
	batch *packet.Batch
}

func (h *head) less(o *head) bool {
	a, b := &h.left[0], &o.left[0]
	if a.Eff != b.Eff {
		return a.Eff < b.Eff
	}
	return a.Order(h.batch.File).Less(b.Order(o.batch.File))
}

// NewMerger makes the merger of one shard, 0 <= shard < Config.Shards.
func NewMerger(f *Frontier, shard int) *Merger {
	m := newMerger(f, shard)
	m.dry = append(m.dry, f.relay)
	return m
}

func newMerger(f *Frontier, queue int) *Merger {
	return &Merger{frontier: f, queue: queue, safe: packet.At(-packet.MaxTime)}
}

// Load takes the key up to which packets may now be handled, then the runs that
// it covers. At the end of input safe is packet.MaxOrder, and last is then the
// largest effective time of all files, the same for every shard.
func (m *Merger) Load() (safe packet.Order, last packet.Time) {
	return m.use(m.frontier.view(m.queue))
}

// use takes in a view.
func (m *Merger) use(v view) (safe packet.Order, last packet.Time) {
	m.safe, m.mark = v.safe, v.mark
	if m.mark.n > m.passed {
		m.safe = m.safe.Min(m.mark.Key) // files that came since lie behind it
	}
	if v.version != m.version {
		m.version = v.version
		m.meet(v.runs)
	}
	m.poll()
	return m.safe, v.last
}

// meet notes runs that are new to this shard: they are last in the list.
func (m *Merger) meet(runs []*Run) {
	from := len(runs)
	for from > 0 && runs[from-1].seq > m.met {
		from--
	}
	for _, r := range runs[from:] {
		m.dry = append(m.dry, r)
		m.met = r.seq
	}
}

// poll looks again at the runs that had nothing.
func (m *Merger) poll() {
	dry := m.dry[:0]
	for _, r := range m.dry {
		switch b, state := m.receive(r); state {
		case received:
			m.push(head{run: r, left: b.Packets, batch: b})
		case empty:
			dry = append(dry, r)
		}
	}
	clear(m.dry[len(dry):])
	m.dry = dry
}

type receipt uint8

const (
	empty receipt = iota
	received
	ended
)

// receive takes the next batch of r without waiting. An ended run is drained.
func (m *Merger) receive(r *Run) (*packet.Batch, receipt) {
	select {
	case b, ok := <-r.queues[m.queue]:
		if ok {
			return b, received
		}
		m.frontier.drained(r)
		return nil, ended
	default:
		return nil, empty
	}
}

// Next appends to dst the packets that come next, in order, all below the safe
// key loaded last, until dst is full. None appended says that all below safe
// are handled. The packets belong to the merger and hold until the next call.
func (m *Merger) Next(dst []*packet.Packet) []*packet.Packet {
	m.handBack()
	for len(dst) < cap(dst) && len(m.heads) > 0 {
		h := &m.heads[0]
		p := &h.left[0]
		if p.Eff >= m.safe.Eff && !p.Order(h.batch.File).Less(m.safe) {
			break
		}
		dst = append(dst, p)
		h.left = h.left[1:]
		if len(h.left) == 0 {
			m.refill()
		}
		m.down(0)
	}
	return dst
}

// refill gives the first head its next batch, or takes it off the heap. An
// empty queue holds nothing below safe (I5), so the run can wait for Load.
func (m *Merger) refill() {
	h := &m.heads[0]
	m.spent = append(m.spent, h.batch)
	b, state := m.receive(h.run)
	if state == received {
		h.left, h.batch = b.Packets, b
		return
	}
	if state == empty {
		m.dry = append(m.dry, h.run)
	}
	n := len(m.heads) - 1
	m.heads[0] = m.heads[n]
	m.heads[n] = head{}
	m.heads = m.heads[:n]
}

// handBack returns the batches that the caller has seen.
func (m *Merger) handBack() {
	for i, b := range m.spent {
		b.Reset()
		m.frontier.pool.Put(b)
		m.spent[i] = nil
	}
	m.spent = m.spent[:0]
}

// Wait sleeps until safe may have risen since Load.
func (m *Merger) Wait(ctx context.Context) error {
	select {
	case <-m.frontier.wake[m.queue]:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Merger) push(h head) {
	m.heads = append(m.heads, h)
	for i := len(m.heads) - 1; i > 0; {
		parent := (i - 1) / 2
		if !m.heads[i].less(&m.heads[parent]) {
			break
		}
		m.heads[i], m.heads[parent] = m.heads[parent], m.heads[i]
		i = parent
	}
}

func (m *Merger) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heads); c++ {
			if m.heads[c].less(&m.heads[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heads[i], m.heads[least] = m.heads[least], m.heads[i]
		i = least
	}
}
