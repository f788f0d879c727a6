package merge

import "pcapdir/source/packet"

// Mark is a point of event time, put in by hand while nothing is open, at which
// every shard does the same: whatever its speed, it has then handled all that
// lies before At and nothing that lies behind.
type Mark struct {
	At    packet.Time
	Flush bool // what is open ends there, as at the end of input
	n     uint64
}

// end is the resting point behind the mark. What a flush ends, ends in the
// instant At, so that nothing else may come to be in it.
func (m Mark) end() packet.Order {
	if m.Flush {
		return packet.At(m.At + 1)
	}
	return packet.At(m.At)
}

// Mark raises the resting point to just past all that was read, or that idle
// time has passed, and puts a mark there. up is the resting point: lines of
// events before it are what the mark brings. It is false, and nothing has
// happened, while a file is open or waits, while a shard has not passed the mark
// before, and once the input has ended. Where nothing was read yet there is no
// point to stop at: up is then the beginning of time.
func (f *Frontier) Mark(flush bool) (up packet.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.open) > 0 || len(f.waiting) > 0 || f.closed || f.unpassed > 0 {
		return 0, false
	}
	at := f.rest.Eff
	if at == -packet.MaxTime {
		return at, true
	}
	if packet.At(at).Less(f.rest) {
		at++ // there is a packet at the resting point
	}
	f.mark = Mark{At: at, Flush: flush, n: f.mark.n + 1}
	f.unpassed = f.cfg.Shards
	f.rest = f.mark.end()
	f.last = max(f.last, f.rest.Eff)
	f.sealed = true
	f.raise()
	for _, c := range f.wake[:f.cfg.Shards] {
		signal(c) // safe may be there already
	}
	return f.rest.Eff, true
}

// Mark is the mark at which the shard has to stop, if there is one: the safe key
// that Load gave is then just before it, and Pass is to follow.
func (m *Merger) Mark() (Mark, bool) {
	return m.mark, m.mark.n != m.passed && m.safe == packet.At(m.mark.At)
}

// Pass says that the shard has done what its mark asks for. Load goes on behind it.
func (m *Merger) Pass() {
	m.passed = m.mark.n
	m.frontier.mu.Lock()
	defer m.frontier.mu.Unlock()
	m.frontier.unpassed--
}
