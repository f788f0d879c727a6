package traffic

// flow is a conversation under way: 24 bytes, because there may be millions. All
// that does not change in its life is derived from id each time: see profile.
type flow struct {
	id    uint64
	seq   [2]uint32 // relative, of the originator and of the responder
	phase uint8
	round uint8  // requests or exchanges left
	parts uint16 // segments left of the response
}

// segment is one packet of a conversation before it has bytes.
type segment struct {
	reply    bool  // by the responder
	flags    uint8 // TCP
	seq, ack uint32
	payload  int
}

// TCP flags.
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
)

// Where a conversation stands: which packet comes next.
const (
	starting uint8 = iota
	synAck
	established
	requesting
	responding
	acknowledging
	closing
	closed
	lastAck
	refusing
	exchanging
	answering
)

// start makes f the conversation with the next number.
func (g *Generator) start(f *flow) {
	g.started++
	*f = flow{id: g.started}
	p := g.profile(f.id)
	if p.proto == protoTCP {
		f.round = uint8(g.shape.rounds.pick(p.hash >> 8))
		if p.fate == unanswered {
			f.round = 2 // attempts
		}
		return
	}
	f.phase = exchanging
	f.round = uint8(g.shape.exchanges.pick(p.hash >> 8))
}

// advance makes the next packet of f, and says in how many ticks the one after it
// is due, or over when that is the first of another conversation.
func (g *Generator) advance(f *flow, p *profile) (s segment, ticks uint64, over bool) {
	if f.phase >= exchanging {
		return g.exchange(f)
	}
	from := f.seq
	s, ticks, over = g.tcp(f, p)
	side := 0
	if s.reply {
		side = 1
	}
	s.seq = p.initial[side] + from[side]
	if s.flags&ack != 0 {
		s.ack = p.initial[1-side] + from[1-side]
	}
	f.seq[side] += uint32(s.payload)
	if s.flags&(syn|fin) != 0 && p.fate != unanswered { // a repeated SYN keeps its number
		f.seq[side]++
	}
	return s, ticks, over
}

// tcp is the script of a TCP conversation: handshake, requests and their responses
// in segments with an ACK for every second one, and an end by FINs or by RST.
func (g *Generator) tcp(f *flow, p *profile) (s segment, ticks uint64, over bool) {
	switch f.phase {
	case starting:
		if p.fate == unanswered {
			f.round--
			return segment{flags: syn}, 1000, f.round == 0
		}
		f.phase = synAck
		if p.fate == refused {
			f.phase = refusing
		}
		return segment{flags: syn}, g.roundTrip(), false
	case refusing:
		return segment{reply: true, flags: rst | ack}, g.think(), true
	case synAck:
		f.phase = established
		return segment{reply: true, flags: syn | ack}, g.roundTrip(), false
	case established:
		if f.phase = closing; f.round > 0 {
			f.phase = requesting
		}
		return segment{flags: ack}, g.think(), false
	case requesting:
		f.phase, f.round = responding, f.round-1
		f.parts = uint16(g.shape.segments.pick(g.random.next()))
		return segment{flags: psh | ack, payload: int(g.shape.request.pick(g.random.next()))}, g.roundTrip(), false
	case responding:
		return g.respond(f), 1, false
	case acknowledging:
		if f.phase = responding; f.parts > 0 {
			return segment{flags: ack}, g.roundTrip(), false
		}
		if f.phase = closing; f.round > 0 {
			f.phase = requesting
		}
		return segment{flags: ack}, g.think(), false
	case closing:
		if p.fate == reset {
			return segment{flags: rst | ack}, g.think(), true
		}
		f.phase = closed
		return segment{flags: fin | ack}, g.roundTrip(), false
	case closed:
		f.phase = lastAck
		return segment{reply: true, flags: fin | ack}, g.roundTrip(), false
	case lastAck:
		return segment{flags: ack}, g.think(), true
	}
	panic("BUG: a TCP conversation in no phase")
}

// respond is the next segment of a response; the last one is short.
func (g *Generator) respond(f *flow) segment {
	f.parts--
	size, flags := g.shape.segment, uint8(ack)
	if f.parts == 0 {
		size, flags = g.shape.request, psh|ack
	}
	if f.parts%2 == 0 {
		f.phase = acknowledging
	}
	return segment{reply: true, flags: flags, payload: int(size.pick(g.random.next()))}
}

// exchange is the script of UDP and ICMP: queries and their answers.
func (g *Generator) exchange(f *flow) (s segment, ticks uint64, over bool) {
	if f.phase == exchanging {
		f.phase = answering
		return segment{payload: int(g.shape.query.pick(g.random.next()))}, g.roundTrip(), false
	}
	f.phase, f.round = exchanging, f.round-1
	return segment{reply: true, payload: int(g.shape.answer.pick(g.random.next()))}, g.think(), f.round == 0
}

func (g *Generator) think() uint64     { return g.shape.think.pick(g.random.next()) }
func (g *Generator) roundTrip() uint64 { return span{1, 80}.pick(g.random.next()) }
