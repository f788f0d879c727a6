package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// rfb is the version (RFC 6143 section 7.1.1).
func rfb(b []byte, _ where) packet.App {
	if bytes.HasPrefix(b, []byte("RFB")) {
		return rfbVersion
	}
	return packet.AppNone
}

// hearRFB confirms when both sides have said it.
func hearRFB(s *Speech, v *voice) {
	if v.first && s.looks[1-v.role] == rfbVersion {
		v.confirm(v.app)
	}
}
