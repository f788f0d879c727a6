package pcapfile

import (
	"encoding/binary"
	"fmt"
	"io"

	"pcapdir/source/packet"
)

// Layout of pcap (draft-ietf-opsawg-pcap), all numbers in the writer's order:
//
//	file:   magic 4 · major 2 · minor 2 · zone 4 · sigfigs 4 · snaplen 4 · network 4
//	record: seconds 4 · fraction 4 · captured length 4 · wire length 4 · bytes
//
// Patched versions of libpcap, known by Kuznetzov's name, have an interface, a
// protocol and a packet type between the lengths and the bytes.
const (
	fileHeaderLen       = 24
	recordHeaderLen     = 16
	patchedHeaderLen    = 24
	magicMicro          = 0xa1b2c3d4
	magicMicroSwapped   = 0xd4c3b2a1
	magicNano           = 0xa1b23c4d
	magicNanoSwapped    = 0x4d3cb2a1
	magicPatched        = 0xa1b2cd34
	magicPatchedSwapped = 0x34cdb2a1
)

// lengthOrder is which of a record's two lengths comes first. Writers before
// version 2.4 did not agree; the rules are those of libpcap (sf-pcap.c).
type lengthOrder uint8

const (
	capFirst     lengthOrder = iota
	wireFirst                // before 2.3, and DG/UX with its version 543.0
	smallerIsCap             // 2.3 was written both ways
)

// From is a pcap file (not pcapng) without the records before a place where one begins:
// rest is what is there and behind.
func From(file io.ReaderAt, rest io.Reader) io.Reader {
	return io.MultiReader(io.NewSectionReader(file, 0, fileHeaderLen), rest)
}

// Place says where in the whole capture the next record is, after From: its number,
// and its offset. Offset and errors count from the start of that one then.
func (r *Reader) Place(record uint64, offset int64) {
	r.records = record
	r.in.base += offset - r.in.offset()
}

// readFileHeader reads a pcap file header. Its magic is in the window.
func (r *Reader) readFileHeader() error {
	head := r.in.rest()
	r.headLen = recordHeaderLen
	switch magic := binary.LittleEndian.Uint32(head); magic {
	case magicMicro:
		r.scale = 1000
	case magicNano:
		r.scale = 1
	case magicMicroSwapped:
		r.big, r.scale = true, 1000
	case magicNanoSwapped:
		r.big, r.scale = true, 1
	case magicPatched:
		r.scale, r.headLen = 1000, patchedHeaderLen
	case magicPatchedSwapped:
		r.big, r.scale, r.headLen = true, 1000, patchedHeaderLen
	default:
		return notCapture(head)
	}
	if err := r.in.fill(fileHeaderLen); err != nil {
		return r.short(0, "file header", fileHeaderLen, err)
	}
	head = r.in.rest()
	if err := r.setVersion(r.u16(head[4:]), r.u16(head[6:])); err != nil {
		return err
	}
	// Some writers go beyond the snaplen that they declare. libpcap reads such
	// records and hands on what the snaplen allows, so every tool built on it
	// sees them cut, and so must we. Zero is no limit.
	r.snaplen = int(min(r.u32(head[16:])-1, MaxCaplen-1)) + 1
	// The upper half says how long frame check sequences are, and is no part
	// of the link type.
	r.linkType = uint16(r.u32(head[20:]))
	r.declare(r.linkType)
	r.in.pos += fileHeaderLen
	return nil
}

func (r *Reader) setVersion(major, minor uint16) error {
	switch {
	case major == 2 && minor == 4:
		r.lengths = capFirst
	case major == 2 && minor == 3:
		r.lengths = smallerIsCap
	case major == 2 && minor < 3, major == 543 && minor == 0:
		r.lengths = wireFirst
	default:
		return r.damage(0, "pcap version %d.%d is not known", major, minor)
	}
	return nil
}

// nextRecord is Next for pcap. It is the hot path: one bounds check each for
// header and bytes, and nothing else where both are in the window.
func (r *Reader) nextRecord(rec *Record) error {
	w := &r.in
	b := w.rest()
	if len(b) < r.headLen {
		if err := w.fill(r.headLen); err != nil {
			return r.shortRecord(r.headLen, err)
		}
		b = w.rest()
	}
	h := b[:recordHeaderLen:recordHeaderLen]
	sec, frac := r.u32(h), r.u32(h[4:])
	caplen, wire := r.u32(h[8:]), r.u32(h[12:])
	if r.lengths != capFirst && (r.lengths == wireFirst || caplen > wire) {
		caplen, wire = wire, caplen
	}
	if caplen > MaxCaplen {
		return r.tooLong(caplen)
	}
	n := r.headLen + int(caplen)
	if len(b) < n {
		if err := w.fill(n); err != nil {
			return r.shortRecord(n, err)
		}
		b = w.rest()
	}
	// 32 bits of seconds and a fraction of up to 2147 s cannot overflow: a
	// fraction of a second or more is carried, and has a sign, as in libpcap.
	rec.TS = packet.Time(int64(sec)*1e9 + int64(int32(frac))*r.scale)
	rec.Wire = wire
	rec.LinkType = r.linkType
	end := r.headLen + min(int(caplen), r.snaplen)
	rec.Data = b[r.headLen:end:end]
	w.pos += n
	r.records++
	return nil
}

// tooLong says that the record that starts here claims too many bytes.
func (r *Reader) tooLong(caplen uint32) error {
	return r.damage(r.in.offset(), "record %d has a captured length of %d, more than %d", r.records+1, caplen, MaxCaplen)
}

// shortRecord is why the record that starts here is not to be had. No byte of it
// is a clean end.
func (r *Reader) shortRecord(want int, err error) error {
	if err == io.EOF && len(r.in.rest()) == 0 {
		return io.EOF
	}
	return r.short(r.in.offset(), fmt.Sprintf("record %d", r.records+1), int64(want), err)
}
