package dpd

import "pcapdir/source/packet"

// smtp is a command (RFC 5321 and its extensions). On any port only the greeting is
// told.
func smtp(b []byte, w where) packet.App {
	if w == fromServer {
		return packet.AppNone
	}
	line, _ := lineOf(b)
	switch command, _ := word(line); {
	case w == anywhere && oneOf(command, "EHLO", "HELO"):
		return smtpHello
	case w == anywhere:
		return packet.AppNone
	case equalFold(command, "STARTTLS"):
		return smtpStartTLS
	case oneOf(command, "EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "BDAT", "AUTH", "ETRN", "TURN", "SEND", "SOML", "SAML",
		"X-ANONYMOUSTLS", "ERROR"):
		return smtpCommand
	}
	return packet.AppNone
}

// hearSMTP confirms by a command to a server that did not say something else,
// elsewhere than at its ports to one that greeted.
func hearSMTP(s *Speech, v *voice) {
	if v.role == orig && !is(s.looks[resp], other, ftpText) && (v.app != smtpHello || is(s.looks[resp], replyReady, replyOpen)) {
		v.confirm(v.app)
	}
}
