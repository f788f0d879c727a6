package dpd

import "pcapdir/source/packet"

// syslog begins with its priority, from <0> to <191> (RFC 5424, RFC 3164).
func syslog(b []byte) packet.App {
	if b[0] != '<' {
		return packet.AppNone
	}
	n := 0
	for i, c := range b[1:min(len(b), 5)] {
		switch {
		case c == '>' && i > 0 && n <= 191:
			return syslogMessage
		case c < '0' || c > '9':
			return packet.AppNone
		}
		n = 10*n + int(c-'0')
	}
	return packet.AppNone
}
