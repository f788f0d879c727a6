package source

import (
	"pcapdir/source/decode"
	"pcapdir/source/packet"
)

// unwrap decodes the packets that outer carries, each inside the one before, and
// hands them to emit in that order, without order fields. fragment is the IP
// packet of one that is a fragment. emit says whether to go on; unwrap returns
// that. A packet holds during the call.
func unwrap(outer *packet.Packet, in *decode.Inside, emit func(p *packet.Packet, fragment []byte) bool) bool {
	for depth := outer.Depth + 1; in.Carries(); depth++ {
		p := packet.Packet{Depth: depth}
		var fragment []byte
		switch drop := in.Next(&p); {
		case drop == packet.DropFragment:
			if fragment = in.Fragment; !whole(fragment) {
				return true
			}
			p.Flags |= packet.Fragmented
			p.Drop = packet.DropNone
		case drop != packet.DropNone && !drop.Weird():
			return true // not ours
		}
		deep := depth == decode.MaxDepth && in.Carries()
		if deep {
			p.Flags |= packet.TooDeep
		}
		if !emit(&p, fragment) || deep {
			return !deep || emit(&packet.Packet{Depth: depth, Drop: packet.OddTunnelDepth}, nil)
		}
	}
	return true
}

// whole says whether a fragment can be put together with others.
func whole(ip []byte) bool {
	_, ok := decode.Fragment(ip)
	return ok
}

// carry decodes what p carries, which stays beside the window until p leaves it.
func (r *Reader) carry(p *packet.Packet, in *decode.Inside) {
	inner := r.window.room()
	unwrap(p, in, func(q *packet.Packet, fragment []byte) bool {
		if fragment != nil {
			r.window.hold(q, fragment)
		}
		inner = append(inner, *q)
		return true
	})
	r.books.Tunneled += uint64(len(inner))
	r.window.enclose(p, inner)
}

// emitCarrier sends p and what it carries: their place is p's, one behind the
// other.
func (r *Reader) emitCarrier(p *packet.Packet, content uint64) bool {
	inner := r.window.enclosed(p)
	defer r.window.reuse(inner)
	if !r.w.Append(r.router.Route(p), p) {
		return false
	}
	outer := p.Hash
	for i := range inner {
		q := &inner[i]
		placeInside(q, p, outer)
		if !r.emitInner(q, content) {
			return false
		}
		outer = q.Hash
	}
	return true
}

// emitInner sends one packet that came out of a tunnel.
func (r *Reader) emitInner(q *packet.Packet, content uint64) bool {
	if q.Flags&packet.Fragmented != 0 {
		return r.w.Divert(q, r.window.release(q))
	}
	if q.Drop != packet.DropNone {
		q.Hash = content
	}
	return r.w.Append(r.router.Route(q), q)
}

// placeInside gives q the place of p, which carries it, or carries what does. outer
// is the hash of that.
func placeInside(q, p *packet.Packet, outer uint64) {
	q.Eff, q.TS, q.Rank, q.Rec, q.Sub = p.Eff, p.TS, p.Rank, p.Rec, p.Sub
	q.Flags |= p.Flags & orderFlags
	q.Outer = outer
}
