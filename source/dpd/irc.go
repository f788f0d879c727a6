package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// irc is any line to its ports (RFC 2812). On any port a client is told by its
// nickname, and a server by the number of its reply.
func irc(b []byte, w where) packet.App {
	line, whole := lineOf(b)
	line = bytes.TrimLeft(line, " ")
	switch w {
	case toServer:
		if whole && len(line) >= 3 {
			return ircLine
		}
		return packet.AppNone
	case fromServer:
		return packet.AppNone
	}
	if len(line) > 0 && line[0] == ':' {
		_, line, _ = bytes.Cut(line, []byte(" "))
		if n := number(line); n > 0 && len(line) > 3 && line[3] == ' ' {
			return ircNumeric
		}
		return packet.AppNone
	}
	if w, more := word(line); more && equalFold(w, "NICK") {
		return ircNick
	}
	return packet.AppNone
}

// hearIRC confirms by a line to its ports, elsewhere by both sides.
func hearIRC(s *Speech, v *voice) {
	switch {
	case v.role == orig && v.app == ircLine,
		v.role == orig && v.app == ircNick && s.looks[resp] == ircNumeric,
		v.role == resp && v.app == ircNumeric && is(s.looks[orig], ircNick, user):
		v.confirm(v.app)
	}
}
