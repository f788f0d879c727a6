package traffic

import "encoding/binary"

// Container is a kind of capture file: pcap or pcapng, and what is in its header.
type Container struct {
	NG        bool // pcapng
	BigEndian bool
	Nano      bool // stamps in nanoseconds
	Link      Link
	Snap      uint32 // as the header says; 0 stands for 65535
}

// Link is a link type by its number in capture files (LINKTYPE_…).
type Link uint32

// The link types that frames can be put into.
const (
	Null     Link = 0 // BSD loopback
	Ethernet Link = 1
	Raw      Link = 101
	SLL      Link = 113 // Linux cooked
	SLL2     Link = 276
)

func (c Container) order() binary.AppendByteOrder {
	if c.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (c Container) snap() uint32 {
	if c.Snap == 0 {
		return 65535
	}
	return c.Snap
}

// AppendHeader appends what a file begins with to dst.
func (c Container) AppendHeader(dst []byte) []byte {
	if c.NG {
		return c.appendSection(dst)
	}
	magic := uint32(0xa1b2c3d4)
	if c.Nano {
		magic = 0xa1b23c4d
	}
	o := c.order()
	dst = o.AppendUint32(dst, magic)
	dst = o.AppendUint16(dst, 2)
	dst = o.AppendUint16(dst, 4)
	dst = o.AppendUint64(dst, 0)
	dst = o.AppendUint32(dst, c.snap())
	return o.AppendUint32(dst, uint32(c.Link))
}

// appendSection appends a section header block and one interface description.
func (c Container) appendSection(dst []byte) []byte {
	o := c.order()
	dst = appendWords(dst, o, 0x0a0d0d0a, 28, 0x1a2b3c4d)
	dst = o.AppendUint16(dst, 1)
	dst = o.AppendUint16(dst, 0)
	dst = appendWords(dst, o, ^uint32(0), ^uint32(0), 28)
	size := uint32(20)
	if c.Nano {
		size += 12
	}
	dst = appendWords(dst, o, 1, size)
	dst = o.AppendUint16(dst, uint16(c.Link))
	dst = o.AppendUint16(dst, 0)
	dst = o.AppendUint32(dst, c.snap())
	if c.Nano {
		dst = o.AppendUint16(dst, 9) // if_tsresol
		dst = o.AppendUint16(dst, 1)
		dst = append(dst, 9, 0, 0, 0, 0, 0, 0, 0) // 10^-9, padding, end of options
	}
	return o.AppendUint32(dst, size)
}

func appendWords(dst []byte, o binary.AppendByteOrder, words ...uint32) []byte {
	for _, w := range words {
		dst = o.AppendUint32(dst, w)
	}
	return dst
}

// AppendFrame appends the record of f, in c's link type, to dst.
func (c Container) AppendFrame(dst []byte, f *Frame) []byte {
	var link [20]byte
	head, skip := c.header(&link, f.Bytes)
	captured := len(head) + len(f.Bytes) - skip
	wire := len(head) + f.Wire - skip
	if c.NG {
		return c.appendBlock(dst, f, head, f.Bytes[skip:], captured, wire)
	}
	o := c.order()
	fraction := f.Nanos % 1e9
	if !c.Nano {
		fraction /= 1e3
	}
	dst = o.AppendUint32(dst, uint32(f.Nanos/1e9))
	dst = o.AppendUint32(dst, uint32(fraction))
	dst = o.AppendUint32(dst, uint32(captured))
	dst = o.AppendUint32(dst, uint32(wire))
	dst = append(dst, head...)
	return append(dst, f.Bytes[skip:]...)
}

// appendBlock appends an enhanced packet block.
func (c Container) appendBlock(dst []byte, f *Frame, head, rest []byte, captured, wire int) []byte {
	stamp := uint64(f.Nanos)
	if !c.Nano {
		stamp /= 1e3
	}
	padding := -captured & 3
	size := uint32(32 + captured + padding)
	o := c.order()
	dst = appendWords(dst, o, 6, size, 0, uint32(stamp>>32), uint32(stamp), uint32(captured), uint32(wire))
	dst = append(dst, head...)
	dst = append(dst, rest...)
	dst = append(dst, 0, 0, 0)[:len(dst)+padding]
	return o.AppendUint32(dst, size)
}

// header is what goes before the IP packet instead of the first skip bytes of an
// Ethernet frame. A VLAN tag goes with them, except in Ethernet itself.
func (c Container) header(buf *[20]byte, frame []byte) (head []byte, skip int) {
	if c.Link == Ethernet {
		return nil, 0
	}
	kind, skip := be.Uint16(frame[12:]), 14
	if kind == 0x8100 {
		kind, skip = be.Uint16(frame[16:]), 18
	}
	switch c.Link {
	case Raw:
		return nil, skip
	case Null: // the address family, in the order of the capturing machine: AF_INET, or macOS's AF_INET6
		family := uint32(2)
		if kind == 0x86dd {
			family = 30
		}
		// Not through c.order(): a call through an interface would put buf on the heap.
		if c.BigEndian {
			be.PutUint32(buf[:], family)
		} else {
			binary.LittleEndian.PutUint32(buf[:], family)
		}
		return buf[:4], skip
	case SLL: // to us, Ethernet, address length and address, protocol
		copy(buf[:], []byte{0, 0, 0, 1, 0, 6})
		copy(buf[6:], frame[6:12])
		be.PutUint16(buf[14:], kind)
		return buf[:16], skip
	case SLL2: // protocol, interface 1, Ethernet, to us, address length and address
		be.PutUint16(buf[:], kind)
		copy(buf[4:], []byte{0, 0, 0, 1, 0, 1, 0, 6})
		copy(buf[12:], frame[6:12])
		return buf[:20], skip
	}
	panic("BUG: a link type that frames cannot be put into")
}
