package dpd

import "pcapdir/source/packet"

// mysql is the handshake: length 3 in little endian, number, and of a server the
// version of the protocol, of a client what it can.
func mysql(b []byte, w where) packet.App {
	const secure = 0x0800
	if len(b) < 6 {
		return packet.AppNone
	}
	switch {
	case w == fromServer && b[3] == 0 && (b[4] == 9 || b[4] == 10):
		return mysqlGreeting
	case w == toServer && b[3] == 1 && le16(b, 4)&secure != 0:
		return mysqlSecure
	case w == toServer && b[3] == 1:
		return mysqlLogin
	}
	return packet.AppNone
}

// hearMySQL confirms by the client's answer to the greeting, with which TLS may begin.
func hearMySQL(s *Speech, v *voice) {
	if v.app != mysqlGreeting && s.looks[resp] == mysqlGreeting {
		v.confirm(v.app)
		v.inside = v.app == mysqlSecure
	}
}
