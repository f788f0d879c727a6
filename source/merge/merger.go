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

	heap  []top           // binary heap by the key of the next packet
	heads []head          // where the heap says
	free  []uint32        // places in heads that are not taken
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

// order is the key of the next packet.
func (h *head) order() packet.Order { return h.left[0].Order(h.batch.File) }

// top is a head in the heap: what mostly decides, and no pointers, for it is moved with
// every packet.
type top struct {
	eff packet.Time // of the next packet
	at  uint32      // in heads
}

func (m *Merger) less(a, b top) bool {
	if a.eff != b.eff {
		return a.eff < b.eff
	}
	return m.heads[a.at].order().Less(m.heads[b.at].order())
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
	for len(dst) < cap(dst) && len(m.heap) > 0 {
		h := m.first()
		if m.heap[0].eff >= m.safe.Eff && !h.order().Less(m.safe) {
			break
		}
		dst = append(dst, &h.left[0])
		h.left = h.left[1:]
		if len(h.left) > 0 || m.refill(h) {
			m.heap[0].eff = h.left[0].Eff
		} else {
			m.drop(h)
		}
		m.down()
	}
	return dst
}

// first is the head whose packet comes next, if there is any.
func (m *Merger) first() *head { return &m.heads[m.heap[0].at] }

// refill gives a head its next batch, if there is one. An empty queue holds nothing
// below safe (I5), so the run can wait for Load.
func (m *Merger) refill(h *head) bool {
	m.spent = append(m.spent, h.batch)
	b, state := m.receive(h.run)
	switch state {
	case received:
		h.left, h.batch = b.Packets, b
	case empty:
		m.dry = append(m.dry, h.run)
	}
	return state == received
}

// drop takes the first head off the heap.
func (m *Merger) drop(h *head) {
	*h = head{}
	n := len(m.heap) - 1
	m.free = append(m.free, m.heap[0].at)
	m.heap[0] = m.heap[n]
	m.heap = m.heap[:n]
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
	at := uint32(len(m.heads))
	if n := len(m.free) - 1; n >= 0 {
		at, m.free = m.free[n], m.free[:n]
		m.heads[at] = h
	} else {
		m.heads = append(m.heads, h)
	}
	m.heap = append(m.heap, top{h.left[0].Eff, at})
	for i := len(m.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !m.less(m.heap[i], m.heap[parent]) {
			break
		}
		m.heap[i], m.heap[parent] = m.heap[parent], m.heap[i]
		i = parent
	}
}

// down gives the first of the heap, if there is one, the place that its key asks for.
func (m *Merger) down() {
	heap := m.heap
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && m.less(heap[child+1], heap[child]) {
			child++
		}
		if !m.less(heap[child], heap[i]) {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
