package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// pop3 is a command or a consent (RFC 1939, 2449, 2595).
func pop3(b []byte, w where) packet.App {
	switch {
	case bytes.HasPrefix(b, []byte("+OK")):
		return pop3OK
	case w == fromServer && bytes.HasPrefix(b, []byte("-ERR")):
		return pop3Err
	case w == fromServer:
		return packet.AppNone
	}
	line, _ := lineOf(b)
	switch command, _ := word(line); {
	case equalFold(command, "STLS"):
		return pop3Secure
	case equalFold(command, "CAPA"):
		return pop3Ask
	case w == toServer && equalFold(command, "USER"):
		return pop3Ask
	case w == toServer, oneOf(command, "APOP", "AUTH"):
		return pop3Command
	}
	return packet.AppNone
}

// hearPOP3 confirms when a server that greeted consents to a user, to saying what
// it can, or to TLS. What a client says before the answer does not count: it may
// send its commands at once.
func hearPOP3(s *Speech, v *voice) {
	asked := is(s.looks[orig], pop3Ask, pop3Secure, user)
	switch {
	case v.role == orig && asked && v.app == pop3Command:
		v.app = s.looks[orig]
	case v.role == resp && asked:
		if v.app == pop3OK && is(s.looks[resp], pop3OK, pop3Err) {
			v.confirm(v.app)
			v.inside = s.looks[orig] == pop3Secure
		}
		s.looks[orig] = pop3Command
	}
}
