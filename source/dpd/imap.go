package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// imap is the greeting of a server (RFC 9051 section 7.1).
func imap(b []byte, w where) packet.App {
	if w == fromServer && (bytes.HasPrefix(b, []byte("* OK")) || bytes.HasPrefix(b, []byte("* PREAUTH"))) {
		return imapGreeting
	}
	return packet.AppNone
}
