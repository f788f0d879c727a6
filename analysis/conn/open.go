package conn

import "pcapdir/source/packet"

// open starts a flow with its first packet. n counts the flows of the tuple that
// it directly replaces at the same effective time.
func (t *Tracker) open(k *tuple, p *packet.Packet, n uint32) (uint32, *flow, int) {
	i, f := t.allocFlow(transportOf(k.proto), p.Eff)
	f.addr = [2]packet.Addr{k.src, k.dst}
	f.port = [2]uint16{k.srcPort, k.dstPort}
	f.proto, f.tag = k.proto, k.tag
	f.first, f.last, f.lastSeen, f.due = p.TS, p.TS, t.clock(p), noTime
	f.bucket = noBucket
	if n > 0 || p.Eff != p.TS {
		o := t.odd(f)
		o.n, o.lift = n, p.Eff.Sub(p.TS)
	}
	f.uid = makeUID(t.cfg.UIDKey, k, p.TS, p.Eff, n, t.bounds.again(p.Eff))
	if k.oneWay {
		f.marks |= markOneWay
	}
	t.wheel.start(p.Eff)
	t.table.insert(k.tag, i)
	role := orig
	if flipsAtOnce(k, p) {
		t.flip(f)
		role = resp
	}
	t.openTransport(f, p)
	if t.cfg.OpenInterval > 0 {
		t.addShowing(after(p.Eff, t.cfg.OpenInterval), i, f.uid)
	}
	if p.Link != 0 && t.deps.Link != nil {
		t.seeLink(i, p)
	}
	return i, f, role
}

// openTransport sets the timers, and what else the transport needs.
func (t *Tracker) openTransport(f *flow, p *packet.Packet) {
	if f.proto != packet.TCP {
		*f.bytes() = [2]int64{silent, silent}
	}
	switch f.transport() {
	case tcp:
		f.idle = idleUDP
		f.due = after(p.Eff, t.cfg.SYNTimeout)
		t.expect(f, p.Eff)
		s := f.stream()
		s.timer = noTime
		for role := range s.end {
			s.end[role].reassembled, s.end[role].trimmed = 1, 1
		}
	case udp:
		f.idle = idleUDP
		if dnsPort(f.port[resp]) {
			f.marks |= markDNS
			f.due = after(p.Eff, t.cfg.DNSSession)
		}
	case icmp:
		f.idle = idleICMP
	default:
		f.idle = idleOther
	}
}

// flipsAtOnce says whether the first packet's receiver is taken as the
// originator: the sender's port looks like a server's. A plain SYN is never
// doubted, and neither is a packet to the broadcast address.
func flipsAtOnce(k *tuple, p *packet.Packet) bool {
	tr := transportOf(k.proto)
	if !likelyServer(tr, k.srcPort) || k.dst == broadcast {
		return false
	}
	both := likelyServer(tr, k.dstPort)
	if tr == udp {
		return !both
	}
	flags := tcpFlags(p.TCPFlags)
	switch {
	case flags.syn() && !flags.ack():
		return false
	case both:
		return !flags.syn() && k.srcPort < k.dstPort
	default:
		return true
	}
}

var broadcast = packet.AddrFrom4([4]byte{255, 255, 255, 255})
