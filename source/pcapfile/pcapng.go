package pcapfile

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Layout of pcapng (draft-ietf-opsawg-pcapng), numbers in the section's order:
//
//	block:     type 4 · total length 4 · body · total length 4
//	section:   byte-order magic 4 · major 2 · minor 2 · section length 8 · options
//	interface: link type 2 · reserved 2 · snaplen 4 · options
//	enhanced:  interface 4 · stamp 4+4 (high first) · captured 4 · wire 4 · bytes · options
//	packet:    interface 2 · drops 2 · the rest as enhanced (obsolete)
//	simple:    wire 4 · bytes (interface 0, no stamp)
const (
	blockSection   = 0x0a0d0d0a // the same in both byte orders
	blockInterface = 1
	blockPacket    = 2
	blockSimple    = 3
	blockEnhanced  = 6

	blockMinLen     = 12
	sectionMinLen   = 28
	interfaceMinLen = 20
	enhancedMinLen  = 32
	simpleMinLen    = 16

	enhancedPlace = 28 // of the captured bytes in their block
	simplePlace   = 12

	orderMagic = 0x1a2b3c4d
)

// maxBlock bounds the blocks that are held whole: the longest record and as much
// again for options. Other blocks are skipped by length, however long.
const maxBlock = 2 * MaxCaplen

// skip is a block that is being passed over. It is kept so that a read error
// in the middle of a block can be followed by another try.
type skip struct {
	at    int64  // stream offset of the block
	left  int64  // bytes to go
	total uint32 // length of the block, which its last four bytes repeat
}

// nextBlock is Next for pcapng.
func (r *Reader) nextBlock(rec *Record) error {
	for {
		if r.skip.left > 0 {
			if err := r.finishSkip(); err != nil {
				return err
			}
		}
		if err := r.in.fill(blockMinLen); err != nil {
			if err == io.EOF && len(r.in.rest()) == 0 {
				return io.EOF
			}
			return r.short(r.in.offset(), r.blockName(), blockMinLen, err)
		}
		switch kind := r.u32(r.in.rest()); kind {
		case blockEnhanced, blockPacket:
			return r.readEnhanced(rec, kind)
		case blockSimple:
			return r.readSimple(rec)
		default:
			if err := r.passBlock(kind); err != nil {
				return err
			}
		}
	}
}

// passBlock takes the block that starts here, which is of no packet.
func (r *Reader) passBlock(kind uint32) error {
	switch kind {
	case blockInterface:
		return r.readInterface()
	case blockSection:
		return r.readSection()
	default:
		return r.startSkip(kind, r.u32(r.in.rest()[4:]), blockMinLen)
	}
}

// readEnhanced reads the enhanced or obsolete packet block that starts here.
func (r *Reader) readEnhanced(rec *Record, kind uint32) error {
	b, err := r.wholeBlock(enhancedMinLen)
	if err != nil {
		return err
	}
	id := r.u32(b[8:])
	if kind == blockPacket {
		id = uint32(r.u16(b[8:]))
	}
	if id >= uint32(len(r.ifaces)) {
		return r.damage(r.in.offset(), "%s is of interface %d, of %d", r.blockName(), id, len(r.ifaces))
	}
	caplen := r.u32(b[20:])
	if caplen > uint32(len(b)-enhancedMinLen) || caplen > MaxCaplen {
		return r.damage(r.in.offset(), "%s has a captured length of %d in a block of %d", r.blockName(), caplen, len(b))
	}
	f := &r.ifaces[id]
	rec.TS = f.stamp(uint64(r.u32(b[12:]))<<32 | uint64(r.u32(b[16:])))
	rec.Wire = r.u32(b[24:])
	rec.LinkType = f.linkType
	n := enhancedPlace + int(caplen)
	rec.Data = b[enhancedPlace:n:n]
	r.in.pos += len(b)
	r.records++
	return nil
}

