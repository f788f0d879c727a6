package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// postgres is the start of a session (PostgreSQL's manual, section 55.2): a startup
// message of version 3, or the wish for TLS, and the server's first answer, which
// of the wish is a single letter.
func postgres(b []byte, w where) packet.App {
	switch {
	case w == toServer && len(b) >= 8 && be32(b, 4) == 80877103:
		return postgresSecure
	case w == toServer && len(b) >= 9 && b[4] == 0 && b[5] == 3 && b[6] == 0 && bytes.Contains(b, []byte("user\x00")):
		return postgresStart
	case w == fromServer && len(b) == 1 && (b[0] == 'S' || b[0] == 'N'), w == fromServer && len(b) >= 5 && b[0] >= 'A' && b[0] <= 'z' && b[1] == 0:
		return postgresMessage
	}
	return packet.AppNone
}

// hearPostgres confirms by the answer. A wish that is granted begins TLS; one that
// is not begins anew.
func hearPostgres(s *Speech, v *voice) {
	if v.app == postgresMessage && is(s.looks[orig], postgresStart, postgresSecure) {
		v.confirm(v.app)
		v.inside = s.looks[orig] == postgresSecure
	}
}
