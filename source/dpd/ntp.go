package dpd

import "pcapdir/source/packet"

// ntp is a message of RFC 5905, or a short one of modes 6 and 7.
func ntp(b []byte) packet.App {
	const server = 4
	switch mode := b[0] & 7; {
	case mode == server && len(b) >= 48:
		return ntpReply
	case mode >= 6 && len(b) >= 4, mode > 0 && len(b) >= 48:
		return ntpMessage
	}
	return packet.AppNone
}

// hearNTP confirms by any message. A flow whose first one is a server's has its
// sender as responder.
func hearNTP(s *Speech, v *voice) {
	if s.silent() && v.app == ntpReply && v.role == orig {
		v.effect |= Flip
	}
	v.confirm(v.app)
}
