package dpd

import "pcapdir/source/packet"

// The bytes: what a payload looks like.
const (
	_ packet.App = iota
	other
	unfit // a datagram at the port of a firm protocol that is not of it
	dnsQuery
	dnsReply
	dnsUnknown
	dnsBroken
	dnsLength // of a message that comes next
	dnsBare   // a message over TCP without its length
	netBIOSQuery
	netBIOSReply
	netBIOSBroken
	VXLAN
	Geneve
	GTPv1
	Teredo
	AYIYA
	dhcpMessage
	snmpMessage
	ntpMessage
	ntpReply
	kerberosMessage
	kerberosStream
	radiusMessage
	sipRequest
	sipReply
	dtlsHello
	quicInitial
	syslogMessage
	rdpeudpSyn
	rdpeudpSynAck
	dnp3Datagram
	httpRequest
	httpOld // a request of HTTP 0.9
	httpConnect
	httpReply
	httpOverrun // a reply, and behind it what is none
	httpUpgrade
	webSocket
	tlsClient
	tlsServer
	tlsRecord
	sshVersion
	sshKeys
	replyReady
	replyLogin
	replySecure
	replyOther
	replyOpen // that goes on
	user
	smtpCommand
	smtpHello
	smtpStartTLS
	ftpCommand
	ftpSecure
	ftpText // of a server: no reply
	FTPData // announced, not heard
	pop3Command
	pop3Ask // what the server's consent confirms
	pop3Secure
	pop3OK
	pop3Err
	imapGreeting
	ircLine
	ircNick
	ircNumeric
	dceRPC
	dceRPCNTLM
	dceRPCSPNEGO
	dceRPCSPNEGONTLM
	dceRPCSPNEGOKerberos
	smbSession // NetBIOS, before SMB
	smbMessage
	smbNTLM
	smbSPNEGO
	smbSPNEGONTLM
	smbSPNEGOKerberos
	smbPipe
	ntlm
	gssapi
	modbusMessage
	dnp3Frame
	mqttConnect
	mysqlGreeting
	mysqlLogin
	mysqlSecure
	rdpConnect
	rdpConfirm
	rdpSecure
	rdpSettings
	rfbVersion
	socks4Request
	socks4Reply
	socks5Methods
	socks5Method
	socks5Request
	xmppStream
	xmppProceed
	ldapRequest
	ldapReply
	cldapRequest
	cldapReply
	postgresStart
	postgresSecure
	postgresMessage
	redisCommand
	redisReply
)

