package pcaptest

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"pcapdir/source/pcapfile"
)

// Blocks is the kind of block that packets are written in.
type Blocks uint8

// The kinds of packet blocks.
const (
	Enhanced Blocks = iota
	Obsolete        // the packet block, type 2
	Simple          // no stamp; one interface, so one link type
)

// PcapngOptions are the variants of pcapng. The zero value writes one
// little-endian section of enhanced packet blocks in microseconds.
type PcapngOptions struct {
	BigEndian    bool
	Alternate    bool   // every other section has the other byte order
	SectionEvery int    // records of a section; 0: one section
	Interfaces   int    // of each link type, taken in turns; 0: 1
	LinkType     uint16 // 0: each record's own
	Resol        uint8  // if_tsresol, which the file states; 0: absent, microseconds
	Offset       int64  // if_tsoffset, seconds; 0: absent
	SnapLen      uint32 // as stated; nothing is cut
	Blocks       Blocks
	Noise        bool // options everywhere, and blocks that are to be skipped between records
}

// WritePcapng writes recs as one pcapng file. Stamps are cut to the resolution.
func WritePcapng(w io.Writer, o PcapngOptions, recs []pcapfile.Record) error {
	every := o.SectionEvery
	if every <= 0 {
		every = max(len(recs), 1)
	}
	s := section{w: w, o: o, big: o.BigEndian}
	if err := s.start(); err != nil {
		return err
	}
	for i, rec := range recs {
		if i > 0 && i%every == 0 {
			s.big = s.big != o.Alternate
			if err := s.start(); err != nil {
				return err
			}
		}
		if err := s.record(i, rec); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

// section is the section being written: its byte order and interfaces.
type section struct {
	w     io.Writer
	o     PcapngOptions
	big   bool
	links []uint16 // link type of each interface
	body  []byte
}

func (s *section) start() error {
	order := byteOrder(s.big)
	b := order.AppendUint32(nil, 0x1a2b3c4d)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint64(b, ^uint64(0)) // section length not stated
	s.body = s.options(b)
	s.links = s.links[:0]
	return s.block(0x0a0d0d0a)
}

func (s *section) record(i int, rec pcapfile.Record) error {
	if s.o.LinkType != 0 {
		rec.LinkType = s.o.LinkType
	}
	id, err := s.iface(i, rec.LinkType)
	if err != nil {
		return err
	}
	if err := s.noise(i); err != nil {
		return err
	}
	order := byteOrder(s.big)
	switch s.o.Blocks {
	case Simple:
		if id != 0 {
			return fmt.Errorf("a simple packet block cannot be of interface %d", id)
		}
		s.body = append(order.AppendUint32(nil, rec.Wire), rec.Data...)
		return s.block(3)
	case Obsolete:
		s.body = order.AppendUint16(order.AppendUint16(nil, uint16(id)), 0xffff)
	default:
		s.body = order.AppendUint32(nil, uint32(id))
	}
	units, err := s.stamp(rec)
	if err != nil {
		return err
	}
	b := order.AppendUint32(s.body, uint32(units>>32))
	b = order.AppendUint32(b, uint32(units))
	b = order.AppendUint32(b, uint32(len(rec.Data)))
	b = order.AppendUint32(b, rec.Wire)
	s.body = s.options(pad(append(b, rec.Data...)))
	if s.o.Blocks == Obsolete {
		return s.block(2)
	}
	return s.block(6)
}

// iface is an interface for record i, described first where there is none yet.
func (s *section) iface(i int, link uint16) (int, error) {
	each := max(s.o.Interfaces, 1)
	at := slices.Index(s.links, link)
	if at < 0 {
		at = len(s.links)
		for range each {
			s.links = append(s.links, link)
			if err := s.describe(link); err != nil {
				return 0, err
			}
		}
	}
	return at + i%each, nil
}

func (s *section) describe(link uint16) error {
	order := byteOrder(s.big)
	b := order.AppendUint16(nil, link)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, s.o.SnapLen)
	if s.o.Noise {
		b = s.option(b, 2, []byte("eth0\x00"))
	}
	if s.o.Resol != 0 {
		b = s.option(b, 9, []byte{s.o.Resol})
	}
	if s.o.Offset != 0 {
		b = s.option(b, 14, order.AppendUint64(nil, uint64(s.o.Offset)))
	}
	s.body = s.options(b)
	return s.block(1)
}

// stamp is the stamp of rec in units of the interface.
func (s *section) stamp(rec pcapfile.Record) (uint64, error) {
	sec, nsec := split(rec.TS)
	if sec -= s.o.Offset; sec < 0 {
		return 0, fmt.Errorf("pcapng cannot hold the stamp %d with the offset %d", rec.TS, s.o.Offset)
	}
	units, up := uint64(1_000_000), uint64(0)
	if n := int(s.o.Resol & 0x7f); s.o.Resol&0x80 != 0 {
		units, up = 1<<n, 1e9-1 // up, so that reading it back cuts to the same nanosecond
	} else if s.o.Resol != 0 {
		for units = 1; n > 0; n-- {
			units *= 10
		}
	}
	over, whole := bits.Mul64(uint64(sec), units)
	if over != 0 {
		return 0, fmt.Errorf("64 bits cannot hold the stamp %d in units of 1/%d s", rec.TS, units)
	}
	hi, lo := bits.Mul64(uint64(nsec), units)
	lo, carry := bits.Add64(lo, up, 0)
	frac, _ := bits.Div64(hi+carry, lo, 1e9)
	return whole + frac, nil
}

// noise writes blocks that a reader has to skip: one of an unknown type without a
// body, and decryption secrets, once more of them than the default buffer holds.
func (s *section) noise(i int) error {
	if !s.o.Noise {
		return nil
	}
	s.body = nil
	if err := s.block(0x0bad); err != nil {
		return err
	}
	s.body = bytes.Repeat([]byte{0xa5}, 4*(i%7))
	if i == 0 {
		s.body = make([]byte, 600<<10)
	}
	return s.block(10)
}

func (s *section) options(b []byte) []byte {
	if !s.o.Noise {
		return b
	}
	b = s.option(b, 1, []byte("a comment"))
	return append(b, 0, 0, 0, 0)
}

func (s *section) option(b []byte, code uint16, val []byte) []byte {
	order := byteOrder(s.big)
	b = order.AppendUint16(b, code)
	b = order.AppendUint16(b, uint16(len(val)))
	return pad(append(b, val...))
}

// block writes body, padded, between its lengths.
func (s *section) block(kind uint32) error {
	order := byteOrder(s.big)
	body := pad(s.body)
	total := uint32(len(body) + 12)
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, total)
	b = append(b, body...)
	b = order.AppendUint32(b, total)
	_, err := s.w.Write(b)
	return err
}

// pad fills b up to a multiple of 4. Bodies start at one, so len(b) will do.
func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
