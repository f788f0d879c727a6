package defrag

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"pcapdir/source/packet"
)

// Zeek's limits of what is an ordinary fragment, in bytes.
const (
	leastLength = 64     // of a fragment with its header, unless it is the last
	mostEnd     = 64_000 // of the datagram's payload
)

// What a datagram and a block take of memory beside their bytes.
const (
	datagramOverhead = 256
	blockOverhead    = 48
)

// datagram is one in the making.
type datagram struct {
	known
	held  uint32 // bytes of all blocks
	bytes int    // of memory

	older, newer *datagram
}

// known is what fragments have said of a datagram.
type known struct {
	key      key
	deadline packet.Time
	header   []byte // of the fragment that came first
	nextAt   int    // IPv6: see packet.Fragment
	proto    uint8  // IPv4: of the first to come; IPv6: of the latest at offset 0
	size     uint32 // of the payload, as far as known; 0 is unknown
	blocks   []block
}

// block is a part of the payload. Blocks are in order and do not overlap.
type block struct {
	from uint32
	data []byte
}

func (b *block) end() uint32 { return b.from + uint32(len(b.data)) }

func newDatagram(k key, f *packet.Fragment, deadline packet.Time) *datagram {
	return &datagram{
		known: known{key: k, deadline: deadline, header: slices.Clone(f.Header), nextAt: f.NextAt, proto: f.Proto},
		bytes: datagramOverhead + len(f.Header),
	}
}

// add takes f in and says whether the datagram is whole with it.
func (d *datagram) add(f *packet.Fragment, odd *Oddities) (whole bool) {
	d.note(f, odd)
	if len(f.Payload) == 0 {
		return false
	}
	d.fill(f.Offset, f.Payload, odd)
	return d.whole(odd)
}

// note checks f against what is known, and learns from it where the datagram
// ends: the last fragment says so, and any that goes beyond.
func (d *datagram) note(f *packet.Fragment, odd *Oddities) {
	end := f.Offset + uint32(len(f.Payload))
	if f.Proto != d.proto || len(f.Header) != len(d.header) {
		odd.add(packet.OddFragmentProtocol)
	}
	if f.IPv6 && f.Offset == 0 {
		d.proto = f.Proto
	}
	if f.DF {
		odd.add(packet.OddFragmentDF)
	}
	length := len(f.Header) + len(f.Payload)
	if f.IPv6 {
		length += 8 // the fragment header
	}
	switch {
	case f.More && length < leastLength:
		odd.add(packet.OddFragmentSmall)
	case !f.More && d.size == 0:
		d.size = end
	case !f.More && end != d.size:
		odd.add(packet.OddFragmentSize)
	}
	if end > mostEnd {
		odd.add(packet.OddFragmentLarge)
	}
	if d.size != 0 && end > d.size {
		odd.add(packet.OddFragmentSize)
		d.size = end
	}
}

// fill puts data where nothing is yet.
func (d *datagram) fill(from uint32, data []byte, odd *Oddities) {
	i := sort.Search(len(d.blocks), func(i int) bool { return d.blocks[i].end() > from })
	for len(data) > 0 {
		if i == len(d.blocks) {
			d.insert(i, from, data)
			return
		}
		if b := &d.blocks[i]; from < b.from {
			n := min(len(data), int(b.from-from))
			d.insert(i, from, data[:n])
			from, data, i = from+uint32(n), data[n:], i+1
			continue
		}
		b := &d.blocks[i]
		old := b.data[from-b.from:]
		n := min(len(data), len(old))
		if bytes.Equal(old[:n], data[:n]) {
			odd.add(packet.OddFragmentOverlap)
		} else {
			odd.add(packet.OddFragmentInconsistency)
		}
		from, data, i = from+uint32(n), data[n:], i+1
	}
}

// insert makes a block of a copy of data: a few new bytes must not hold on to
// the whole fragment that they came in.
func (d *datagram) insert(i int, from uint32, data []byte) {
	d.blocks = slices.Insert(d.blocks, i, block{from, bytes.Clone(data)})
	d.count(data)
}

// count adds the data of a block to what d holds.
func (d *datagram) count(data []byte) {
	d.held += uint32(len(data))
	d.bytes += len(data) + blockOverhead
}

// whole says whether all is there up to the size. As in Zeek, more than that
// moves the size: to the end of what is contiguous.
func (d *datagram) whole(odd *Oddities) bool {
	if d.size == 0 || d.held < d.size || d.blocks[0].from > 0 {
		return false
	}
	end := d.blocks[0].end()
	for _, b := range d.blocks[1:] {
		if b.from != end {
			break
		}
		end = b.end()
	}
	if end < d.size {
		return false
	}
	if last := d.blocks[len(d.blocks)-1].end(); last > d.size {
		odd.add(packet.OddFragmentSize)
	}
	d.size = end
	return true
}

// rebuild is the whole datagram. Its length field cannot say more than 65535: a
// longer one, which only an attack makes, says less than it has, as in Zeek.
func (d *datagram) rebuild() []byte {
	b := make([]byte, len(d.header)+int(d.size))
	copy(b, d.header)
	payload := b[len(d.header):]
	for _, bl := range d.blocks {
		if bl.from < d.size {
			copy(payload[bl.from:], bl.data)
		}
	}
	be := binary.BigEndian
	if d.key.ipv6 {
		be.PutUint16(b[4:], uint16(len(b)-40))
		b[d.nextAt] = d.proto
		return b
	}
	be.PutUint16(b[2:], uint16(len(b)))
	be.PutUint16(b[6:], 0)
	be.PutUint16(b[10:], 0)
	be.PutUint16(b[10:], checksum(b[:len(d.header)]))
	return b
}

// checksum is that of an IPv4 header (RFC 791), whose own field is zero.
func checksum(header []byte) uint16 {
	var sum uint32
	for ; len(header) >= 2; header = header[2:] {
		sum += uint32(binary.BigEndian.Uint16(header))
	}
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum)
}
