package merge

import (
	"context"

	"pcapdir/source/packet"
)

// divertedBytes is how much data a batch for the relay holds before it is sent,
// however few packets that is.
const divertedBytes = 64 << 10

// recordStep is between the keys of packets of one record: what the relay makes
// of one has its place before the next. More than so many it makes of none.
const recordStep = 256

// Writer is a reader's end of its run. It belongs to one goroutine.
type Writer struct {
	*Run
	ctx     context.Context
	partial []*packet.Batch // by queue; nil or not empty
	last    packet.Order    // key of the packet appended or passed last
	any     bool            // last holds
	step    uint32          // between packets of one record
	handed  uint64          // packets appended and diverted

	unsent   int    // packets in the partial batch for the relay
	held     int    // bytes of their data
	diverted uint64 // packets sent to the relay that the frontier has not counted yet
}

func newWriter(r *Run) *Writer {
	return &Writer{Run: r, ctx: context.Background(), step: recordStep, partial: make([]*packet.Batch, len(r.queues))}
}

// Bind makes waits of w end when ctx does.
func (w *Writer) Bind(ctx context.Context) { w.ctx = ctx }

// Append copies p to the shard's batch. Keys must not fall from call to call; what
// has the key of the packet before comes from the same record. It waits while the
// queue is full. False says that the context ended, and p was lost with it.
func (w *Writer) Append(shard int, p *packet.Packet) bool {
	b := w.add(shard, p)
	if len(b.Packets) < w.frontier.cfg.Batch {
		return true
	}
	return w.send(shard)
}

// Divert sends a copy of p, and data with it, to the relay instead of a shard. It
// is like Append in all else.
func (w *Writer) Divert(p *packet.Packet, data []byte) bool {
	relay := w.frontier.cfg.Shards
	b := w.add(relay, p)
	b.Data = append(b.Data, data)
	w.unsent, w.held = w.unsent+1, w.held+len(data)
	if len(b.Packets) < w.frontier.cfg.Batch && w.held < divertedBytes {
		return true
	}
	return w.send(relay)
}

// add copies p to the partial batch of a queue.
func (w *Writer) add(queue int, p *packet.Packet) *packet.Batch {
	b := w.partial[queue]
	if b == nil {
		b = w.frontier.pool.Get().(*packet.Batch)
		b.File = w.File
		w.partial[queue] = b
	}
	b.Packets = append(b.Packets, *p)
	w.number(&b.Packets[len(b.Packets)-1])
	w.handed++
	return b
}

// number makes p's key the one after last if it is not above it: p is another
// packet of the same record (I1).
func (w *Writer) number(p *packet.Packet) {
	if p.Eff <= w.last.Eff && w.any && !w.last.Less(p.Order(w.File)) {
		p.Sub = uint32(w.last.Rec&(1<<packet.SubBits-1)) + w.step
	}
	w.note(p)
}

// note takes p's key as the last one.
func (w *Writer) note(p *packet.Packet) { w.last, w.any = p.Order(w.File), true }

// Pass takes note of a packet that no shard gets, with a key not below those
// before it: event time passes it all the same. Otherwise where time ends would
// depend on whether such packets have a file of their own, which is waited for.
func (w *Writer) Pass(p *packet.Packet) { w.note(p) }

// send hands over the full batch of a queue. If the queue is full, every partial
// batch goes, oldest first: the least key of this file that its receivers cannot
// see is what holds safe back, so it must be the one that is waited for (I4).
func (w *Writer) send(queue int) bool {
	select {
	case w.queues[queue] <- w.partial[queue]:
		w.sent(queue)
		w.passed(w.last.Next(), false)
		return true
	default:
		return w.Flush()
	}
}

// sent takes note that the partial batch of a queue is in it.
func (w *Writer) sent(queue int) {
	w.partial[queue] = nil
	if queue == w.frontier.cfg.Shards {
		w.diverted += uint64(w.unsent)
		w.unsent, w.held = 0, 0
	}
}

// Flush sends every partial batch, the one with the oldest first key first. It
// waits while a queue is full. False says that the context ended.
func (w *Writer) Flush() bool {
	for {
		queue, ok := w.oldest()
		if !ok {
			break
		}
		w.passed(w.last.Next(), true)
		if !w.push(queue) {
			return false
		}
	}
	w.passed(w.last.Next(), true)
	return true
}

// push waits until the partial batch of a queue is in it.
func (w *Writer) push(queue int) bool {
	select {
	case w.queues[queue] <- w.partial[queue]:
		w.sent(queue)
		return true
	case <-w.ctx.Done():
		return false
	}
}

// oldest is the queue whose partial batch has the least first key.
func (w *Writer) oldest() (queue int, ok bool) {
	for q, b := range w.partial {
		if b != nil && (!ok || b.Packets[0].Order(w.File).Less(w.partial[queue].Packets[0].Order(w.File))) {
			queue, ok = q, true
		}
	}
	return queue, ok
}

// Publish says how far this file may be trusted, between two records. A reader calls
// it before every wait of its own (a descriptor, a disk).
func (w *Writer) Publish() { w.passed(w.last.NextRecord(), true) }

// passed publishes that nothing comes below next, nor below the first key of the
// oldest batch that is not sent. waits says that w is about to wait, or may be.
func (w *Writer) passed(next packet.Order, waits bool) {
	if !w.any {
		return
	}
	if queue, ok := w.oldest(); ok {
		next = w.partial[queue].Packets[0].Order(w.File)
	}
	w.publish(next, waits)
}

// publish tells the frontier, together with what the relay was sent: progress
// must not pass a packet that is not counted yet (I6).
func (w *Writer) publish(p packet.Order, waits bool) {
	w.frontier.publish(w.Run, p, w.diverted, waits)
	w.diverted = 0
}

// Close ends the run: sends what is left and tells the frontier. It is called
// once, also after an error; then shards get what was appended before it.
func (w *Writer) Close() {
	w.Flush()
	for _, q := range w.queues {
		close(q)
	}
	w.frontier.end(w.Run, w.last, w.any)
}

// End is the key of the last packet appended or passed; any says that there was one.
func (w *Writer) End() (last packet.Order, any bool) { return w.last, w.any }

// Handed is how many packets were appended or diverted.
func (w *Writer) Handed() uint64 { return w.handed }
