package conn

import "pcapdir/source/packet"

// tcpFlags are the flags of a segment, with the questions that the rules ask.
type tcpFlags packet.TCPFlags

func (f tcpFlags) has(bits packet.TCPFlags) bool { return f&tcpFlags(bits) != 0 }
func (f tcpFlags) syn() bool                     { return f.has(packet.SYN) }
func (f tcpFlags) fin() bool                     { return f.has(packet.FIN) }
func (f tcpFlags) rst() bool                     { return f.has(packet.RST) }
func (f tcpFlags) ack() bool                     { return f.has(packet.ACK) }
func (f tcpFlags) synOrRST() bool                { return f.has(packet.SYN | packet.RST) }
func (f tcpFlags) control() tcpFlags             { return f & tcpFlags(packet.SYN|packet.FIN|packet.RST) }

// Once-only letters, as bits of stream.seen for the originator; the responder's
// are shifted by 8. S and H share one.
const (
	seenSYN uint16 = 1 << iota
	seenFIN
	seenRST
	seenFINRST
	seenData
	seenAck
	seenMulti
)

// once writes c for role the first time and says whether it was written before.
func (t *Tracker) once(f *flow, s *stream, role int, bit uint16, c byte) bool {
	bit <<= 8 * role
	if s.seen&bit != 0 {
		return true
	}
	s.seen |= bit
	t.addHistory(f, letter(role, c))
	return false
}

// flagLetter writes the one letter of a segment that is about its flags.
func (t *Tracker) flagLetter(f *flow, s *stream, role int, g *segment) {
	switch g.flags.control() {
	case 0:
		if g.len > 0 {
			t.once(f, s, role, seenData, 'D')
		} else if g.flags.ack() {
			t.once(f, s, role, seenAck, 'A')
		}
	case tcpFlags(packet.SYN):
		c := byte('S')
		if g.flags.ack() {
			c = 'H'
		}
		t.repeatable(f, s, role, seenSYN, c, func(o *sideOddities) *uint32 { return &o.synAt }, uint32(g.rel))
	case tcpFlags(packet.FIN):
		t.repeatable(f, s, role, seenFIN, 'F', func(o *sideOddities) *uint32 { return &o.finAt }, uint32(g.rel)+g.len)
	case tcpFlags(packet.RST):
		t.repeatable(f, s, role, seenRST, 'R', func(o *sideOddities) *uint32 { return &o.rstAt }, uint32(g.rel))
	default:
		if g.flags.fin() && g.flags.rst() {
			t.once(f, s, role, seenFINRST, 'I')
		} else {
			t.once(f, s, role, seenMulti, 'Q')
		}
	}
}

// repeatable writes c again only when the sequence number is another one than last,
// which at holds; the first SYN has 0, for which nothing has to be kept.
func (t *Tracker) repeatable(f *flow, s *stream, role int, bit uint16, c byte, at func(*sideOddities) *uint32, rel uint32) {
	last := *at(&t.knownTCP(f).side[role])
	if t.once(f, s, role, bit, c) && rel != last {
		t.addHistory(f, letter(role, c))
	}
	if rel != last {
		*at(&t.oddTCP(f).side[role]) = rel
	}
}

// flipSynAck turns a connection round whose first packet was a SYN-ACK and
// whose second is plain: the SYN was missed, and its sender is the originator.
func (t *Tracker) flipSynAck(f *flow, g *segment) bool {
	plain := g.flags.control() == 0 && (g.len > 0 || g.flags.ack())
	if !plain || !f.historyIs('H') {
		return false
	}
	t.flip(f)
	copy(f.hist[:], "^h")
	f.histLen = 2
	return true
}
