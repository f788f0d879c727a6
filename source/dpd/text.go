package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// lineOf is the first line of b that is not empty, without its end, and whether the
// end is there.
func lineOf(b []byte) (line []byte, whole bool) {
	b = bytes.TrimLeft(b, "\r\n")
	line, _, whole = bytes.Cut(b, []byte("\n"))
	return bytes.TrimRight(line, "\r"), whole
}

// word is the first word of a line, behind spaces, and whether something follows.
func word(line []byte) (w []byte, more bool) {
	line = bytes.TrimLeft(line, " \t")
	for i, c := range line {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return line[:i], true
		}
	}
	return line, false
}

// equalFold is bytes.EqualFold for a constant in capitals, without its tables.
func equalFold(b []byte, capitals string) bool {
	if len(b) != len(capitals) {
		return false
	}
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != capitals[i] {
			return false
		}
	}
	return true
}

// oneOf says whether b is one of some words, in whatever case.
func oneOf(b []byte, capitals ...string) bool {
	for _, w := range capitals {
		if equalFold(b, w) {
			return true
		}
	}
	return false
}

// number is the value of a line's first three bytes, if they are digits, else 0.
func number(line []byte) int {
	if len(line) < 3 {
		return 0
	}
	n := 0
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// leadingNumber is the value of the digits that b begins with, or a billion where it
// is more; -1 if there are none.
func leadingNumber(b []byte) int {
	const most = 1_000_000_000
	n := -1
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		n = min(10*max(n, 0)+int(c-'0'), most)
	}
	return n
}

// reply is what the servers of SMTP and FTP have in common: lines with a number of
// three digits. Which of the two it is, the client says.
func reply(b []byte, _ where) packet.App {
	line, _ := lineOf(b)
	if len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return packet.AppNone
	}
	switch n := number(line); {
	case n >= 100 && n < 600 && open(b, line):
		return replyOpen
	case n == 220:
		return replyReady
	case n == 230 || n == 331:
		return replyLogin
	case n == 234:
		return replySecure
	case n >= 100 && n < 600:
		return replyOther
	}
	return packet.AppNone
}

// open says whether more of a reply is to come: the line itself, or after "123-" one
// with "123 ".
func open(b, line []byte) bool {
	if b[len(b)-1] != '\n' {
		return true
	}
	if len(line) < 4 || line[3] != '-' {
		return false
	}
	for rest := b; len(rest) > 0; {
		var l []byte
		if l, rest, _ = bytes.Cut(rest, []byte("\n")); len(l) > 3 && l[3] == ' ' && string(l[:3]) == string(line[:3]) {
			return false
		}
	}
	return true
}

// hearReply begins what a reply agrees to, and knows an FTP server on any port.
func hearReply(s *Speech, v *voice) {
	switch {
	case v.role != resp:
	case v.app == replyReady && s.looks[orig] == smtpStartTLS, v.app == replySecure && s.looks[orig] == ftpSecure:
		v.inside = true
	case v.app == replyLogin && s.looks[orig] == user && is(s.looks[resp], replyReady, replyOther, replyOpen):
		v.confirm(ftpCommand)
	}
}

// userCommand is what FTP, POP3 and IRC have in common.
func userCommand(b []byte, _ where) packet.App {
	line, _ := lineOf(b)
	if w, more := word(line); more && equalFold(w, "USER") {
		return user
	}
	return packet.AppNone
}

// hearUser remembers: the server's answer says of whom the user is one.
func hearUser(*Speech, *voice) {}

// breaksText says that a server of lines with numbers has none.
func breaksText(_ *Speech, v *voice) bool { return v.row == 0 }
