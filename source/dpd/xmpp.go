package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// xmpp is the opening of a stream (RFC 6120 section 4.7), or the consent to TLS.
func xmpp(b []byte, _ where) packet.App {
	const reach = 512
	head := b[:min(len(b), reach)]
	switch {
	case bytes.HasPrefix(head, []byte("<proceed")):
		return xmppProceed
	case !bytes.HasPrefix(head, []byte("<?xml")) && !bytes.HasPrefix(head, []byte("<stream:stream")):
	case bytes.Contains(head, []byte("<stream:stream")) && bytes.Contains(head, []byte("jabber:")):
		return xmppStream
	}
	return packet.AppNone
}

// hearXMPP confirms by an opening.
func hearXMPP(s *Speech, v *voice) {
	switch {
	case v.app == xmppStream && v.first:
		v.confirm(v.app)
	case v.app == xmppProceed && v.role == resp:
		v.inside = s.speaks(v)
	}
}
