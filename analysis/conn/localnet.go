package conn

import (
	"encoding/binary"
	"net/netip"

	"pcapdir/source/packet"
)

// privateNetworks is Zeek's Site::private_address_space: the networks that are
// local unless configured otherwise, with the 6to4 forms of the IPv4 ones.
func privateNetworks() []netip.Prefix {
	v4 := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "224.0.0.0/24", "239.0.0.0/8", "240.0.0.0/4", "255.255.255.255/32",
	}
	v6 := []string{
		"::/128", "::1/128", "fe80::/10", "fec0::/10", "fc00::/7", "100::/64", "2001::/23",
		"2001:2::/48", "2001:db8::/32", "64:ff9b:1::/48",
	}
	var nets []netip.Prefix
	for _, s := range v4 {
		p := netip.MustParsePrefix(s)
		nets = append(nets, p, sixToFour(p))
	}
	for _, s := range v6 {
		nets = append(nets, netip.MustParsePrefix(s))
	}
	return nets
}

// sixToFour is the prefix of the 6to4 addresses (RFC 3056) whose embedded IPv4
// address is in p.
func sixToFour(p netip.Prefix) netip.Prefix {
	b := p.Addr().As4()
	a := netip.AddrFrom16([16]byte{0x20, 0x02, b[0], b[1], b[2], b[3]})
	return netip.PrefixFrom(a, 16+p.Bits())
}

// network is a prefix as two words and their masks.
type network struct{ hi, lo, maskHi, maskLo uint64 }

// networks makes prefixes quick to compare with packet addresses: IPv4 prefixes
// take their v4-mapped form.
func networks(ps []netip.Prefix) []network {
	nets := make([]network, 0, len(ps))
	for _, p := range ps {
		bits := p.Bits()
		if p.Addr().Is4() {
			bits += 96
		}
		b := p.Masked().Addr().As16()
		hiBits, loBits := min(bits, 64), max(bits-64, 0)
		nets = append(nets, network{
			hi: binary.BigEndian.Uint64(b[:8]), lo: binary.BigEndian.Uint64(b[8:]),
			maskHi: ^(^uint64(0) >> hiBits), maskLo: ^(^uint64(0) >> loBits),
		})
	}
	return nets
}

// isLocal says whether a is in one of nets.
func isLocal(nets []network, a *packet.Addr) bool {
	hi, lo := a.Words()
	for i := range nets {
		if n := &nets[i]; hi&n.maskHi == n.hi && lo&n.maskLo == n.lo {
			return true
		}
	}
	return false
}
