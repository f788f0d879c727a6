package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// sip is a first line of RFC 3261.
func sip(b []byte) packet.App {
	if b[0] < 'A' || b[0] > 'Z' { // it is looked for in every datagram
		return packet.AppNone
	}
	line, _ := lineOf(b)
	switch {
	case bytes.HasPrefix(line, []byte("SIP/2.0 ")):
		return sipReply
	case bytes.HasSuffix(line, []byte(" SIP/2.0")):
		return sipRequest
	}
	return packet.AppNone
}

// hearSIP confirms by a reply, from whichever side.
func hearSIP(_ *Speech, v *voice) {
	if v.app == sipReply {
		v.confirm(v.app)
	}
}
