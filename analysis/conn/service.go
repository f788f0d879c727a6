package conn

import "pcapdir/source/packet"

// service is an application protocol that a connection was seen to speak.
type service uint8

const (
	noService service = iota
	serviceDNS
	serviceVXLAN
	serviceGeneve
	serviceGTPv1
	serviceTeredo
	serviceAYIYA
	serviceDHCP
	serviceSNMP
	serviceNTP
	serviceKerberos
	serviceHTTP
	serviceSSL
	serviceSSH
	serviceSMTP
	serviceFTP
	servicePOP3
	serviceDCERPC
	serviceModbus
	serviceDNP3
	serviceKerberosTCP
	serviceSIP
	serviceRADIUS
	serviceDTLS
	numServices
)

// serviceNames are Zeek's.
var serviceNames = [numServices]string{
	serviceDNS: "dns", serviceVXLAN: "vxlan", serviceGeneve: "geneve", serviceGTPv1: "gtpv1", serviceTeredo: "teredo", serviceAYIYA: "ayiya",
	serviceDHCP: "dhcp", serviceSNMP: "snmp", serviceNTP: "ntp", serviceKerberos: "krb",
	serviceHTTP: "http", serviceSSL: "ssl", serviceSSH: "ssh", serviceSMTP: "smtp", serviceFTP: "ftp", servicePOP3: "pop3",
	serviceDCERPC: "dce_rpc", serviceModbus: "modbus", serviceDNP3: "dnp3_tcp", serviceKerberosTCP: "krb_tcp", serviceSIP: "sip",
	serviceRADIUS: "radius", serviceDTLS: "dtls",
}

// datagramServices are confirmed by one datagram, whoever sends it. Tunnels give
// their name to what carries something.
var datagramServices = [packet.AppOther]service{
	packet.AppVXLAN: serviceVXLAN, packet.AppGeneve: serviceGeneve, packet.AppGTPv1: serviceGTPv1,
	packet.AppTeredo: serviceTeredo, packet.AppAYIYA: serviceAYIYA,
	packet.AppDHCP: serviceDHCP, packet.AppSNMP: serviceSNMP, packet.AppNTP: serviceNTP, packet.AppKerberos: serviceKerberos,
	packet.AppSIP: serviceSIP, packet.AppRADIUS: serviceRADIUS, packet.AppDTLS: serviceDTLS,
}

// confirm notes that f speaks s, in the order of confirmation. There is room for
// more than any connection of the reference has; a further one is left out.
func (f *flow) confirm(s service) {
	for i, have := range f.services {
		if have == s {
			return
		}
		if have == noService {
			f.services[i] = s
			return
		}
	}
}

// service is what the record says: names separated by commas.
func (f *flow) service() (names string) {
	for _, s := range f.services {
		if s == noService {
			break
		}
		if names != "" {
			names += ","
		}
		names += serviceNames[s]
	}
	return names
}

// udpApplication takes what a datagram's payload looks like. A flow whose first DNS
// message is a reply began before the capture: its sender is the responder, unless
// it answers many at once. The reply itself counts for the role that it had, as in
// Zeek.
func (t *Tracker) udpApplication(f *flow, role int, p *packet.Packet) {
	switch p.App {
	case packet.AppNone:
	case packet.AppDNSQuery, packet.AppDNSReply:
		if f.marks&markDNS == 0 {
			return // not at its port
		}
		first := f.services[0] == noService
		f.confirm(serviceDNS)
		if first && p.App == packet.AppDNSReply && role == orig && !multicast(&f.addr[resp]) {
			t.flip(f, nil)
		}
	default:
		f.confirm(datagramServices[p.App])
	}
}

// streamServices are confirmed when the first bytes of both sides, the originator's
// first, look like that.
var streamServices = map[[2]packet.App]service{
	{packet.AppSSH, packet.AppSSH}:               serviceSSH,
	{packet.AppSMTPClient, packet.AppBanner220}:  serviceSMTP,
	{packet.AppFTPClient, packet.AppBanner220}:   serviceFTP,
	{packet.AppFTPClient, packet.AppPOP3Server}:  servicePOP3, // USER and AUTH are both's
	{packet.AppPOP3Client, packet.AppPOP3Server}: servicePOP3,
}

// openingServices are confirmed by the first bytes of one side.
var openingServices = [2][packet.AppOther]service{
	orig: {
		packet.AppHTTPRequest: serviceHTTP, packet.AppTLSClient: serviceSSL, packet.AppDCERPC: serviceDCERPC, packet.AppModbus: serviceModbus,
		packet.AppDNP3: serviceDNP3, packet.AppKerberosTCP: serviceKerberosTCP, packet.AppDNSQuery: serviceDNS, packet.AppDNSReply: serviceDNS,
	},
	resp: {
		packet.AppModbus: serviceModbus, packet.AppDNP3: serviceDNP3,
		packet.AppKerberosTCP: serviceKerberosTCP, packet.AppDNSReply: serviceDNS,
	},
}

// look takes what the first bytes of a side look like.
func (f *flow) look(role int, app packet.App) {
	if f.looks[role] != packet.AppNone {
		return
	}
	f.looks[role] = app
	if app < packet.AppOther && openingServices[role][app] != noService {
		f.confirm(openingServices[role][app])
	}
	if s, ok := streamServices[f.looks]; ok {
		f.confirm(s)
	}
	if f.looks == [2]packet.App{packet.AppHTTPRequest, packet.AppOther} {
		f.withdraw(serviceHTTP) // the reply breaks the protocol
	}
}

// withdraw takes s back.
func (f *flow) withdraw(s service) {
	for i, have := range f.services {
		if have == s {
			copy(f.services[i:], f.services[i+1:])
			f.services[len(f.services)-1] = noService
			return
		}
	}
}

// multicast says whether an address, v4-mapped or IPv6, is one of a group.
func multicast(a *packet.Addr) bool { return a[0] == 0xff || a.Is4() && a[12]>>4 == 0xe }
