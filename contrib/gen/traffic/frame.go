package traffic

import "encoding/binary"

// Frame is one packet as captured on Ethernet.
type Frame struct {
	Nanos int64  // stamp, nanoseconds since 1970
	Wire  int    // bytes on the wire
	Flow  uint64 // number of the conversation, from 1
	Bytes []byte // those captured; the generator's, until its next frame
}

var be = binary.BigEndian

// build writes the frame of s into g.buf and returns its length. Lengths and
// checksums are those of the whole frame, however much of it is kept.
func (g *Generator) build(p *profile, s *segment) int {
	from, to := 0, 1
	if s.reply {
		from, to = 1, 0
	}
	b := g.buf[:]
	link := putEthernet(b, p, from)
	head := 8
	if p.proto == protoTCP {
		head = 20 + optionBytes(p, s)
	}
	var ip, pseudo int
	if p.v6 {
		ip = 40
		pseudo = g.putIPv6(b[link:], p, from, to, head+s.payload)
	} else {
		ip = 20
		pseudo = g.putIPv4(b[link:], p, from, to, head+s.payload)
	}
	at := link + ip
	payload := g.payload(b[at+head:], s, p.hash)
	switch p.proto {
	case protoTCP:
		putTCP(b[at:at+head], p, s, from, to)
	case protoUDP:
		putUDP(b[at:], p, from, to, head+s.payload)
	default:
		pseudo = putICMP(b[at:], p, s, pseudo)
	}
	sum := checksum(uint64(pseudo) + sum16(b[at:at+head]) + payload)
	if sum == 0 && p.proto == protoUDP {
		sum = 0xffff // RFC 768: zero means none
	}
	be.PutUint16(b[at+checksumAt(p.proto):], sum)
	return at + head + s.payload
}

func checksumAt(proto uint8) int {
	switch proto {
	case protoTCP:
		return 16
	case protoUDP:
		return 6
	}
	return 2
}

func putEthernet(b []byte, p *profile, from int) int {
	be.PutUint64(b, 0x0200_0000_0002_0200)
	be.PutUint64(b[4:], 0x0002_0200_0000_0001)
	if from == 1 {
		b[5], b[11] = 1, 2
	}
	n := 12
	if p.vlan != 0 {
		be.PutUint32(b[n:], 0x8100<<16|uint32(p.vlan))
		n += 4
	}
	kind := uint16(0x0800)
	if p.v6 {
		kind = 0x86dd
	}
	be.PutUint16(b[n:], kind)
	return n + 2
}

// putIPv4 returns the sum of the pseudo header.
func (g *Generator) putIPv4(b []byte, p *profile, from, to, size int) int {
	src, dst := host4(from, p.hosts[from]), host4(to, p.hosts[to])
	be.PutUint32(b, 0x4500<<16|uint32(20+size))
	be.PutUint32(b[4:], uint32(g.made)<<16|0x4000) // don't fragment
	be.PutUint32(b[8:], (64-uint32(from)*6)<<24|uint32(p.proto)<<16)
	be.PutUint32(b[12:], src)
	be.PutUint32(b[16:], dst)
	be.PutUint16(b[10:], checksum(sum16(b[:20])))
	return int(sum16(b[12:20])) + int(p.proto) + size
}

func (g *Generator) putIPv6(b []byte, p *profile, from, to, size int) int {
	be.PutUint32(b, 6<<28)
	be.PutUint32(b[4:], uint32(size)<<16|uint32(p.proto)<<8|64-uint32(from)*6)
	putHost6(b[8:], from, p.hosts[from])
	putHost6(b[24:], to, p.hosts[to])
	return int(sum16(b[8:40])) + int(p.proto) + size
}

// optionBytes: a SYN has the segment size (4 bytes, padded with the timestamps).
func optionBytes(p *profile, s *segment) int {
	n := 0
	if s.flags&syn != 0 {
		n += 4
	}
	if p.stamps {
		n += 12
	}
	return n
}

func putTCP(b []byte, p *profile, s *segment, from, to int) {
	be.PutUint32(b, uint32(p.ports[from])<<16|uint32(p.ports[to]))
	be.PutUint32(b[4:], s.seq)
	be.PutUint32(b[8:], s.ack)
	be.PutUint32(b[12:], uint32(len(b)/4)<<28|uint32(s.flags)<<16|0xfaf0)
	be.PutUint32(b[16:], 0)
	options := b[20:]
	if s.flags&syn != 0 {
		be.PutUint32(options, 0x020405b4) // 1460
		options = options[4:]
	}
	if p.stamps {
		be.PutUint32(options, 0x0101080a)
		be.PutUint32(options[4:], s.seq)
		be.PutUint32(options[8:], s.ack)
	}
}

func putUDP(b []byte, p *profile, from, to, size int) {
	be.PutUint32(b, uint32(p.ports[from])<<16|uint32(p.ports[to]))
	be.PutUint32(b[4:], uint32(size)<<16)
}

// putICMP returns what belongs into the sum of the pseudo header: nothing for IPv4.
func putICMP(b []byte, p *profile, s *segment, pseudo int) int {
	kind := uint32(8)
	switch {
	case p.v6 && s.reply:
		kind = 129
	case p.v6:
		kind = 128
	case s.reply:
		kind = 0
	}
	be.PutUint32(b, kind<<24)
	be.PutUint32(b[4:], uint32(p.ports[0])<<16|1)
	if p.v6 {
		return pseudo
	}
	return 0
}
