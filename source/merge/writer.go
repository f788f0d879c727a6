package merge

import (
	"context"

	"pcapdir/source/packet"
)

// Writer is a reader's end of its run. It belongs to one goroutine.
type Writer struct {
	*Run
	ctx     context.Context
	partial [][]packet.Packet // by shard; nil or not empty
	last    packet.Order      // key of the packet appended or passed last
	any     bool              // last holds
}

func newWriter(r *Run) *Writer {
	return &Writer{Run: r, ctx: context.Background(), partial: make([][]packet.Packet, len(r.queues))}
}

// Bind makes waits of w end when ctx does.
func (w *Writer) Bind(ctx context.Context) { w.ctx = ctx }

// Append copies p to the shard's batch. Keys must not fall from call to call.
// It waits while the queue is full. False says that the context ended, and p
// was lost with it.
func (w *Writer) Append(shard int, p *packet.Packet) bool {
	b := w.partial[shard]
	if b == nil {
		b = *w.frontier.pool.Get().(*[]packet.Packet)
	}
	b = append(b, *p)
	w.partial[shard] = b
	w.last, w.any = p.Order(w.File), true
	if len(b) < w.frontier.cfg.Batch {
		return true
	}
	return w.send(shard)
}

// Pass takes note of a packet that no shard gets, with a key not below those
// before it: event time passes it all the same. Otherwise where time ends would
// depend on whether such packets have a file of their own, which is waited for.
func (w *Writer) Pass(p *packet.Packet) { w.last, w.any = p.Order(w.File), true }

// send hands over the full batch of shard. If its queue is full, every partial
// batch goes, oldest first: the least key of this file that shards cannot see
// is what holds safe back, so it must be the one that is waited for (I4).
func (w *Writer) send(shard int) bool {
	select {
	case w.queues[shard] <- w.partial[shard]:
		w.partial[shard] = nil
		w.Publish()
		return true
	default:
		return w.Flush()
	}
}

// Flush sends every partial batch, the one with the oldest first key first. It
// waits while a queue is full. False says that the context ended.
func (w *Writer) Flush() bool {
	for {
		shard, ok := w.oldest()
		if !ok {
			break
		}
		w.Publish()
		if !w.push(shard) {
			return false
		}
	}
	w.Publish()
	return true
}

// push waits until the batch of shard is in its queue.
func (w *Writer) push(shard int) bool {
	select {
	case w.queues[shard] <- w.partial[shard]:
		w.partial[shard] = nil
		return true
	case <-w.ctx.Done():
		return false
	}
}

// oldest is the shard whose partial batch has the least first key.
func (w *Writer) oldest() (shard int, ok bool) {
	for s, b := range w.partial {
		if len(b) > 0 && (!ok || b[0].Order(w.File).Less(w.partial[shard][0].Order(w.File))) {
			shard, ok = s, true
		}
	}
	return shard, ok
}

// Publish says how far shards may trust this file: up to the first key of the
// oldest batch that is not sent, else just past the last one. A reader calls it
// before every wait of its own (a descriptor, a disk).
func (w *Writer) Publish() {
	if !w.any {
		return
	}
	p := w.last.Next()
	if shard, ok := w.oldest(); ok {
		p = w.partial[shard][0].Order(w.File)
	}
	w.frontier.publish(w.Run, p)
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
