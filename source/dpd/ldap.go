package dpd

import "pcapdir/source/packet"

// sequence is where the content of a sequence begins (X.690), or 0.
func sequence(b []byte) int {
	if len(b) < 2 || b[0] != 0x30 {
		return 0
	}
	if b[1] > 0x80 {
		return 2 + int(b[1]&0x7f)
	}
	return 2
}

// operation is the tag of an LDAP message (RFC 4511): a sequence, an integer that
// numbers it, the operation. It is 0 if there is none.
func operation(b []byte) byte {
	at := sequence(b)
	if at == 0 || len(b) < at+2 || b[at] != 2 || b[at+1] < 1 || b[at+1] > 4 || len(b) <= at+2+int(b[at+1]) {
		return 0
	}
	return b[at+2+int(b[at+1])]
}

// ldapKind tells requests from replies.
func ldapKind(b []byte, request, reply packet.App) packet.App {
	switch operation(b) {
	case 0x60, 0x42, 0x63, 0x66, 0x68, 0x4a, 0x6c, 0x6e, 0x50, 0x77:
		return request
	case 0x61, 0x64, 0x65, 0x67, 0x69, 0x6b, 0x6d, 0x6f, 0x73, 0x78, 0x79:
		return reply
	}
	return packet.AppNone
}

func ldap(b []byte, _ where) packet.App { return ldapKind(b, ldapRequest, ldapReply) }
func cldap(b []byte) packet.App         { return ldapKind(b, cldapRequest, cldapReply) }

// hearLDAP confirms by a request of the client's and a reply of the server's.
func hearLDAP(s *Speech, v *voice) {
	if v.role == resp && is(v.app, ldapReply, cldapReply) && is(s.looks[orig], ldapRequest, cldapRequest) {
		v.confirm(v.app)
	}
}
