package dpd

// hearTeredo confirms when both sides sent a packet in a tunnel (RFC 4380), as
// Zeek does: one alone may be anything.
func hearTeredo(s *Speech, v *voice) {
	if s.looks[1-v.role] == Teredo {
		v.confirm(v.app)
	}
}
