// Package dpdtest has conversations of every protocol that package dpd knows, made
// by hand from the documents that define them, and what conn.log must say of each.
package dpdtest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Conversation is what a client and a server say in turn.
type Conversation struct {
	Name  string
	UDP   bool
	Port  uint16 // the server's
	Turns []Turn
	Want  string // the service
}

// Turn is one payload.
type Turn struct {
	Server bool // says it
	Bytes  []byte
}

// To is a turn of the client's.
func To[T ~string | ~[]byte](b T) Turn { return Turn{Bytes: []byte(b)} }

// From is a turn of the server's.
func From[T ~string | ~[]byte](b T) Turn { return Turn{Server: true, Bytes: []byte(b)} }

// hexa is bytes in hexadecimal, with spaces where they help.
func hexa(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// zeros is n of them behind b.
func zeros(b []byte, n int) []byte { return append(bytes.Clone(b), make([]byte, n)...) }

// sized puts a length of two bytes in front.
func sized(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

const (
	request = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
	answer  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

var (
	dnsQuery  = hexa("0007 0100 0001 0000 0000 0000 076578616d706c65036f7267 00 0001 0001")
	dnsReply  = hexa("0007 8180 0001 0001 0000 0000 076578616d706c65036f7267 00 0001 0001 c00c 0001 0001 0000003c 0004 c0000201")
	dnsUpdate = hexa("0007 2800 0001 0000 0000 0000 076578616d706c65036f7267 00 0006 0001")

	clientHello = zeros(hexa("16 0301 0050 01 00004c 0303"), 74)
	serverHello = zeros(hexa("16 0303 0040 02 00003c 0303"), 58)

	snmpGet    = hexa("3026 020101 0406 7075626c6963 a019 0204 00000001 0201 00 0201 00 300b 3009 0605 2b06010201 0500")
	snmpAnswer = hexa("3026 020101 0406 7075626c6963 a219 0204 00000001 0201 00 0201 00 300b 3009 0605 2b06010201 0500")
	snmpLong   = zeros(hexa("3082 2ee0 020101 0406 7075626c6963 a282"), 12000-16)

	ntlmNegotiate = zeros([]byte("NTLMSSP\x00\x01\x00\x00\x00"), 28)
	spnegoOffer   = hexa("60 28 06062b0601050502 a01e 301c a01a 3018 060a2b06010401823702020a 060a2b06010401823702021e")
	spnegoNTLM    = append(hexa("60 48 06062b0601050502 a03e 303c a00e 300c 060a2b06010401823702020a a22a 0428"), ntlmNegotiate...)
	spnegoTicket  = zeros(hexa("60 60 06062b0601050502 a056 3054 a00d 300b 06092a864886f712010202 a243 0441 603f 06092a864886f712010202 0100 6e34"), 50)
)

// tcp and udp make a conversation short to write.
func tcp(name string, port uint16, want string, turns ...Turn) Conversation {
	return Conversation{Name: name, Port: port, Want: want, Turns: turns}
}

func udp(name string, port uint16, want string, turns ...Turn) Conversation {
	return Conversation{Name: name, UDP: true, Port: port, Want: want, Turns: turns}
}

// smb2 is a message of SMB 2 with a session header: a command, from the server or
// not, and a body behind the 64 bytes of its own header.
func smb2(command byte, server bool, body []byte) []byte {
	m := zeros(hexa("fe534d42 4000 0000 00000000"), 52)
	m[12] = command
	if server {
		m[16] = 1
	}
	m = append(m, body...)
	return append([]byte{0, 0, byte(len(m) >> 8), byte(len(m))}, m...)
}

// negotiated is the body of the server's answer to a negotiation, and setup that of
// a client's session setup, each with a token.
func negotiated(token []byte) []byte {
	body := zeros(hexa("4100 0100 1002 0000"), 48)
	body = append(body, 64+64, 0, byte(len(token)), 0, 0, 0, 0, 0)
	return append(body, token...)
}

func setup(token []byte) []byte {
	body := append(hexa("1900 00 01 00000000 00000000"), 64+24, 0, byte(len(token)), 0)
	return append(append(body, make([]byte, 8)...), token...)
}

// pdu is one fragment of DCE/RPC, little endian, with a token of a type behind.
func pdu(kind byte, body []byte, auth byte, token []byte) []byte {
	n, trailer := 16+len(body), []byte(nil)
	if len(token) > 0 {
		trailer = append([]byte{auth, 5, 0, 0, 0, 0, 0, 0}, token...)
		n += len(trailer)
	}
	b := []byte{5, 0, kind, 3, 0x10, 0, 0, 0, byte(n), byte(n >> 8), byte(len(token)), byte(len(token) >> 8), 1, 0, 0, 0}
	return append(append(b, body...), trailer...)
}

// All are the conversations.
func All() []Conversation {
	return append(append(append(append(web(), text()...), windows()...), datagrams()...), binaries()...)
}

func web() []Conversation {
	return []Conversation{
		tcp("HTTP", 80, "http", To(request), From(answer)),
		tcp("HTTP on any port, by its method", 6001, "http", To(request), From(answer)),
		tcp("a method that only ports of HTTP make one", 6001, "", To("FROB / HTTP/1.1\r\n\r\n"), From(answer)),
		tcp("the same at one", 8080, "http", To("FROB / HTTP/1.1\r\n\r\n"), From(answer)),
		tcp("HTTP 0.9, which answers with anything", 80, "http", To("GET /\r\n"), From("hello\n")),
		tcp("HTTP, and a server that speaks something else", 80, "", To(request), From("hello\n")),
		tcp("HTTP, and something behind the body", 80, "", To(request), From(answer+"junk\r\n")),
		tcp("HTTP, two replies at once", 80, "http", To(request+request), From(answer+answer)),
		tcp("HEAD, two replies at once", 80, "http", To("HEAD / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\n"),
			From("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")),
		tcp("a length with zeros in front", 80, "http", To(request), From("HTTP/1.1 200 OK\r\nContent-Length: 00000000012\r\n\r\nhello, world")),
		tcp("a body where there is none", 80, "", To(request), From("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok")),
		tcp("a status line without a status", 80, "", To(request), From("HTTP/1.1\r\n\r\n")),
		tcp("the preface of HTTP 2", 80, "", To("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), From("\x00\x00\x12\x04\x00\x00\x00\x00\x00")),
		tcp("WebSocket", 80, "http,websocket", To(request), From("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")),
		tcp("TLS through a proxy", 3128, "http,ssl", To("CONNECT example.org:443 HTTP/1.1\r\n\r\n"), From("HTTP/1.1 200 OK\r\n\r\n"), To(clientHello), From(serverHello)),
		tcp("mail through a proxy", 6001, "http,smtp", To("CONNECT example.org:25 HTTP/1.1\r\n\r\n"), From("HTTP/1.1 200 OK\r\n\r\n"),
			From("220 mail\r\n"), To("EHLO example.org\r\n")),
		tcp("TLS", 443, "ssl", To(clientHello), From(serverHello)),
		tcp("TLS on any port", 6001, "ssl", To(clientHello), From(serverHello)),
		tcp("TLS refused by an alert", 443, "ssl", To(clientHello), From("\x15\x03\x01\x00\x02\x02\x28")),
		tcp("TLS to a server of HTTP", 80, "", To(clientHello), From("HTTP/1.1 400 Bad Request\r\n\r\n")),
		tcp("SSL 2", 443, "ssl", To(zeros(hexa("802e 01 0003 0015 0000 0010"), 38))),
	}
}

func text() []Conversation {
	return []Conversation{
		tcp("SMTP", 25, "smtp", From("220 mail ESMTP\r\n"), To("ehlo example.org\r\n"), From("250 mail\r\n")),
		tcp("SMTP without a greeting of the client's", 25, "smtp", From("220 mail ESMTP\r\n"), To("RSET\r\n"), From("250 ok\r\n")),
		tcp("SMTP on any port", 6001, "smtp", From("220 mail ESMTP\r\n"), To("EHLO example.org\r\n"), From("250 mail\r\n")),
		tcp("SMTP, then TLS", 587, "smtp,ssl", From("220 mail\r\n"), To("EHLO x\r\n"), From("250-mail\r\n250 STARTTLS\r\n"), To("STARTTLS\r\n"), From("220 go\r\n"),
			To(clientHello), From(serverHello)),
		tcp("a server at the port of SMTP that is none", 25, "", From("hello\r\n"), To("EHLO x\r\n")),
		tcp("FTP", 21, "ftp", From("220 files\r\n"), To("USER anonymous\r\n"), From("331 password\r\n")),
		tcp("FTP on any port", 6001, "ftp", From("220 files\r\n"), To("USER anonymous\r\n"), From("331 password\r\n")),
		tcp("FTP, then TLS", 21, "ftp,ssl", From("220 files\r\n"), To("AUTH TLS\r\n"), From("234 go\r\n"), To(clientHello), From(serverHello)),
		tcp("a server at the port of FTP that is none", 21, "", From("hello\r\n"), To("USER x\r\n")),
		tcp("FTP, a reply of many lines", 21, "ftp", From("220-files\r\nof many\r\n"), From("kinds\r\n220 go\r\n"), To("USER x\r\n"), From("331 password\r\n")),
		tcp("FTP, and a server that forgets its numbers", 21, "", From("220 files\r\n"), To("USER x\r\n"), From("331 password\r\n"), To("SYST\r\n"), From("none\r\n")),
		tcp("POP3", 110, "pop3", From("+OK mail\r\n"), To("USER x\r\n"), From("+OK\r\n")),
		tcp("POP3, commands at once", 110, "pop3", From("+OK mail\r\n"), To("CAPA\r\n"), To("QUIT\r\n"), From("+OK\r\nUSER\r\n.\r\n"), From("+OK\r\n")),
		tcp("POP3, refused", 110, "", From("+OK mail\r\n"), To("USER x\r\n"), From("-ERR no\r\n"), To("QUIT\r\n"), From("+OK\r\n")),
		tcp("POP3, then TLS", 6001, "pop3,ssl", From("+OK mail\r\n"), To("STLS\r\n"), From("+OK\r\n"), To(clientHello), From(serverHello)),
		tcp("IMAP", 143, "imap", From("* OK IMAP4rev1\r\n"), To("a LOGIN x y\r\n"), From("a OK\r\n")),
		tcp("IRC", 6667, "irc", To("NICK x\r\nUSER x 0 * :x\r\n"), From(":server 001 x :Welcome\r\n")),
		tcp("IRC on any port", 6001, "irc", To("NICK x\r\nUSER x 0 * :x\r\n"), From(":server 001 x :Welcome\r\n")),
		tcp("SSH", 22, "ssh", From("SSH-2.0-a\r\n"), To("SSH-2.0-b\r\n"), To(zeros(hexa("0000000c 0a 14"), 10)), From(zeros(hexa("0000000c 0a 14"), 10)),
			To(zeros(hexa("0000000c 0a 15"), 10))),
		tcp("SSH that never got to keys", 22, "", From("SSH-2.0-a\r\n"), To("SSH-2.0-b\r\n"), To(zeros(hexa("0000000c 0a 14"), 10))),
		tcp("SSH 1", 22, "ssh", From("SSH-1.5-a\r\n"), To("SSH-1.5-b\r\n"), To(zeros(hexa("00000094 00000000 03"), 147))),
		tcp("RFB", 5900, "rfb", From("RFB 003.008\n"), To("RFB 003.008\n")),
		tcp("XMPP, then TLS", 5222, "xmpp,ssl", To("<?xml version='1.0'?><stream:stream xmlns='jabber:client'>"), From("<stream:stream xmlns='jabber:client'>"),
			To("<starttls/>"), From("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), To(clientHello), From(serverHello)),
		tcp("Redis", 6379, "redis", To("*1\r\n$4\r\nPING\r\n"), From("+PONG\r\n")),
		tcp("Redis, inline", 6379, "redis", To("PING\r\n"), From("-NOAUTH\r\n")),
	}
}

func windows() []Conversation {
	bind := pdu(11, make([]byte, 56), 0, nil)
	return []Conversation{
		tcp("SMB 2 with NTLM", 445, "gssapi,ntlm,smb", To(smb2(0, false, zeros(hexa("2400"), 34))), From(smb2(0, true, negotiated(spnegoOffer))),
			To(smb2(1, false, setup(spnegoNTLM)))),
		tcp("SMB 2 with a ticket, and a pipe", 445, "gssapi,krb,smb,dce_rpc", To(smb2(0, false, zeros(hexa("2400"), 34))),
			From(smb2(0, true, negotiated(spnegoOffer))), To(smb2(1, false, setup(spnegoTicket))), To(smb2(9, false, append(zeros(hexa("3100"), 46), bind...)))),
		tcp("SMB that is only negotiated", 445, "gssapi", To(smb2(0, false, zeros(hexa("2400"), 34))), From(smb2(0, true, negotiated(spnegoOffer)))),
		tcp("SMB on any port", 6001, "smb", To(smb2(5, false, make([]byte, 56))), From(smb2(5, true, make([]byte, 88))), To(smb2(6, false, make([]byte, 24)))),
		tcp("DCE/RPC", 135, "dce_rpc", To(bind), From(pdu(12, make([]byte, 40), 0, nil))),
		tcp("DCE/RPC on any port, with NTLM", 6001, "ntlm,dce_rpc", To(pdu(11, make([]byte, 56), 10, ntlmNegotiate))),
		tcp("DCE/RPC with a ticket", 6001, "krb,gssapi,dce_rpc", To(pdu(11, make([]byte, 56), 9, spnegoTicket))),
		tcp("Kerberos", 88, "krb_tcp", To(hexa("00000064 6a62 3060 a103 020105")), From(hexa("00000064 6b62 3060 a003 020105"))),
		tcp("LDAP", 389, "ldap_tcp", To(hexa("300c 020101 6007 020103 0400 8000")), From(hexa("300c 020101 6107 0a0100 0400 0400"))),
		tcp("RDP", 3389, "rdp", To(hexa("0300000b 06 e0 0000 0000 00")), From(hexa("0300000b 06 d0 0000 1234 00")), To(zeros(hexa("03000040 02 f0 80 7f65"), 55))),
		tcp("RDP, which agreed to TLS", 3389, "ssl", To(hexa("03000013 0e e0 0000 0000 00 01 00 0800 01000000")),
			From(hexa("03000013 0e d0 0000 1234 00 02 00 0800 01000000")), To(clientHello), From(serverHello)),
	}
}

func datagrams() []Conversation {
	return []Conversation{
		udp("DNS", 53, "dns", To(dnsQuery), From(dnsReply)),
		udp("DNS, an operation that is not followed", 53, "", To(dnsUpdate)),
		udp("DNS, cut short", 53, "", To(dnsQuery[:20])),
		udp("LLMNR", 5355, "dns", To(dnsQuery)),
		udp("a registration of NetBIOS", 137, "dns", To(dnsUpdate)),
		tcp("DNS over TCP", 53, "dns", To(sized(dnsQuery)), From(sized(dnsReply))),
		tcp("DNS over TCP, the length by itself", 53, "dns", To(sized(dnsQuery)[:2]), To(dnsQuery)),
		tcp("DNS over TCP, without a length", 53, "", To(dnsQuery)),
		udp("DHCP", 67, "dhcp", To(append(zeros([]byte{1, 1, 6, 0}, 232), 0x63, 0x82, 0x53, 0x63, 53, 1, 1))),
		udp("NTP", 123, "ntp", To(zeros([]byte{0x23}, 47)), From(zeros([]byte{0x24}, 47))),
		udp("SNMP", 161, "snmp", To(snmpGet), From(snmpAnswer)),
		udp("SNMP, and then something else", 161, "", To(snmpGet), From(snmpAnswer), To("no")),
		udp("a trap of SNMP, which nobody answers", 162, "", To(hexa("3026 020101 0406 7075626c6963 a719 0204 00000001 0201 00 0201 00 300b 3009 0605 2b06010201 0500"))),
		udp("SIP", 5060, "sip", To("OPTIONS sip:x SIP/2.0\r\n\r\n"), From("SIP/2.0 200 OK\r\n\r\n")),
		udp("SIP, not answered", 5060, "", To("OPTIONS sip:x SIP/2.0\r\n\r\n")),
		udp("RADIUS", 1812, "radius", To(append(zeros([]byte{1, 7, 0, 23}, 16), 1, 3, 'x')), From(zeros([]byte{2, 7, 0, 20}, 16))),
		udp("RADIUS, and then something else", 1812, "", To(append(zeros([]byte{1, 7, 0, 23}, 16), 1, 3, 'x')), From("no")),
		udp("something else, and then SNMP", 161, "", To("no"), From(snmpAnswer)),
		udp("RADIUS with an attribute that has no end", 1812, "", To(append(zeros([]byte{1, 7, 0, 23}, 16), 1, 9, 'x'))),
		udp("Kerberos over UDP", 88, "krb", To(hexa("6a81a0 30819d a103 020105"))),
		udp("a tag of Kerberos and nothing else", 88, "", To(hexa("6a82ffff"))),
		udp("NTP between servers, a broken message in between", 123, "", To(zeros([]byte{0x23}, 47)), From("no"), To(zeros([]byte{0x24}, 47)), From(zeros([]byte{0x24}, 47))),
		udp("something else twice, and then NTP", 123, "", To("no"), From("no"), To(zeros([]byte{0x23}, 47)), From(zeros([]byte{0x24}, 47))),
		udp("syslog", 514, "syslog", To("<34>1 2026-01-01T00:00:00Z host app - - - hello")),
		udp("syslog with a priority that is none", 514, "", To("<999>hello")),
		udp("DTLS", 6001, "dtls", To(zeros(append(hexa("16 fefd 0000 000000000000 0030 01 000024 0000 000000 000024"), 0xfe, 0xfd), 34))),
		udp("QUIC", 443, "quic", To(zeros(hexa("c0 00000001 08 0102030405060708 00 00 4480"), 1184))),
		udp("QUIC version 2", 6001, "quic", To(zeros(hexa("d0 6b3343cf 08 0102030405060708 00 00 4480"), 1184))),
		udp("LDAP over UDP", 389, "ldap_udp", To(hexa("300c 020101 6307 0400 0a0100 0400")), From(hexa("300c 020101 6407 0400 3000 0400 00"))),
		udp("DNP3 over UDP", 20000, "dnp3_udp", To(hexa("0564 05 c0 0100 0004 e921"))),
		udp("RDP over UDP", 3389, "rdpeudp", To(zeros(hexa("ffffffff 0040 0001"), 1224)), From(zeros(hexa("00000000 0040 0005"), 1224))),
		udp("RDP over UDP, not answered", 3389, "", To(zeros(hexa("ffffffff 0040 0001"), 1224))),
		udp("SIP on another port", 6001, "sip", To("INVITE sip:x SIP/2.0\r\n\r\n"), From("SIP/2.0 200 OK\r\n\r\n")),
		udp("DHCP on another port", 6001, "dhcp", To(append(zeros([]byte{1, 1, 6, 0}, 232), 0x63, 0x82, 0x53, 0x63, 53, 1, 1))),
		udp("accounting of RADIUS, which Zeek does not look for", 1813, "", To(append(zeros([]byte{4, 7, 0, 23}, 16), 1, 3, 'x'))),
		udp("more questions than DNS has, and then DNS", 53, "", To(hexa("0001 0100 0200 0000 0000 0000")), To(dnsQuery), From(dnsReply)),
		udp("DNS, and then more questions than it has", 53, "", To(dnsQuery), From(dnsReply), To(hexa("0001 0100 0200 0000 0000 0000"))),
		udp("more than 10 KiB, and then what is no SNMP", 161, "snmp", To(snmpGet), From(snmpAnswer), From(snmpLong), To("no")),
	}
}

func binaries() []Conversation {
	return []Conversation{
		tcp("Modbus", 502, "modbus", To(hexa("0001 0000 0006 01 03 0000 0001")), From(hexa("0001 0000 0005 01 03 02 0000"))),
		tcp("Modbus that is not whole", 502, "", To(hexa("0001 0000 0016 01 03 0000 0001"))),
		tcp("DNP3", 20000, "dnp3_tcp", To(hexa("0564 05 c0 0100 0004 e921")), From(hexa("0564 05 40 0004 0100 b45a"))),
		tcp("MQTT", 1883, "mqtt", To(hexa("10 10 0004 4d515454 04 02 003c 0004 74657374")), From(hexa("20020000"))),
		tcp("MQTT on any port", 6001, "mqtt", To(hexa("10 10 0004 4d515454 04 02 003c 0004 74657374"))),
		tcp("MySQL", 3306, "mysql", From(zeros(append(hexa("4a 00 00 00 0a"), "8.0.30\x00"...), 66)), To(zeros(hexa("20 00 00 01 8da2 0a00"), 28))),
		tcp("MySQL, then TLS", 3306, "mysql,ssl", From(zeros(append(hexa("4a 00 00 00 0a"), "8.0.30\x00"...), 66)), To(zeros(hexa("20 00 00 01 8dae 0a00"), 28)),
			To(clientHello), From(serverHello)),
		tcp("SOCKS 4, then HTTP", 1080, "socks,http", To(append(hexa("04 01 0050 c0000201"), "x\x00"...)), From(hexa("00 5a 0000 00000000")), To(request), From(answer)),
		tcp("SOCKS 5, then TLS", 6001, "socks,ssl", To(hexa("05 01 00")), From(hexa("05 00")), To(hexa("05 01 00 01 c0000201 01bb")), From(hexa("05 00 00 01 c0000202 0400")),
			To(clientHello), From(serverHello)),
		tcp("PostgreSQL", 5432, "postgresql", To(append(hexa("00000012 00030000"), "user\x00x\x00\x00"...)), From(hexa("52 00000008 00000000"))),
		tcp("PostgreSQL, then TLS", 5432, "postgresql,ssl", To(hexa("00000008 04d2162f")), From("S"), To(clientHello), From(serverHello)),
		tcp("nothing that is known", 6001, "", To("\x01\x02\x03\x04\x05"), From("\x06\x07\x08")),
	}
}
