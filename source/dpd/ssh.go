package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// ssh is the version (RFC 4253 section 4.2), or what ends the key exchange.
func ssh(b []byte, _ where) packet.App {
	switch {
	case len(b) >= 6 && bytes.EqualFold(b[:4], []byte("SSH-")) && (b[4] == '1' || b[4] == '2') && b[5] == '.':
		return sshVersion
	case b[0] == 0 && (newKeys(b) || sessionKey(b)):
		return sshKeys
	}
	return packet.AppNone
}

// Messages of the key exchange (RFC 4250 section 4.1.2).
const (
	sshKexInit = 20
	sshNewKeys = 21
	sshKexLast = 49
)

// newKeys walks the packets of a key exchange for its end: length 4, padding,
// message.
func newKeys(b []byte) bool {
	for len(b) >= 6 {
		n, message := be32(b, 0), int(b[5])
		if n < 8 || n > 35000 || message < sshKexInit || message > sshKexLast {
			return false
		}
		if message == sshNewKeys {
			return true
		}
		b = b[min(4+n, len(b)):]
	}
	return false
}

// sessionKey is the client's last word of SSH 1 in the clear: message 3, behind the
// length and its padding.
func sessionKey(b []byte) bool {
	if len(b) < 13 {
		return false
	}
	n := be32(b, 0)
	pad := 8 - n%8
	return n > 100 && n < 1024 && b[4+pad] == 3 && 4+pad+n == len(b)
}

// hearSSH confirms when keys are in use.
func hearSSH(s *Speech, v *voice) {
	if v.app == sshKeys && is(s.looks[orig], sshVersion, sshKeys) && is(s.looks[resp], sshVersion, sshKeys) {
		v.confirm(v.app)
	}
}
