package pcaptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"pcapdir/source/packet"
	"pcapdir/source/pcapfile"
)

// PcapOptions are the variants of pcap. The zero value writes what most tools
// write: version 2.4, little-endian, microseconds.
type PcapOptions struct {
	BigEndian bool
	Patched   bool   // Kuznetzov's: more in each record's header
	Nano      bool   // stamps in nanoseconds; else they are cut to microseconds
	LinkType  uint16 // 0: that of the first record, which all others must share
	FCS       uint16 // upper half of the network field
	SnapLen   uint32 // as stated in the header; nothing is cut
	Minor     uint16 // version 2.Minor; 0: 2.4
	WireFirst bool   // the wire length comes before the captured length
}

// WritePcap writes recs as one pcap file. Stamps must be in 1970 to 2106.
func WritePcap(w io.Writer, o PcapOptions, recs []pcapfile.Record) error {
	order := byteOrder(o.BigEndian)
	magic, unit := uint32(0xa1b2c3d4), int64(1000)
	if o.Nano {
		magic, unit = 0xa1b23c4d, 1
	}
	var patch []byte
	if o.Patched {
		magic, patch = 0xa1b2cd34, []byte("\x00\x00\x00\x02\x08\x00\x04\x00")
	}
	link, err := oneLinkType(o.LinkType, recs)
	if err != nil {
		return err
	}
	minor := o.Minor
	if minor == 0 {
		minor = 4
	}
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, minor)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, o.SnapLen)
	b = order.AppendUint32(b, uint32(o.FCS)<<16|uint32(link))
	if _, err := w.Write(b); err != nil {
		return err
	}
	for i, rec := range recs {
		sec, nsec := split(rec.TS)
		if sec < 0 || sec > math.MaxUint32 {
			return fmt.Errorf("record %d: pcap cannot hold the stamp %d", i, rec.TS)
		}
		b = order.AppendUint32(b[:0], uint32(sec))
		b = order.AppendUint32(b, uint32(nsec/unit))
		first, second := uint32(len(rec.Data)), rec.Wire
		if o.WireFirst {
			first, second = second, first
		}
		b = order.AppendUint32(b, first)
		b = order.AppendUint32(b, second)
		b = append(append(b, patch...), rec.Data...)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

type appendOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func byteOrder(big bool) appendOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func oneLinkType(want uint16, recs []pcapfile.Record) (uint16, error) {
	if want != 0 || len(recs) == 0 {
		return want, nil
	}
	for i, rec := range recs {
		if rec.LinkType != recs[0].LinkType {
			return 0, fmt.Errorf("record %d: link type %d after %d: pcap has one", i, rec.LinkType, recs[0].LinkType)
		}
	}
	return recs[0].LinkType, nil
}

// split is t in whole seconds and nanoseconds within [0, 1e9).
func split(t packet.Time) (sec, nsec int64) {
	sec, nsec = int64(t)/1e9, int64(t)%1e9
	if nsec < 0 {
		return sec - 1, nsec + 1e9
	}
	return sec, nsec
}
