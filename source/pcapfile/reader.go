// Package pcapfile frames the records of pcap, pcapng and snoop captures. It reads any
// io.Reader through one reused buffer, copies no record and allocates nothing per
// record; it does not look into packets.
//
// Every byte may be an attacker's: lengths are checked before they are used, the
// buffer grows to one record of bounded size and no further, and whatever is
// readable before damage is delivered before the damage is reported.
package pcapfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"pcapdir/source/packet"
)

// DefaultBuf is the buffer size that NewReader takes for 0: large enough to hide
// the cost of a read call, small enough to stay in a core's second-level cache.
const DefaultBuf = 256 << 10

// MaxCaplen is the most captured bytes that one record may have. libpcap's own
// limit is 256 KiB for network link types; the rest is slack for tools that
// ignore it. A greater length is damage, for no tool has written it.
const MaxCaplen = 1 << 20

// Record is one captured packet as its file frames it.
type Record struct {
	// TS is the record's stamp. Stamps of pcapng that are beyond the years 1823
	// to 2116 saturate there; those of simple packet blocks, which have none,
	// are the interface's zero (the epoch unless it states an offset).
	TS packet.Time
	// Wire is the packet's length on the wire as the file says: in files of
	// some tools it is smaller than len(Data).
	Wire uint32
	// LinkType is the LINKTYPE_ number of the interface.
	LinkType uint16
	// Data is what was captured. It belongs to the Reader and holds until the
	// next call of Next.
	Data []byte
}

// Reader delivers the records of one capture. It has no goroutine and no
// descriptor of its own, so it is not closed. It is for one goroutine.
type Reader struct {
	in      window
	format  format
	big     bool // numbers of the file, or of the current section, are big-endian
	records uint64

	// pcap and snoop
	headLen  int   // of a record, in bytes
	scale    int64 // nanoseconds per unit of the fraction of a second
	lengths  lengthOrder
	linkType uint16
	snaplen  int // no record is handed on longer

	// pcapng
	ifaces []iface // of the current section
	skip   skip

	linkTypes []uint16
	seen      map[uint16]struct{} // linkTypes as a set: a file may declare all 65536
}

// NewReader reads and checks the first header of the capture in src. The buffer
// has bufSize bytes, or DefaultBuf for 0; it grows while a record needs more.
//
// The error is ErrEmpty, ErrNotCapture, a *DamageError, or else wraps the error
// of src.
func NewReader(src io.Reader, bufSize int) (*Reader, error) {
	r := &Reader{in: newWindow(src, bufSize), seen: map[uint16]struct{}{}}
	if err := r.in.fill(4); err != nil {
		return nil, r.noMagic(err)
	}
	if err := r.readFirstHeader(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Reader) readFirstHeader() error {
	switch binary.LittleEndian.Uint32(r.in.rest()) {
	case blockSection:
		r.format = pcapng
		if err := r.readSection(); err != nil {
			return err
		}
		return r.finishSkip()
	case magicSnoop:
		r.format = snoop
		return r.readSnoopHeader()
	default:
		return r.readFileHeader()
	}
}

// format is the kind of file.
type format uint8

const (
	pcap format = iota
	pcapng
	snoop
)

var formatNames = [...]string{pcap: "pcap", pcapng: "pcapng", snoop: "snoop"}

// noMagic says why there are not even the four bytes that tell the formats apart.
func (r *Reader) noMagic(err error) error {
	switch head := r.in.rest(); {
	case err != io.EOF:
		return r.short(0, "file header", 0, err)
	case len(head) == 0:
		return ErrEmpty
	default:
		return notCapture(head)
	}
}

// Next reads the next record into rec. It returns io.EOF at a clean end only,
// and a *DamageError where the capture is damaged or cut short. Any other error
// is one of the underlying reader, wrapped.
//
// After an end, a cut or a read error Next may be called again, and goes on if
// there is more to read by then. After other damage it repeats itself.
func (r *Reader) Next(rec *Record) error {
	switch r.format {
	case pcapng:
		return r.nextBlock(rec)
	case snoop:
		return r.nextSnoop(rec)
	default:
		return r.nextRecord(rec)
	}
}

// Offset is the place in the (decompressed) stream where Next goes on: the end of
// the last record, or the first byte of one that was damaged.
func (r *Reader) Offset() int64 {
	if r.skip.left > 0 {
		return r.skip.at
	}
	return r.in.offset()
}

// Format is "pcap", "pcapng" or "snoop".
func (r *Reader) Format() string { return formatNames[r.format] }

// LinkTypes are the link types that the file has declared so far, each once, in
// order of appearance. The caller owns the slice.
func (r *Reader) LinkTypes() []uint16 { return slices.Clone(r.linkTypes) }

func (r *Reader) declare(linkType uint16) {
	if _, ok := r.seen[linkType]; !ok {
		r.seen[linkType] = struct{}{}
		r.linkTypes = append(r.linkTypes, linkType)
	}
}

// u32 is the number at the start of b in the byte order of the file.
func (r *Reader) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if r.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

// u16 is the number at the start of b in the byte order of the file.
func (r *Reader) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if r.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

// damage is a DamageError for the record or block that starts at the stream offset at.
func (r *Reader) damage(at int64, format string, args ...any) error {
	return &DamageError{Offset: at, Reason: fmt.Sprintf(format, args...)}
}
