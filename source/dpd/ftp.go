package dpd

import "pcapdir/source/packet"

// ftp is any command to its port: three printable characters at least (RFC 959).
func ftp(b []byte, w where) packet.App {
	if w != toServer {
		return packet.AppNone
	}
	line, _ := lineOf(b)
	command, _ := word(line)
	if len(command) < 3 {
		return packet.AppNone
	}
	for _, c := range command {
		if c <= ' ' || c > '~' {
			return packet.AppNone
		}
	}
	if equalFold(command, "AUTH") && len(line) > 5 && equalFold(line[5:], "TLS") {
		return ftpSecure
	}
	return ftpCommand
}

// hearFTP confirms by a command to a server that did not say something else.
func hearFTP(s *Speech, v *voice) {
	if v.role == orig && s.looks[resp] != other {
		v.confirm(v.app)
	}
}