// readSimple reads the simple packet block that starts here. It does not say how
// much was captured: that is the wire length, cut at the snaplen of interface 0.
func (r *Reader) readSimple(rec *Record) error {
	b, err := r.wholeBlock(simpleMinLen)
	if err != nil {
		return err
	}
	if len(r.ifaces) == 0 {
		return r.damage(r.in.offset(), "%s is of interface 0, of 0", r.blockName())
	}
	f := &r.ifaces[0]
	rec.Wire = r.u32(b[8:])
	caplen := min(rec.Wire, uint32(len(b)-simpleMinLen))
	if f.snaplen > 0 {
		caplen = min(caplen, f.snaplen)
	}
	if caplen > MaxCaplen {
		return r.damage(r.in.offset(), "%s has a captured length of %d, more than %d", r.blockName(), caplen, MaxCaplen)
	}
	rec.TS = f.stamp(0)
	rec.LinkType = f.linkType
	n := simplePlace + int(caplen)
	rec.Data = b[simplePlace:n:n]
	r.in.pos += len(b)
	r.records++
	return nil
}

// readSection reads the section header that starts here, which sets the byte
// order and forgets the interfaces, and leaves its options to be skipped.
func (r *Reader) readSection() error {
	at := r.in.offset()
	if err := r.in.fill(16); err != nil {
		return r.short(at, "section header", sectionMinLen, err)
	}
	b := r.in.rest()
	switch {
	case binary.LittleEndian.Uint32(b[8:]) == orderMagic:
		r.big = false
	case binary.BigEndian.Uint32(b[8:]) == orderMagic:
		r.big = true
	case at == 0: // its first four bytes are line ends: this may be any text
		return notCapture(b)
	default:
		return r.damage(at, "section header without byte order: % x", b[8:12])
	}
	if major, minor := r.u16(b[12:]), r.u16(b[14:]); major != 1 || minor != 0 && minor != 2 {
		return r.damage(at, "pcapng version %d.%d is not known", major, minor)
	}
	r.ifaces = r.ifaces[:0]
	return r.startSkip(blockSection, r.u32(b[4:]), sectionMinLen)
}

// wholeBlock is the block that starts here, after checking its length at both
// ends. It is not consumed, so that errors name its place.
func (r *Reader) wholeBlock(least uint32) ([]byte, error) {
	total := r.u32(r.in.rest()[4:])
	if total < least || total%4 != 0 || total > maxBlock {
		return nil, r.badLength(total)
	}
	n := int(total)
	if err := r.in.fill(n); err != nil {
		return nil, r.short(r.in.offset(), r.blockName(), int64(total), err)
	}
	b := r.in.rest()[:n:n]
	if again := r.u32(b[n-4:]); again != total {
		return nil, r.damage(r.in.offset(), "%s has the lengths %d and %d", r.blockName(), total, again)
	}
	return b, nil
}

// startSkip begins to pass over the block that starts here. All but its last
// four bytes go unseen; finishSkip compares those.
func (r *Reader) startSkip(kind, total, least uint32) error {
	if total < least || total%4 != 0 {
		return r.damage(r.in.offset(), "block of type %#x has a length of %d", kind, total)
	}
	r.skip = skip{at: r.in.offset(), left: int64(total), total: total}
	return nil
}

func (r *Reader) finishSkip() error {
	s := &r.skip
	if s.left > 4 {
		left, err := r.in.discard(s.left - 4)
		s.left = left + 4
		if err != nil {
			return r.short(s.at, "block", int64(s.total), err)
		}
	}
	if err := r.in.fill(4); err != nil {
		return r.short(s.at, "block", int64(s.total), err)
	}
	if again := r.u32(r.in.rest()); again != s.total {
		return r.damage(s.at, "block has the lengths %d and %d", s.total, again)
	}
	r.in.pos += 4
	s.left = 0
	return nil
}

func (r *Reader) badLength(total uint32) error {
	return r.damage(r.in.offset(), "%s has a block length of %d", r.blockName(), total)
}

// blockName names the block that starts here for errors: packets by number.
func (r *Reader) blockName() string {
	if b := r.in.rest(); len(b) >= 4 {
		switch kind := r.u32(b); kind {
		case blockEnhanced, blockPacket, blockSimple:
			return fmt.Sprintf("record %d", r.records+1)
		case blockInterface:
			return fmt.Sprintf("description of interface %d", len(r.ifaces))
		}
	}
	return "block"
}
