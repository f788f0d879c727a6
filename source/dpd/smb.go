package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// smbOf is the byte of a message with a token.
var smbOf = [...]packet.App{
	noToken: smbMessage, ntlmToken: smbNTLM, spnegoToken: smbSPNEGO, spnegoNTLM: smbSPNEGONTLM, spnegoKerberos: smbSPNEGOKerberos,
}

// smb reads the session header of NetBIOS (RFC 1002, [MS-SMB2] 2.1) and what is
// behind it.
func smb(b []byte, w where) packet.App {
	if w != anywhere && len(b) >= 4 && (b[0] == 0x81 || b[0] == 0x82) {
		return smbSession
	}
	const least = 32 // the header of either version has more
	if len(b) < 4+least || b[0] != 0 || string(b[5:8]) != "SMB" {
		return packet.AppNone
	}
	m := b[4:min(len(b), 4+max(least, int(b[1])<<16+be16(b, 2)))]
	var blob []byte
	switch b[4] {
	case 0xff:
		blob = smb1Token(m)
	case 0xfe:
		blob = smb2Token(m)
	default:
		return packet.AppNone
	}
	if t := securityToken(blob); t != noToken {
		return smbOf[t]
	}
	if pipe(m) {
		return smbPipe
	}
	return smbMessage
}

// smb1Token is the security blob of a negotiation or a session setup, by the words
// that its form has ([MS-SMB] 2.2.4).
func smb1Token(m []byte) []byte {
	const command, words, reply = 4, 32, 9
	if len(m) <= words {
		return nil
	}
	at := 0
	switch answer := m[reply]&0x80 != 0; {
	case m[command] == 0x72 && answer && m[words] == 17:
		at = 85 // behind the server's GUID
	case m[command] == 0x73 && !answer && m[words] == 12:
		at = 59
	case m[command] == 0x73 && answer && m[words] == 4:
		at = 43
	default:
		return nil
	}
	return m[min(at, len(m)):]
}

// smb2Token is the same for [MS-SMB2] 2.2: an offset and a length say where.
func smb2Token(m []byte) []byte {
	const header = 64
	if len(m) < header+16 {
		return nil
	}
	at := 0
	switch command, answer := le16(m, 12), m[16]&1 != 0; {
	case command == 0 && answer && len(m) >= header+60:
		at = le16(m, header+56)
	case command == 1 && answer:
		at = le16(m, header+4)
	case command == 1:
		at = le16(m, header+12)
	}
	if at < header {
		return nil
	}
	return m[min(at, len(m)):]
}

// pipeReach is how far from the start of a message the data of a pipe may begin.
const pipeReach = 160

// pipe says whether a message that may write to a pipe, or read from it, carries a
// whole DCE/RPC fragment in little endian.
func pipe(m []byte) bool {
	switch {
	case m[0] == 0xff && !bytes.Contains([]byte{0x25, 0x2e, 0x2f}, m[4:5]): // transaction, read, write
		return false
	case m[0] == 0xfe && (len(m) < 64 || !bytes.Contains([]byte{8, 9, 11}, m[12:13])): // read, write, control
		return false
	}
	for rest := m[:min(len(m), pipeReach)]; ; {
		i := bytes.Index(rest, []byte{3, 0x10, 0, 0, 0})
		if i < 0 {
			return false
		}
		if i >= 3 && rest[i-3] == 5 && rest[i-2] == 0 && rest[i-1] <= 19 {
			return true
		}
		rest = rest[i+1:]
	}
}

// hearSMB confirms by the second message of a side; what tokens and pipes show
// counts at once. So the reference does.
func hearSMB(s *Speech, v *voice) {
	if v.app == smbSession {
		return
	}
	known := s.looks[v.role] >= smbMessage && s.looks[v.role] <= smbPipe
	if !v.first && !known && s.looks[v.role] != smbSession && !s.speaks(v) {
		return
	}
	for t, app := range smbOf {
		if app == v.app {
			v.confirmToken(token(t))
		}
	}
	if known {
		v.confirm(v.app)
	}
	if v.app == smbPipe {
		v.confirm(dceRPC)
	}
}
