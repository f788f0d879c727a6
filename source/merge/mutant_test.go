package merge

import (
	"context"
	"slices"
	"time"

	"pcapdir/source/packet"
)

// mutant is the sound rules with one of them broken.
type mutant struct {
	name string
	rules
}

func mutants() []mutant {
	return []mutant{
		mutate("R1 progress by time alone, rounded down", func(r *rules) {
			r.append, r.close = appendBy(publishTime(0)), closeBy(publishTime(0))
		}),
		mutate("R1 progress by time alone, rounded up", func(r *rules) {
			r.append, r.close = appendBy(publishTime(1)), closeBy(publishTime(1))
		}),
		mutate("R2 publish after the send", func(r *rules) {
			r.append = appendBy(writing{publish: publishSound, flush: flushThenPublish})
		}),
		mutate("R2 count past partial batches", func(r *rules) {
			r.append, r.close = appendBy(publishAll()), closeBy(publishAll())
		}),
		mutate("R3 wait on the full queue", func(r *rules) {
			r.append = appendBy(writing{publish: publishSound, flush: waitOnFull})
		}),
		mutate("a writer that waits leaves shards asleep", func(r *rules) {
			r.append = appendBy(writing{publish: publishQuietly, flush: flushSound})
		}),
		mutate("R4 the bound rises before the run is visible", func(r *rules) { r.open = boundBeforeRun }),
		mutate("R4 poll the queues, then load safe", func(r *rules) { r.load = pollBeforeSafe }),
		mutate("R5 sleep although safe rose", func(r *rules) { r.wait = loseToken }),
		mutate("R6 open only when nothing is open", func(r *rules) { r.open = openWhenIdle }),
		mutate("admit below safe without a floor", func(r *rules) { r.admit = admitAsIs }),
		mutate("relay: progress past what is not sent to it", func(r *rules) { r.divert = divertUnseen }),
		mutate("relay: count what is sent to it after the progress", func(r *rules) { r.divert = divertUncounted }),
		mutate("relay: publish progress only when there was something to do", func(r *rules) { r.advance = advanceIfBusy }),
		mutate("relay: publish progress before the flush", func(r *rules) { r.advance = advanceThenFlush }),
		mutate("relay: count as done before the flush", func(r *rules) { r.advance = countThenFlush }),
		mutate("relay: shards go up to safe whatever it has to do", func(r *rules) { r.load = loadUngranted }),
		mutate("relay: shards wait for it only", func(r *rules) { r.load = loadRelayed }),
		mutate("cut in the middle of a record", func(r *rules) { r.cut = cutAtSafe }),
		mutate("cut at what is granted", func(r *rules) { r.cut = cutAtGranted }),
	}
}

func mutate(name string, change func(*rules)) mutant {
	m := mutant{name, sound()}
	change(&m.rules)
	return m
}

// writing is what a broken Append does when a batch is full.
type writing struct {
	publish func(w *Writer, waits bool)
	flush   func(w *Writer, full int, publish func(w *Writer, waits bool)) bool
}

// appendBy is Append with the steps of how. With the sound steps it is Append,
// which TestMutantsAreSoundButForTheirBreach holds it to.
func appendBy(how writing) func(*Writer, int, *packet.Packet) bool {
	return func(w *Writer, shard int, p *packet.Packet) bool {
		if len(w.add(shard, p).Packets) < w.frontier.cfg.Batch {
			return true
		}
		select {
		case w.queues[shard] <- w.partial[shard]:
			w.sent(shard)
			how.publish(w, false)
			return true
		default:
			return how.flush(w, shard, how.publish)
		}
	}
}

func closeBy(how writing) func(*Writer) {
	return func(w *Writer) {
		how.flush(w, 0, how.publish)
		for _, q := range w.queues {
			close(q)
		}
		w.frontier.end(w.Run, w.last, w.any)
	}
}

func flushSound(w *Writer, _ int, publish func(w *Writer, waits bool)) bool {
	for {
		shard, ok := w.oldest()
		publish(w, true)
		if !ok {
			return true
		}
		if !w.push(shard) {
			return false
		}
	}
}

func flushThenPublish(w *Writer, _ int, publish func(w *Writer, waits bool)) bool {
	for {
		shard, ok := w.oldest()
		if !ok {
			publish(w, true)
			return true
		}
		if !w.push(shard) {
			return false
		}
	}
}

func waitOnFull(w *Writer, full int, publish func(w *Writer, waits bool)) bool {
	publish(w, true)
	return w.push(full)
}

func publishSound(w *Writer, waits bool) { w.passed(w.last.Next(), waits) }

