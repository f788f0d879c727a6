package conn

import (
	"slices"
	"time"

	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// Carrier is a tunnel that packets came through: a UDP connection, or the packets
// between two hosts of a protocol that carries others right behind its IP header.
type Carrier struct {
	Hash uint64      // packet.Hash of its packets
	From packet.Time // effective time of the first of them that carried another
	UID  logs.UID
}

// Parent is a tunnel that a connection was seen in, before it is known which
// carrier that is: the last one of its hash that began at or before At. The two
// may be on different shards.
type Parent struct {
	Hash uint64
	At   packet.Time
}

// maxParents bounds the tunnels that are kept of a connection.
const maxParents = 5

// tunnelIdle is how long a tunnel without connection may be silent and still be
// the same one, as in Zeek (Tunnel::ip_tunnel_timeout).
const tunnelIdle = 24 * time.Hour

// plainTunnel is a tunnel that has no connection.
type plainTunnel struct {
	uid  logs.UID
	last packet.Time
}

// minPlain is from how many on tunnels without connection are looked through for
// those that have ended.
const minPlain = 1024

// carryPlain takes a packet of a protocol that carries others, for which no
// connection is kept.
func (t *Tracker) carryPlain(p *packet.Packet) {
	tunnel, ok := t.plain[p.Hash]
	if !ok || p.Eff.Sub(tunnel.last) > tunnelIdle {
		t.key.set(p)
		tunnel.uid = makeUID(t.cfg.UIDKey, &t.key, p.TS, p.Eff, 0, 0)
		t.announce(Carrier{p.Hash, p.Eff, tunnel.uid})
	}
	tunnel.last = p.Eff
	t.plain[p.Hash] = tunnel
	if len(t.plain) >= t.sweepPlain {
		t.forgetTunnels(p.Eff.Add(-tunnelIdle))
	}
}

// forgetTunnels forgets the tunnels that were silent since before then, and where that
// leaves too many, the half that was silent for longest: they will be new ones.
func (t *Tracker) forgetTunnels(before packet.Time) {
	forget := func(before packet.Time) {
		for hash, tunnel := range t.plain {
			if tunnel.last < before {
				delete(t.plain, hash)
			}
		}
	}
	forget(before)
	t.sweepPlain = max(minPlain, 2*len(t.plain))
	if most := t.bounds.tunnels; most > 0 && t.sweepPlain > most {
		if len(t.plain) > most/2 {
			last := make([]packet.Time, 0, len(t.plain))
			for _, tunnel := range t.plain {
				last = append(last, tunnel.last)
			}
			slices.Sort(last)
			forget(last[len(last)/2] + 1)
		}
		t.sweepPlain = most
	}
}

// carry notes that p, a packet of the flow f, carries another one.
func (t *Tracker) carry(f *flow, p *packet.Packet) {
	if f.marks&markCarrier == 0 {
		f.marks |= markCarrier
		t.announce(Carrier{p.Hash, p.Eff, f.uid})
	}
}

func (t *Tracker) announce(c Carrier) {
	if t.deps.Carrier != nil {
		t.deps.Carrier(c)
	}
}

// parent notes the tunnel that p, a packet of flow i, came through.
func (t *Tracker) parent(i uint32, f *flow, p *packet.Packet) {
	known := t.parents[i]
	if len(known) == maxParents || slices.ContainsFunc(known, func(o Parent) bool { return o.Hash == p.Outer }) {
		return
	}
	f.marks |= markTunneled
	t.parents[i] = append(known, Parent{p.Outer, p.Eff})
}

// Parents are the tunnels of the connection whose record is being emitted. They
// hold during the call of Deps.Emit or Deps.Open.
func (t *Tracker) Parents() []Parent { return t.emitting }
