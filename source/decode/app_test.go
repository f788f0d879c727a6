package decode

import (
	"bytes"
	"testing"

	"pcapdir/source/decode/decodetest"
	"pcapdir/source/packet"
)

// What payloads look like, to the port and from it. Cut short they look like
// nothing else, and no length makes the decoder read beyond.
func TestApplications(t *testing.T) {
	dnsHeader := []byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		name    string
		port    uint16
		payload []byte
		udp     bool
		want    packet.App
	}{
		{"DNS query", 53, dnsHeader, true, packet.AppDNSQuery},
		{"DNS reply, LLMNR", 5355, put(dnsHeader, 2, 0x80), true, packet.AppDNSReply},
		{"DNS with too many questions", 53, put(dnsHeader, 5, 26), true, packet.AppNone},
		{"DNS elsewhere", 54, dnsHeader, true, packet.AppNone},
		{"DNS over TCP", 53, append([]byte{0, 12}, dnsHeader...), false, packet.AppDNSQuery},
		{"DHCP", 67, append(append([]byte{1}, make([]byte, 235)...), 0x63, 0x82, 0x53, 0x63), true, packet.AppDHCP},
		{"BOOTP without the cookie", 67, append([]byte{1}, make([]byte, 300)...), true, packet.AppNone},
		{"NTP", 123, append([]byte{0x23}, make([]byte, 47)...), true, packet.AppNTP},
		{"short NTP", 123, append([]byte{0x23}, make([]byte, 46)...), true, packet.AppNone},
		{"NTP control", 123, []byte{0x16, 2, 0, 1}, true, packet.AppNTP},
		{"SNMP", 161, []byte{0x30, 5, 2, 1, 1, 4, 0}, true, packet.AppSNMP},
		{"SNMP of a long length", 162, []byte{0x30, 0x82, 0, 5, 2, 1, 1}, true, packet.AppSNMP},
		{"SNMP of version 9", 161, []byte{0x30, 5, 2, 1, 9, 4, 0}, true, packet.AppNone},
		{"SNMP of an absurd length", 161, []byte{0x30, 0xff, 2, 1, 1, 4, 0}, true, packet.AppNone},
		{"Kerberos", 88, []byte{0x6a, 0x81, 0xa0, 0x30}, true, packet.AppKerberos},
		{"Kerberos over TCP", 88, []byte{0, 0, 0, 4, 0x6c, 0x81, 0xa0, 0x30}, false, packet.AppKerberosTCP},
		{"RADIUS", 1812, append([]byte{1, 0, 0, 20}, make([]byte, 16)...), true, packet.AppRADIUS},
		{"RADIUS beyond its datagram", 1812, append([]byte{1, 0, 0, 21}, make([]byte, 16)...), true, packet.AppNone},
		{"SIP request", 5060, []byte("OPTIONS sip:x SIP/2.0\r\n"), true, packet.AppSIP},
		{"SIP reply", 5060, []byte("SIP/2.0 200 OK\r\n"), true, packet.AppSIP},
		{"DTLS", 9999, append([]byte{0x16, 0xfe, 0xfd}, make([]byte, 20)...), true, packet.AppDTLS},
		{"HTTP request", 8888, []byte("GET / HTTP/1.1\r\n"), false, packet.AppHTTPRequest},
		{"HTTP reply", 8888, []byte("HTTP/1.1 200 OK\r\n"), false, packet.AppHTTPReply},
		{"a method in small letters", 80, []byte("get / HTTP/1.1\r\n"), false, packet.AppOther},
		{"TLS client hello", 8443, []byte{0x16, 3, 1, 0, 9, 1, 0}, false, packet.AppTLSClient},
		{"TLS server hello", 8443, []byte{0x16, 3, 3, 0, 9, 2, 0}, false, packet.AppTLSServer},
		{"SSL 2 client hello", 8443, []byte{0x80, 9, 1, 3, 1}, false, packet.AppTLSClient},
		{"TLS alert", 8443, []byte{0x15, 3, 3, 0, 2, 1, 0}, false, packet.AppOther},
		{"SSH", 22, []byte("SSH-2.0-x\r\n"), false, packet.AppSSH},
		{"banner", 25, []byte("220 mail\r\n"), false, packet.AppBanner220},
		{"SMTP client", 25, []byte("EHLO x\r\n"), false, packet.AppSMTPClient},
		{"FTP client", 21, []byte("USER x\r\n"), false, packet.AppFTPClient},
		{"POP3 server", 110, []byte("+OK\r\n"), false, packet.AppPOP3Server},
		{"POP3 client", 110, []byte("CAPA\r\n"), false, packet.AppPOP3Client},
		{"DCE/RPC bind", 135, append([]byte{5, 0, 11}, make([]byte, 20)...), false, packet.AppDCERPC},
		{"Modbus", 502, []byte{0, 1, 0, 0, 0, 6, 1, 3}, false, packet.AppModbus},
		{"DNP3", 20000, []byte{5, 0x64, 5, 0xc0}, false, packet.AppDNP3},
		{"nothing known", 4242, []byte{1, 2, 3, 4, 5}, false, packet.AppOther},
	} {
		for _, ports := range [][2]uint16{{40000, c.port}, {c.port, 40000}} {
			make := func(payload []byte) []byte {
				if c.udp {
					return four.UDP(ports[0], ports[1], payload)
				}
				return four.TCP(decodetest.TCP{SrcPort: ports[0], DstPort: ports[1], Flags: 0x18}, payload)
			}
			if p := decode(101, make(c.payload)); p.App != c.want {
				t.Errorf("%s, %d to %d: %d, want %d", c.name, ports[0], ports[1], p.App, c.want)
			}
			for n := range c.payload {
				if p := decode(101, make(bytes.Clone(c.payload[:n]))); p.App != c.want && p.App != packet.AppNone && p.App != packet.AppOther {
					t.Errorf("%s, cut at %d: %d", c.name, n, p.App)
				}
			}
		}
	}
	if p := decode(101, four.TCP(decodetest.TCP{SrcPort: 1, DstPort: 80, Flags: 0x10}, nil)); p.App != packet.AppNone {
		t.Errorf("no payload: %d", p.App)
	}
}
