package packet

// App is what the beginning of a payload looks like, or what a tunnel is. It is a
// hint, taken from one packet alone: whether a connection speaks the protocol is
// for those to say who see both of its sides.
type App uint8

// The kinds.
const (
	AppNone App = iota
	AppDNSQuery
	AppDNSReply
	AppVXLAN
	AppGeneve
	AppGTPv1
	AppTeredo
	AppAYIYA
	AppDHCP
	AppSNMP
	AppNTP
	AppKerberos
	AppHTTPRequest
	AppHTTPReply
	AppTLSClient
	AppTLSServer
	AppSSH
	AppBanner220 // an SMTP or FTP server
	AppSMTPClient
	AppFTPClient
	AppPOP3Client
	AppPOP3Server
	AppDCERPC
	AppModbus
	AppDNP3
	AppKerberosTCP
	AppSIP
	AppRADIUS
	AppDTLS
	AppOther // none of these
)
