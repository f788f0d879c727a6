package merge

import (
	"slices"

	"pcapdir/source/packet"
)

// sourceState is what the frontier knows of one source: a tap, of which each file
// begins where the one before it ended. frontier.mu guards it.
type sourceState struct {
	name  string
	files int          // that wait or are open: they say themselves what is to come
	live  bool         // more files come
	from  packet.Order // and nothing of them lies below, while files is 0
}

// source is the state of a source, which is made if it is new.
func (f *Frontier) source(name string) *sourceState {
	s := f.sources[name]
	if s == nil {
		s = &sourceState{name: name, from: packet.At(-packet.MaxTime)}
		f.sources[name] = s
	}
	return s
}

// sourceEnded notes the end of one of the source's files, whose last packet was
// at last, if it had any.
func (f *Frontier) sourceEnded(s *sourceState, last packet.Order, any bool) {
	s.files--
	if any {
		s.from = s.from.Max(last.NextRecord())
	}
	f.forget(s)
}

// forget drops a source of which nothing is known that matters: directories may
// come and go.
func (f *Frontier) forget(s *sourceState) {
	if !s.live && s.files == 0 {
		delete(f.sources, s.name)
	}
}

// held is the lowest key that a live source may still bring.
func (f *Frontier) held() packet.Order {
	least := packet.MaxOrder
	if f.closed || f.sealed {
		return least
	}
	for _, s := range f.live {
		if s.files == 0 {
			least = least.Min(s.from)
		}
	}
	return least
}

// Hold says that a source is live: its next file begins where its newest one
// ended, and not before t. While none of its files waits or is open, shards stay
// below that, so that two taps whose files come in turns wait for each other.
func (f *Frontier) Hold(source string, t packet.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.source(source)
	if !s.live {
		s.live, f.live = true, append(f.live, s)
	}
	s.from = s.from.Max(packet.At(t))
	f.raise()
}

// Release says that a source is no longer waited for.
func (f *Frontier) Release(source string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.sources[source]; s != nil && s.live {
		s.live = false
		f.live = slices.DeleteFunc(f.live, func(o *sourceState) bool { return o == s })
		f.forget(s)
		f.raise()
	}
}
