package merge

import "pcapdir/source/packet"

// Mark is a point at which every shard does the same: whatever its speed, it has
// then handled all that lies below Key and nothing of the rest. There are two kinds:
// one put in by hand while nothing is open (Frontier.Mark), and one at which state
// is saved (Frontier.Cut).
type Mark struct {
	Key   packet.Order
	Flush bool // what is open ends there, as at the end of input
	Cut   bool // state is saved there
	n     uint64
}

// end is the resting point behind the mark. What a flush ends, ends in the
// instant of the mark, so that nothing else may come to be in it.
func (m Mark) end() packet.Order {
	if m.Flush {
		return packet.At(m.Key.Eff + 1)
	}
	return m.Key
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
	f.put(Mark{Key: packet.At(at), Flush: flush})
	f.rest = f.mark.end()
	f.last = max(f.last, f.rest.Eff)
	f.sealed = true
	f.raise()
	return f.rest.Eff, true
}

// Cut puts a mark where shards may go anyway: at safe, or behind the record in whose
// middle that is, since what the relay makes of a record has its place before the
// next. The relay has to pass it, too. key is where it stands. It is false, and
// nothing has happened, while a mark before is not passed everywhere, and once all
// input was handled: there is nothing left to save.
func (f *Frontier) Cut() (key packet.Order, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unpassed > 0 || f.safe == packet.MaxOrder {
		return packet.Order{}, false
	}
	key = f.safe
	if key.Rec&(1<<packet.SubBits-1) != 0 {
		key = key.NextRecord()
	}
	f.put(Mark{Key: key, Cut: true})
	f.unpassed++ // the relay
	return key, true
}

// put makes m the mark, and wakes all: safe may be there already. The caller holds
// f.mu.
func (f *Frontier) put(m Mark) {
	m.n = f.mark.n + 1
	f.mark = m
	f.unpassed = f.cfg.Shards
	for _, c := range f.wake {
		signal(c)
	}
}

// Mark is the mark at which the shard has to stop, if there is one: the safe key
// that Load gave is then just before it, and Pass is to follow.
func (m *Merger) Mark() (Mark, bool) {
	return m.mark, m.mark.n > m.passed && m.safe == m.mark.Key
}

// Pass says that the shard has done what its mark asks for. Load goes on behind it.
func (m *Merger) Pass() {
	m.passed = m.mark.n
	m.frontier.mu.Lock()
	defer m.frontier.mu.Unlock()
	m.frontier.unpassed--
}
