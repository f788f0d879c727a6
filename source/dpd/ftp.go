package dpd

import "pcapdir/source/packet"

// ftp is any command to its port: three printable characters at least (RFC 959).
func ftp(b []byte, w where) packet.App {
	line, whole := lineOf(b)
	switch {
	case w == fromServer && whole && len(line) > 0 && (number(line) < 100 || len(line) > 3 && line[3] != ' ' && line[3] != '-'):
		return ftpText
	case w != toServer:
		return packet.AppNone
	}
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

// hearFTP confirms by a command to a server that did not say something else than
// replies, which it must never do outside of them.
func hearFTP(s *Speech, v *voice) {
	switch {
	case v.app == ftpText && s.looks[v.role] == replyOpen:
		v.app = replyOpen
	case v.app == ftpText:
		v.broken = v.role == resp
	case v.role == orig && !is(s.looks[resp], other, ftpText):
		v.confirm(v.app)
	}
}
