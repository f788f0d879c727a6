package decode

import (
	"bytes"
	"cmp"

	"pcapdir/source/packet"
)

// udpApplication says what a datagram looks like. Nothing is tried where neither
// port is one at which Zeek looks for it.
func udpApplication(b []byte, p *packet.Packet) packet.App {
	if app := udpAt(p.DstPort, b); app != packet.AppNone {
		return app
	}
	if app := udpAt(p.SrcPort, b); app != packet.AppNone {
		return app
	}
	if dtls(b) {
		return packet.AppDTLS
	}
	return packet.AppNone
}

func udpAt(port uint16, b []byte) packet.App {
	switch port {
	case 53, 137, 5353, 5355:
		return dns(b)
	case 67, 68, 4011:
		return dhcp(b)
	case 88:
		return kerberos(b)
	case 123:
		return ntp(b)
	case 161, 162:
		return snmp(b)
	case 1812, 1813:
		return radius(b)
	case 5060, 5061:
		return sip(b)
	}
	return packet.AppNone
}

// radius has its own length in its header (RFC 2865).
func radius(b []byte) packet.App {
	if len(b) < 20 || int(b[2])<<8|int(b[3]) > len(b) {
		return packet.AppNone
	}
	return packet.AppRADIUS
}

// sip is a first line of RFC 3261.
func sip(b []byte) packet.App {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	if bytes.HasPrefix(line, []byte("SIP/2.0 ")) || bytes.HasSuffix(line, []byte(" SIP/2.0")) {
		return packet.AppSIP
	}
	return packet.AppNone
}

// dtls is a handshake record of RFC 6347, on any port.
func dtls(b []byte) bool {
	return len(b) > 13 && b[0] == 0x16 && b[1] == 0xfe && (b[2] == 0xff || b[2] == 0xfd)
}

// dhcp is BOOTP (RFC 951) with the magic cookie of RFC 2131.
func dhcp(b []byte) packet.App {
	const cookie = 236
	if len(b) < cookie+4 || b[0] != 1 && b[0] != 2 || !bytes.HasPrefix(b[cookie:], []byte{0x63, 0x82, 0x53, 0x63}) {
		return packet.AppNone
	}
	return packet.AppDHCP
}

// ntp is a message of RFC 5905, or a short one of modes 6 and 7.
func ntp(b []byte) packet.App {
	if len(b) < 1 {
		return packet.AppNone
	}
	switch mode := b[0] & 7; {
	case mode >= 6 && len(b) >= 4, mode > 0 && len(b) >= 48:
		return packet.AppNTP
	}
	return packet.AppNone
}

// snmp is a sequence that begins with the version (RFC 1157, 3411).
func snmp(b []byte) packet.App {
	if len(b) < 2 || b[0] != 0x30 {
		return packet.AppNone
	}
	at := 2
	if b[1] > 0x80 {
		at += int(b[1] & 0x7f)
	}
	if len(b) < at+3 || b[at] != 2 || b[at+1] != 1 || b[at+2] > 3 {
		return packet.AppNone
	}
	return packet.AppSNMP
}

// kerberos is an application tag of RFC 4120.
func kerberos(b []byte) packet.App {
	if len(b) < 4 {
		return packet.AppNone
	}
	switch b[0] {
	case 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x74, 0x75, 0x76, 0x7e:
		return packet.AppKerberos
	}
	return packet.AppNone
}

// methods begin HTTP requests (RFC 9110, WebDAV), each with its space.
var methods = [][]byte{
	[]byte("GET "), []byte("POST "), []byte("HEAD "), []byte("PUT "), []byte("DELETE "), []byte("OPTIONS "), []byte("CONNECT "), []byte("TRACE "),
	[]byte("PATCH "), []byte("PROPFIND "), []byte("PROPPATCH "), []byte("MKCOL "), []byte("COPY "), []byte("MOVE "), []byte("LOCK "), []byte("UNLOCK "),
	[]byte("SEARCH "), []byte("REPORT "), []byte("SUBSCRIBE "), []byte("NOTIFY "),
}

// tcpAt looks for what has no signature, at its port.
func tcpAt(port uint16, b []byte) packet.App {
	switch {
	case port == 53 && len(b) > 2:
		return dns(b[2:])
	case port == 88 && len(b) > 4 && b[0] == 0:
		if kerberos(b[4:]) != packet.AppNone {
			return packet.AppKerberosTCP
		}
	case port == 502 && len(b) >= 8 && b[2] == 0 && b[3] == 0:
		return packet.AppModbus
	case port == 20000 && b[0] == 5 && b[1] == 0x64:
		return packet.AppDNP3
	}
	return packet.AppNone
}

// tcpApplication says what the bytes of a segment look like, should they begin a
// stream. It is never AppNone.
func tcpApplication(b []byte, p *packet.Packet) packet.App {
	if len(b) < 4 {
		return packet.AppOther
	}
	if app := cmp.Or(tcpAt(p.DstPort, b), tcpAt(p.SrcPort, b)); app != packet.AppNone {
		return app
	}
	switch c := b[0]; {
	case c == 0x16 && b[1] == 3 && len(b) > 5:
		switch b[5] {
		case 1:
			return packet.AppTLSClient
		case 2:
			return packet.AppTLSServer
		}
	case c&0x80 != 0 && b[2] == 1 && b[3] <= 3: // a hello of SSL 2
		return packet.AppTLSClient
	case c == '2' && b[1] == '2' && b[2] == '0':
		return packet.AppBanner220
	case c == 5 && b[1] == 0 && b[2] <= 19 && len(b) >= 16: // connection-oriented, version 5.0
		return packet.AppDCERPC
	case c == '+' && b[1] == 'O' && b[2] == 'K':
		return packet.AppPOP3Server
	case 'A' <= c && c <= 'Z':
		return capitals(b)
	}
	return packet.AppOther
}

// capitals is tcpApplication for what begins with a capital letter.
func capitals(b []byte) packet.App {
	switch {
	case bytes.HasPrefix(b, []byte("HTTP/")):
		return packet.AppHTTPReply
	case bytes.HasPrefix(b, []byte("SSH-")):
		return packet.AppSSH
	case bytes.HasPrefix(b, []byte("EHLO")), bytes.HasPrefix(b, []byte("HELO")):
		return packet.AppSMTPClient
	case bytes.HasPrefix(b, []byte("CAPA")), bytes.HasPrefix(b, []byte("APOP")):
		return packet.AppPOP3Client
	case bytes.HasPrefix(b, []byte("USER ")), bytes.HasPrefix(b, []byte("AUTH ")):
		return packet.AppFTPClient
	}
	for _, m := range methods {
		if bytes.HasPrefix(b, m) {
			return packet.AppHTTPRequest
		}
	}
	return packet.AppOther
}
