package pcapfile

import (
	"encoding/binary"

	"pcapdir/source/packet"
)

// Layout of snoop (RFC 1761), all numbers big-endian:
//
//	file:   "snoop\0\0\0" 8 · version 4 · data link type 4
//	record: wire length 4 · captured length 4 · record length 4 · drops 4 · seconds 4 · microseconds 4 · bytes · padding
const (
	snoopHeaderLen       = 16
	snoopRecordHeaderLen = 24
	snoopVersion         = 2
	magicSnoop           = 0x6f6f6e73 // "snoo", read as little-endian
)

// snoopLinks are the LINKTYPE_ numbers of the data link types of RFC 1761, and of
// Solaris since, that have one.
var snoopLinks = map[uint32]uint16{
	0:  1,   // IEEE 802.3
	2:  6,   // IEEE 802.5
	4:  1,   // Ethernet
	8:  10,  // FDDI
	18: 123, // SunATM
	26: 242, // IP over InfiniBand
}

// readSnoopHeader reads a snoop file header. Half of its magic is in the window.
func (r *Reader) readSnoopHeader() error {
	if err := r.in.fill(snoopHeaderLen); err != nil {
		return r.short(0, "file header", snoopHeaderLen, err)
	}
	head := r.in.rest()
	if string(head[:8]) != "snoop\x00\x00\x00" {
		return notCapture(head)
	}
	if version := binary.BigEndian.Uint32(head[8:]); version != snoopVersion {
		return r.damage(0, "snoop version %d is not known", version)
	}
	kind := binary.BigEndian.Uint32(head[12:])
	link, ok := snoopLinks[kind]
	if !ok {
		return r.damage(0, "snoop data link type %d is not decoded", kind)
	}
	r.linkType, r.headLen = link, snoopRecordHeaderLen
	r.declare(link)
	r.in.pos += snoopHeaderLen
	return nil
}

// nextSnoop is Next for snoop.
func (r *Reader) nextSnoop(rec *Record) error {
	if err := r.in.fill(snoopRecordHeaderLen); err != nil {
		return r.shortRecord(snoopRecordHeaderLen, err)
	}
	h := r.in.rest()
	wire, caplen, n := binary.BigEndian.Uint32(h), binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	if caplen > MaxCaplen {
		return r.tooLong(caplen)
	}
	end := snoopRecordHeaderLen + caplen
	if n < end || n-end > MaxCaplen {
		return r.damage(r.in.offset(), "record %d has a length of %d with %d captured bytes", r.records+1, n, caplen)
	}
	if err := r.in.fill(int(n)); err != nil {
		return r.shortRecord(int(n), err)
	}
	h = r.in.rest()
	sec, usec := binary.BigEndian.Uint32(h[16:]), binary.BigEndian.Uint32(h[20:])
	rec.TS = packet.Time(int64(sec)*1e9 + int64(usec)*1e3)
	rec.Wire, rec.LinkType = wire, r.linkType
	rec.Data = h[snoopRecordHeaderLen:end:end]
	r.in.pos += int(n)
	r.records++
	return nil
}
