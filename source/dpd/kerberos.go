package dpd

import (
	"bytes"

	"pcapdir/source/packet"
)

// kerberos is an application tag of RFC 4120, and a sequence in it.
func kerberos(b []byte) packet.App {
	at := 2
	if len(b) > 1 && b[1] > 0x80 {
		at += int(b[1] & 0x7f)
	}
	if len(b) <= at || b[at] != 0x30 {
		return packet.AppNone
	}
	switch b[0] {
	case 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x74, 0x75, 0x76, 0x7e:
		return kerberosMessage
	}
	return packet.AppNone
}

// kerberosTCP has a length in front.
func kerberosTCP(b []byte, _ where) packet.App {
	if len(b) > 4 && b[0] == 0 && kerberos(b[4:]) != packet.AppNone {
		return kerberosStream
	}
	return packet.AppNone
}

// Security tokens, as SMB and DCE/RPC carry them.
type token uint8

const (
	noToken        token = iota
	ntlmToken            // [MS-NLMP] alone, or in the answer of SPNEGO
	spnegoToken          // RFC 4178
	spnegoNTLM           // that, and in it NTLM
	spnegoKerberos       // or a ticket of Kerberos (RFC 4121)
)

var (
	ntlmSignature = []byte("NTLMSSP\x00")
	kerberosMech  = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}
)

// securityToken says what a blob of GSSAPI is.
func securityToken(b []byte) token {
	switch {
	case bytes.HasPrefix(b, ntlmSignature), len(b) > 1 && b[0] == 0xa1 && bytes.Contains(b, ntlmSignature):
		return ntlmToken
	case len(b) < 2 || b[0] != 0x60 && b[0] != 0xa1:
		return noToken
	case bytes.Contains(b, ntlmSignature):
		return spnegoNTLM
	}
	// A token of the mechanism has its name and then 1, 2 or 3 in two bytes; the
	// list of mechanisms has other names behind it.
	for rest := b; ; {
		i := bytes.Index(rest, kerberosMech)
		if i < 0 {
			return spnegoToken
		}
		rest = rest[i+len(kerberosMech):]
		if len(rest) >= 2 && 1 <= rest[0] && rest[0] <= 3 && rest[1] == 0 {
			return spnegoKerberos
		}
	}
}

// confirmToken confirms what a token shows, the inner protocol first, as Zeek does.
// A client that only lists what it knows shows nothing yet.
func (v *voice) confirmToken(t token) {
	switch t {
	case ntlmToken, spnegoNTLM:
		v.confirm(ntlm)
	case spnegoKerberos:
		v.confirm(kerberosMessage)
	}
	if t > spnegoToken || t == spnegoToken && v.role == resp {
		v.confirm(gssapi)
	}
}
