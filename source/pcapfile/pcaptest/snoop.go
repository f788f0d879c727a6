package pcaptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"pcapdir/source/pcapfile"
)

// SnoopOptions are the variants of snoop. The zero value writes what Solaris does.
type SnoopOptions struct {
	Pad int // bytes behind each record beside those to the next multiple of 4
}

// snoopLinks are the data link types of LINKTYPE_ numbers.
var snoopLinks = map[uint16]uint32{1: 4, 6: 2, 10: 8}

// WriteSnoop writes recs as one snoop file. Stamps must be in 1970 to 2106, in
// whole microseconds.
func WriteSnoop(w io.Writer, o SnoopOptions, recs []pcapfile.Record) error {
	link, err := oneLinkType(0, recs)
	if err != nil {
		return err
	}
	kind, ok := snoopLinks[link]
	if !ok {
		return fmt.Errorf("snoop has no link type %d", link)
	}
	b := []byte("snoop\x00\x00\x00\x00\x00\x00\x02")
	b = binary.BigEndian.AppendUint32(b, kind)
	for i, rec := range recs {
		sec, nsec := split(rec.TS)
		if sec < 0 || sec > math.MaxUint32 {
			return fmt.Errorf("record %d: snoop cannot hold the stamp %d", i, rec.TS)
		}
		pad := -len(rec.Data)&3 + o.Pad
		for _, n := range []uint32{
			rec.Wire, uint32(len(rec.Data)), uint32(24 + len(rec.Data) + pad), uint32(i), uint32(sec), uint32(nsec / 1000),
		} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		b = append(append(b, rec.Data...), make([]byte, pad)...)
	}
	_, err = w.Write(b)
	return err
}