// protocols is the table. Where several look at a port or at a first byte, they do
// so in this order.
var protocols = [...]protocol{
	{name: "dns", tcp: dnsPorts[:1], udp: dnsPorts, stream: dnsStream, datagram: dns,
		apps: []packet.App{dnsQuery, dnsReply, dnsUnknown, dnsBroken, dnsLength, dnsBare}, hear: hearDNS, midstream: true},
	{name: "dns", udp: []uint16{137}, datagram: netBIOS, apps: []packet.App{netBIOSQuery, netBIOSReply, netBIOSBroken}, hear: hearDNS},
	{name: "vxlan", apps: []packet.App{VXLAN}},
	{name: "geneve", apps: []packet.App{Geneve}},
	{name: "gtpv1", apps: []packet.App{GTPv1}},
	{name: "teredo", apps: []packet.App{Teredo}, hear: hearTeredo},
	{name: "ayiya", apps: []packet.App{AYIYA}},
	{name: "dhcp", udp: []uint16{67, 68, 4011}, anywhere: true, datagram: dhcp, firm: true, apps: []packet.App{dhcpMessage}},
	{name: "snmp", udp: []uint16{161, 162}, datagram: snmp, firm: true, apps: []packet.App{snmpMessage}, hear: hearSNMP},
	{name: "ntp", udp: []uint16{123}, datagram: ntp, firm: true, apps: []packet.App{ntpMessage, ntpReply}, hear: hearNTP},
	{name: "krb", udp: []uint16{88}, datagram: kerberos, firm: true, apps: []packet.App{kerberosMessage}},
	{name: "krb_tcp", tcp: []uint16{88}, stream: kerberosTCP, apps: []packet.App{kerberosStream}},
	{name: "radius", udp: []uint16{1812}, datagram: radius, firm: true, apps: []packet.App{radiusMessage}},
	{name: "sip", udp: []uint16{5060, 5061}, anywhere: true, datagram: sip, apps: []packet.App{sipRequest, sipReply}, hear: hearSIP},
	{name: "syslog", udp: []uint16{514}, datagram: syslog, apps: []packet.App{syslogMessage}},
	{name: "dnp3_udp", udp: []uint16{20000}, datagram: dnp3UDP, apps: []packet.App{dnp3Datagram}},
	{name: "dtls", datagram: dtls, apps: []packet.App{dtlsHello}},
	{name: "quic", datagram: quic, apps: []packet.App{quicInitial}},
	{name: "rdpeudp", datagram: rdpeudp, apps: []packet.App{rdpeudpSyn, rdpeudpSynAck}, hear: hearRDPEUDP},
	{name: "ldap_udp", udp: []uint16{389, 3268}, datagram: cldap, apps: []packet.App{cldapRequest, cldapReply}, hear: hearLDAP},
	{name: "http", tcp: []uint16{80, 81, 631, 1080, 3128, 8000, 8080, 8888}, opens: []byte("ABCDGHLMNOPQRSTUVX"), stream: http,
		apps: []packet.App{httpRequest, httpOld, httpConnect, httpReply, httpOverrun, httpUpgrade}, hear: hearHTTP, breaks: breaksHTTP},
	{name: "websocket", apps: []packet.App{webSocket}},
	{name: "ssl", tcp: []uint16{443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223}, opens: []byte{0x14, 0x15, 0x16, 0x17}, stream: tls,
		apps: []packet.App{tlsClient, tlsServer, tlsRecord}, hear: hearTLS, breaks: breaksTLS},
	{name: "ssh", opens: []byte("Ss\x00"), stream: ssh, apps: []packet.App{sshVersion, sshKeys}, hear: hearSSH, login: true},
	{name: "smtp", tcp: []uint16{25, 587}, opens: []byte("EeHh"), stream: smtp,
		apps: []packet.App{smtpCommand, smtpHello, smtpStartTLS}, hear: hearSMTP, breaks: breaksText},
	{name: "ftp", tcp: []uint16{21, 2811}, stream: ftp, apps: []packet.App{ftpCommand, ftpSecure, ftpText}, hear: hearFTP, breaks: breaksText, login: true, midstream: true},
	{name: "ftp-data", apps: []packet.App{FTPData}},
	{name: "pop3", tcp: []uint16{110}, opens: []byte("+AaCcSs"), stream: pop3,
		apps: []packet.App{pop3Command, pop3Ask, pop3Secure, pop3OK, pop3Err}, hear: hearPOP3},
	{name: "imap", tcp: []uint16{143}, stream: imap, apps: []packet.App{imapGreeting}},
	{name: "irc", tcp: []uint16{6666, 6667, 6668, 6669}, opens: []byte("Nn:"), stream: irc,
		apps: []packet.App{ircLine, ircNick, ircNumeric}, hear: hearIRC, midstream: true},
	{name: "", opens: []byte("12345"), stream: reply, apps: []packet.App{replyReady, replyLogin, replySecure, replyOther, replyOpen}, hear: hearReply},
	{name: "", opens: []byte("Uu"), stream: userCommand, apps: []packet.App{user}, hear: hearUser},
	{name: "dce_rpc", tcp: []uint16{135}, opens: []byte{5}, stream: dceRPCStream, midstream: true,
		apps: []packet.App{dceRPC, dceRPCNTLM, dceRPCSPNEGO, dceRPCSPNEGONTLM, dceRPCSPNEGOKerberos}, hear: hearDCERPC},
	{name: "smb", tcp: []uint16{139, 445}, opens: []byte{0}, stream: smb, midstream: true,
		apps: []packet.App{smbSession, smbMessage, smbNTLM, smbSPNEGO, smbSPNEGONTLM, smbSPNEGOKerberos, smbPipe}, hear: hearSMB},
	{name: "ntlm", apps: []packet.App{ntlm}},
	{name: "gssapi", apps: []packet.App{gssapi}},
	{name: "modbus", tcp: []uint16{502}, stream: modbus, apps: []packet.App{modbusMessage}, midstream: true},
	{name: "dnp3_tcp", tcp: []uint16{20000}, opens: []byte{5}, stream: dnp3, apps: []packet.App{dnp3Frame}, hear: hearDNP3, midstream: true},
	{name: "mqtt", tcp: []uint16{1883}, opens: []byte{0x10}, stream: mqtt, apps: []packet.App{mqttConnect}, midstream: true},
	{name: "mysql", tcp: []uint16{1434, 3306}, stream: mysql, apps: []packet.App{mysqlGreeting, mysqlLogin, mysqlSecure}, hear: hearMySQL},
	{name: "rdp", tcp: []uint16{3389}, opens: []byte{3}, stream: rdp,
		apps: []packet.App{rdpConnect, rdpConfirm, rdpSecure, rdpSettings}, hear: hearRDP},
	{name: "rfb", opens: []byte("R"), stream: rfb, apps: []packet.App{rfbVersion}, hear: hearRFB},
	{name: "socks", tcp: []uint16{1080}, opens: []byte{0, 4, 5}, stream: socks,
		apps: []packet.App{socks4Request, socks4Reply, socks5Methods, socks5Method, socks5Request}, hear: hearSOCKS},
	{name: "xmpp", tcp: []uint16{5222, 5269}, opens: []byte("<"), stream: xmpp, apps: []packet.App{xmppStream, xmppProceed}, hear: hearXMPP},
	{name: "ldap_tcp", tcp: []uint16{389, 3268}, stream: ldap, apps: []packet.App{ldapRequest, ldapReply}, hear: hearLDAP},
	{name: "postgresql", tcp: []uint16{5432}, stream: postgres,
		apps: []packet.App{postgresStart, postgresSecure, postgresMessage}, hear: hearPostgres},
	{name: "redis", tcp: []uint16{6379}, stream: redis, apps: []packet.App{redisCommand, redisReply}, hear: hearRedis},
}