// publishQuietly says of no wait that it is one.
func publishQuietly(w *Writer, _ bool) { w.passed(w.last.Next(), false) }

func publishTime(round packet.Time) writing {
	return writing{flush: flushSound, publish: func(w *Writer, waits bool) {
		p := w.last.Next()
		if shard, ok := w.oldest(); ok {
			p = w.partial[shard].Packets[0].Order(w.File)
		}
		w.publish(packet.At(p.Eff+round), waits)
	}}
}

func publishAll() writing {
	return writing{flush: flushSound, publish: func(w *Writer, waits bool) { w.publish(w.last.Next(), waits) }}
}

func boundBeforeRun(f *Frontier) func() {
	f.mu.Lock()
	if !f.due(f.least()) {
		f.mu.Unlock()
		return nil
	}
	w := f.waiting[0]
	r := newRun(f, w)
	f.waiting = slices.Delete(f.waiting, 0, 1)
	f.raise()
	f.mu.Unlock()
	time.Sleep(time.Microsecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = append(f.open, r)
	f.list(append(slices.Clone(f.runs), r))
	return func() { w.Start(newWriter(r)) }
}

func openWhenIdle(f *Frontier) func() {
	f.mu.Lock()
	open := len(f.open)
	f.mu.Unlock()
	if open > 0 {
		return nil
	}
	return f.openNext()
}

func pollBeforeSafe(m *Merger) (packet.Order, packet.Time) {
	_, last := m.Load()
	time.Sleep(time.Microsecond)
	m.safe = m.frontier.view(m.queue).safe
	return m.safe, last
}

// loseToken forgets one token: the rise that it stood for goes unseen until the next.
func loseToken(m *Merger, ctx context.Context) error {
	select {
	case <-m.frontier.wake[m.queue]:
	default:
	}
	return m.Wait(ctx)
}

func admitAsIs(f *Frontier, entries ...Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		f.waiting = append(f.waiting, &waiting{Entry: e, source: f.source(e.Source), lower: packet.At(e.First)})
		f.source(e.Source).files++
	}
	slices.SortStableFunc(f.waiting, func(a, b *waiting) int { return a.lower.Compare(b.lower) })
	f.raise()
}

// divertUnseen publishes as if the partial batch for the relay were sent.
func divertUnseen(w *Writer, p *packet.Packet, data []byte) bool {
	if !w.Divert(p, data) {
		return false
	}
	w.publish(w.last.Next(), true)
	return true
}

// divertUncounted counts what was sent some time after progress may have passed it.
func divertUncounted(w *Writer, p *packet.Packet, data []byte) bool {
	w.add(w.frontier.cfg.Shards, p).Data = [][]byte{data}
	for w.partial[w.frontier.cfg.Shards] != nil {
		queue, _ := w.oldest()
		publishSound(w, true)
		if !w.push(queue) {
			return false
		}
	}
	time.AfterFunc(20*time.Microsecond, func() { w.frontier.publish(w.Run, packet.Order{}, 1, true) })
	return true
}

func advanceIfBusy(r *Relay, safe packet.Order) bool {
	if r.taken == 0 {
		return true
	}
	return r.Advance(safe)
}

func advanceThenFlush(r *Relay, safe packet.Order) bool {
	r.out.frontier.advance(safe, 0)
	time.Sleep(time.Microsecond)
	return r.Advance(safe)
}

func countThenFlush(r *Relay, safe packet.Order) bool {
	r.out.frontier.advance(r.out.frontier.relay.progress, r.taken)
	r.taken = 0
	time.Sleep(time.Microsecond)
	return r.Advance(safe)
}

func loadUngranted(m *Merger) (packet.Order, packet.Time) {
	v := m.frontier.view(m.frontier.cfg.Shards)
	return m.use(v)
}

func loadRelayed(m *Merger) (packet.Order, packet.Time) {
	v := m.frontier.view(m.queue)
	m.frontier.mu.Lock()
	v.safe = v.safe.Min(m.frontier.relay.progress)
	m.frontier.mu.Unlock()
	return m.use(v)
}

func cutAtSafe(f *Frontier) (packet.Order, bool) {
	return cutAt(f, func() packet.Order { return f.safe })
}

// cutAtGranted forgets that the relay may be beyond.
func cutAtGranted(f *Frontier) (packet.Order, bool) {
	return cutAt(f, func() packet.Order { return f.granted })
}

func cutAt(f *Frontier, where func() packet.Order) (packet.Order, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unpassed > 0 || f.safe == packet.MaxOrder {
		return packet.Order{}, false
	}
	f.put(Mark{Key: where(), Cut: true})
	f.unpassed++
	return f.mark.Key, true
}
