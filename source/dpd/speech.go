package dpd

import (
	"slices"

	"pcapdir/source/packet"
)

// Roles, as the connection's owner numbers them.
const (
	orig = 0
	resp = 1
)

// Speech is what is known of a connection's applications.
type Speech struct {
	services [4]service    // confirmed and broken ones, in that order; there is no room for a fifth
	looks    [2]packet.App // what each side sent last that was recognised; what it sent first, if that was not
}

// service is the index of a row, from 1, and whether the protocol was broken.
type service uint8

// What is noted with a service.
const (
	broken  service = 0x80
	settled service = 0x40 // another one began within it: nothing breaks it any more
	marks           = broken | settled
)

// Effect is what the connection's owner has to do.
type Effect uint8

const (
	// Flip says that the sender is the responder.
	Flip Effect = 1 << iota
	// Unknown says that a message was understood as one that Zeek does not know: X
	// in the history.
	Unknown
	// Login says that a protocol was confirmed whose sessions may be silent for long.
	Login
)

// Place is where a payload stands in its connection.
type Place uint8

const (
	// Middle says that the connection was joined in the middle.
	Middle Place = 1 << iota
	// Later says that something of the same side came before the payload, seen or not.
	Later
	// Long says that with the payload more than 10 KiB came from both sides together:
	// nothing breaks a protocol any more (DPD::ignore_violations_after of Zeek).
	Long
)

// LongAfter is how many bytes may have come before a place is Long.
const LongAfter = 10240

// voice is one payload, as a row hears it, and what the row makes of it.
type voice struct {
	role  int
	app   packet.App
	row   service
	first bool // nothing came from this side before

	confirms []packet.App // of which protocols it is the confirmation
	inside   bool         // another protocol begins within this one
	broken   bool         // the protocol is
	effect   Effect
	room     [4]packet.App // of confirms
}

// confirm says that the connection speaks the protocol that app is of.
func (v *voice) confirm(app packet.App) { v.confirms = append(v.confirms, app) }

// Ear hears for all connections of one goroutine: what it needs for a payload is
// allocated once.
type Ear struct{ v voice }

// Hear takes what the payload of a packet of s looks like: of TCP, of segments that
// extend the stream only.
func (e *Ear) Hear(s *Speech, role int, app packet.App, at Place) Effect {
	first := s.looks[role] == packet.AppNone
	if app == packet.AppNone || app == other && (!first || at&^Long == Later && s.beginning()) {
		return 0
	}
	if app == unfit {
		if at&Long == 0 {
			s.breakFirm()
			s.looks[role] = unfit
		}
		return 0
	}
	v := &e.v
	*v = voice{role: role, app: app, row: service(owners[app]), first: first}
	v.confirms = v.room[:0]
	if v.row != 0 {
		p := &protocols[v.row-1]
		if at&Middle != 0 && !p.midstream {
			return 0
		}
		if p.hear == nil {
			v.confirm(app)
		} else {
			p.hear(s, v)
		}
	}
	if s.looks[role] != unfit || v.row == 0 || !protocols[v.row-1].firm {
		s.looks[role] = v.app
	}
	if at&Long == 0 {
		if first && role == resp {
			s.answered(v)
		}
		if v.broken {
			s.withdraw(v.row)
		}
	}
	for _, app := range v.confirms {
		s.add(v, service(owners[app]))
	}
	if v.inside { // what comes next from each side is its first
		s.looks = [2]packet.App{}
		for i, have := range s.services {
			if have != 0 {
				s.services[i] |= settled
			}
		}
	}
	return v.effect
}

// beginning says that no protocol has begun within another.
func (s *Speech) beginning() bool { return s.services[0]&settled == 0 }

// answered withdraws what the responder's first words break.
func (s *Speech) answered(v *voice) {
	for i, have := range s.services {
		if have == 0 || have == v.row || have&marks != 0 {
			continue
		}
		if breaks := protocols[have-1].breaks; breaks != nil && breaks(s, v) {
			s.services[i] |= broken
		}
	}
}

// withdraw takes a protocol back, or rules it out where it was not confirmed.
func (s *Speech) withdraw(row service) {
	for i, have := range s.services {
		switch {
		case have == row, have == 0:
			s.services[i] = row | broken
			return
		case have&^marks == row:
			return
		}
	}
}

// breakFirm withdraws what a datagram breaks that is not of the protocol.
func (s *Speech) breakFirm() {
	for i, have := range s.services {
		if have != 0 && have&marks == 0 && protocols[have-1].firm {
			s.services[i] |= broken
		}
	}
}

// add confirms a protocol, unless it was broken.
func (s *Speech) add(v *voice, row service) {
	if protocols[row-1].firm && is(unfit, s.looks[0], s.looks[1]) {
		return
	}
	for i, have := range s.services {
		if have&^marks == row {
			return
		}
		if have == 0 {
			s.services[i] = row
			if protocols[row-1].login {
				v.effect |= Login
			}
			return
		}
	}
}

// silent says that nothing was said yet, right or wrong: what a first message says
// of the roles counts only then.
func (s *Speech) silent() bool { return s.services[0] == 0 && !is(unfit, s.looks[0], s.looks[1]) }

// speaks says whether the voice's protocol is confirmed.
func (s *Speech) speaks(v *voice) bool {
	return slices.Contains(s.services[:], v.row) || slices.Contains(s.services[:], v.row|settled)
}

// Begin confirms the protocol of app before anything is heard.
func (s *Speech) Begin(app packet.App) { s.services[0] = service(owners[app]) }

// Swap exchanges the sides.
func (s *Speech) Swap() { s.looks[0], s.looks[1] = s.looks[1], s.looks[0] }

// Names is the service field: the names, separated by commas.
func (s *Speech) Names() (names string) {
	last := ""
	for _, have := range s.services {
		if have == 0 || have&broken != 0 {
			continue
		}
		name := protocols[have&^settled-1].name
		switch {
		case name == last: // DNS has two rows
		case names == "":
			names = name
		default:
			names += "," + name
		}
		last = name
	}
	return names
}
