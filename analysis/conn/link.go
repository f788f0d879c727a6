package conn

import (
	"pcapdir/analysis/logs"
	"pcapdir/source/packet"
)

// seenLink is the link of a flow's first packet, and who sent that: a flow may turn
// round, and its addresses on the link with it.
type seenLink struct {
	id   uint32
	port uint16
	addr packet.Addr
}

// seeLink notes the link of the packet that opens flow i.
func (t *Tracker) seeLink(i uint32, p *packet.Packet) {
	t.links[i] = seenLink{id: p.Link, port: p.SrcPort, addr: p.Src}
}

// recordLink puts the link of flow i into its record.
func (t *Tracker) recordLink(i uint32, f *flow, c *logs.Conn) {
	seen, ok := t.links[i]
	if !ok {
		return
	}
	l := t.deps.Link(seen.id)
	if t.cfg.VLAN {
		c.VLAN, c.InnerVLAN = l.VLAN, l.Inner
	}
	if t.cfg.MAC {
		c.OrigL2, c.RespL2 = l.Src, l.Dst
		if f.addr[orig] != seen.addr || f.transport() != icmp && f.addr[orig] == f.addr[resp] && f.port[orig] != seen.port {
			c.OrigL2, c.RespL2 = l.Dst, l.Src
		}
	}
}
