package dpd

import "pcapdir/source/packet"

const dceHeader = 16

// dceRPCOf is the byte of a PDU with a token.
var dceRPCOf = [...]packet.App{
	noToken: dceRPC, ntlmToken: dceRPCNTLM, spnegoToken: dceRPCSPNEGO, spnegoNTLM: dceRPCSPNEGONTLM, spnegoKerberos: dceRPCSPNEGOKerberos,
}

// dceRPCStream walks the PDUs of connection-oriented DCE/RPC (C706 chapter 12) in
// a segment, for their security tokens. Elsewhere than at its port the first must
// be a whole fragment, as in Zeek's signature.
//
//	version 5, minor · type · flags · drep 4 · fragment length 2 · authentication length 2 · call 4
func dceRPCStream(b []byte, w where) packet.App {
	best, app := noToken, packet.AppNone
	for len(b) >= dceHeader && b[0] == 5 && b[1] <= 1 && b[2] <= 19 {
		if app == packet.AppNone && w == anywhere && (b[3]&3 != 3 || b[5]|b[6]|b[7] != 0) {
			break
		}
		number := be16
		if b[4]>>4 != 0 {
			number = le16
		}
		n, auth := number(b, 8), number(b, 10)
		if n < dceHeader {
			break
		}
		if n <= len(b) && auth > 0 {
			best = max(best, dceToken(b[:n], auth))
		}
		app = dceRPCOf[best]
		b = b[min(n, len(b)):]
	}
	return app
}

// dceToken is the token at the end of a PDU: its type, eight bytes before it, is
// SPNEGO's or NTLM's.
func dceToken(pdu []byte, size int) token {
	at := len(pdu) - size
	if at < dceHeader+8 || pdu[at-8] != 0x09 && pdu[at-8] != 0x0a {
		return noToken
	}
	if pdu[at-8] == 0x0a {
		return ntlmToken
	}
	return securityToken(pdu[at:])
}

// hearDCERPC confirms by a whole PDU of either side, and what its token shows.
func hearDCERPC(s *Speech, v *voice) {
	if !v.first && !s.speaks(v) {
		return
	}
	for t, app := range dceRPCOf {
		if app == v.app {
			v.confirmToken(token(t))
		}
	}
	v.confirm(v.app)
}
