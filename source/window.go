package source

import (
	"bytes"
	"time"
	"unsafe"

	"pcapdir/source/packet"
)

// DefaultHeld bounds how many packets a window holds, whatever their stamps say, if
// Config.Held does not.
const DefaultHeld = 256 << 10

// window puts the packets of one file in order of effective time.
//
// The effective time of a packet is max(ts, M - size, floor), M being the
// largest stamp of its file before it. So no packet to come can be below
// M - size, and whatever lies at or below that can go out. A file in order costs
// one move through a ring; only stragglers, which come behind a later packet,
// pass a heap. Without that split a file sorted backwards would cost quadratic
// time.
type window struct {
	size  time.Duration // 0: the records stand as they are, lifted to the running maximum
	floor packet.Time
	full  bool        // floor is where the window was when it was full
	max   packet.Time // M

	ring       []packet.Packet // length a power of two
	head, tail uint            // positions, not wrapped
	stragglers []packet.Packet // binary heap by (Eff, Rec)

	fragments map[uint64][]byte          // the IP packets of fragments in the window, by their Hash
	held      int                        // bytes of them
	inner     map[uint64][]packet.Packet // what packets in the window carry, by their Hash
	spare     [][]packet.Packet
	tickets   uint64

	limit, heldLimit int    // of packets, and of held
	sink             uint64 // keeps the loads of what comes next
}

func newWindow(size time.Duration, floor packet.Time) *window {
	w := &window{size: size, floor: floor, max: leastStamp, ring: make([]packet.Packet, 64)}
	w.bound(DefaultHeld)
	return w
}

// bound sets how many packets w holds at most.
func (w *window) bound(packets int) {
	w.limit, w.heldLimit = packets, packets*int(unsafe.Sizeof(packet.Packet{}))
}

// add takes a copy of p and sets its effective time. disorder says that an
// earlier record of the file has a later stamp, lifted that it would have another place
// in a larger window.
func (w *window) add(p *packet.Packet) (disorder, lifted bool) {
	disorder = p.TS < w.max
	p.Eff = max(p.TS, w.max.Add(-w.size))
	if p.Eff < w.floor {
		p.Eff, lifted = w.floor, w.full
	}
	w.max = max(w.max, p.TS)
	if w.head != w.tail && p.Eff < w.at(w.tail-1).Eff {
		w.push(p)
		return disorder, lifted
	}
	if int(w.tail-w.head) == len(w.ring) {
		w.grow()
	}
	*w.at(w.tail) = *p
	w.tail++
	return disorder, lifted
}

// next takes out the least packet if it is settled: none to come can be before
// it. With drain everything is. The packet holds until the next call of add.
func (w *window) next(drain bool) *packet.Packet {
	p, straggler := w.least()
	if p == nil {
		return nil
	}
	full := int(w.tail-w.head)+len(w.stragglers) > w.limit || w.held > w.heldLimit
	if !drain && !full && p.Eff > w.max.Add(-w.size) && p.Eff > w.floor {
		return nil
	}
	if full {
		w.full = w.full || w.floor < p.Eff
		w.floor = max(w.floor, p.Eff)
	}
	if straggler {
		return w.pop()
	}
	w.head++
	// The window of a busy file is larger than the nearest caches: who comes next is
	// fetched while this one is handled.
	soon := w.at(w.head + 4)
	w.sink += uint64(soon.Eff) + uint64(soon.Seq) // a line of memory each
	return p
}

// hold keeps a copy of the IP packet of the fragment p, which is about to be
// added: p.Hash, which fragments have no use for, says which is whose.
func (w *window) hold(p *packet.Packet, data []byte) {
	if w.fragments == nil {
		w.fragments = map[uint64][]byte{}
	}
	w.tickets++
	p.Hash = w.tickets
	w.fragments[p.Hash] = bytes.Clone(data)
	w.held += len(data)
}

// release gives up what hold kept for p.
func (w *window) release(p *packet.Packet) []byte {
	data := w.fragments[p.Hash]
	delete(w.fragments, p.Hash)
	w.held -= len(data)
	return data
}

// enclose keeps inner, what p carries, in the same way.
func (w *window) enclose(p *packet.Packet, inner []packet.Packet) {
	if w.inner == nil {
		w.inner = map[uint64][]packet.Packet{}
	}
	w.tickets++
	p.Hash = w.tickets
	w.inner[p.Hash] = inner
}

// enclosed gives up what enclose kept for p; reuse takes back the memory of that,
// and room hands it out.
func (w *window) enclosed(p *packet.Packet) []packet.Packet {
	inner := w.inner[p.Hash]
	delete(w.inner, p.Hash)
	return inner
}

func (w *window) reuse(inner []packet.Packet) { w.spare = append(w.spare, inner[:0]) }

func (w *window) room() (inner []packet.Packet) {
	if n := len(w.spare) - 1; n >= 0 {
		inner, w.spare = w.spare[n], w.spare[:n]
	}
	return inner
}

func (w *window) least() (p *packet.Packet, straggler bool) {
	if w.head != w.tail {
		p = w.at(w.head)
	}
	if len(w.stragglers) > 0 && (p == nil || before(&w.stragglers[0], p)) {
		return &w.stragglers[0], true
	}
	return p, false
}

func before(a, b *packet.Packet) bool {
	return a.Eff < b.Eff || a.Eff == b.Eff && a.Rec < b.Rec
}

func (w *window) at(i uint) *packet.Packet { return &w.ring[i&uint(len(w.ring)-1)] }

func (w *window) grow() {
	ring := make([]packet.Packet, 2*len(w.ring))
	n := copy(ring, w.ring[w.head&uint(len(w.ring)-1):])
	copy(ring[n:], w.ring[:w.head&uint(len(w.ring)-1)])
	w.tail -= w.head
	w.head = 0
	w.ring = ring
}

func (w *window) push(p *packet.Packet) {
	h := append(w.stragglers, *p)
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !before(&h[i], &h[parent]) {
			break
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
	w.stragglers = h
}

// pop takes the least straggler. Its place, the end of the heap's array, is
// free until the next push.
func (w *window) pop() *packet.Packet {
	h := w.stragglers
	n := len(h) - 1
	h[0], h[n] = h[n], h[0]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if before(&h[c], &h[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	w.stragglers = h[:n]
	return &h[:n+1][n]
}
