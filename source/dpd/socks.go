package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// socks is a request or a reply of version 4 or 5 (RFC 1928). Zeek takes the zero in
// front of a version 4 reply for a version, and so never has one.
func socks(b []byte, _ where) packet.App {
	switch {
	case len(b) < 2:
	case b[0] == 0 && b[1] >= 0x5a && b[1] <= 0x5d:
		return socks4Reply
	case b[0] == 4 && (b[1] == 1 || b[1] == 2) && len(b) >= 9 && bytes.IndexByte(b[8:min(len(b), 41)], 0) >= 0:
		return socks4Request
	case b[0] != 5:
	case len(b) == 2:
		return socks5Method
	case len(b) == 2+int(b[1]):
		return socks5Methods
	case len(b) >= 7 && b[2] == 0 && (b[3] == 1 || b[3] == 3 || b[3] == 4):
		return socks5Request // and the reply: both are alike
	}
	return packet.AppNone
}

// hearSOCKS confirms by the server's reply, behind which another protocol begins.
func hearSOCKS(s *Speech, v *voice) {
	if v.role == resp && (v.app == socks4Reply && s.looks[orig] == socks4Request || v.app == socks5Request && s.looks[orig] == socks5Request) {
		v.confirm(v.app)
		v.inside = true
	}
}
