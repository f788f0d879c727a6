package source

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"pcapdir/source/decode"
	"pcapdir/source/decode/decodetest"
	"pcapdir/source/defrag"
	"pcapdir/source/packet"
)

// FuzzReassembly feeds IP packets, each behind its length, as a capture would:
// whatever they hold, nothing panics, memory is bounded and every packet that
// comes of them keeps the decoder's promises.
func FuzzReassembly(f *testing.F) {
	ext := decodetest.From("2001:db8::1", "2001:db8::2")
	ext.Ext = []decodetest.Extension{{Type: 0}, {Type: 43}, {Type: 44, Body: []byte{0, 1, 0, 0, 0, 1}}}
	for _, ip := range [][]byte{
		decodetest.From("10.0.0.1", "10.0.0.2").UDP(1, 2, make([]byte, 100)),
		decodetest.From("2001:db8::1", "2001:db8::2").UDP(1, 2, make([]byte, 100)),
	} {
		f.Add(script(append(decodetest.Fragments(ip, 1, 40), ext.Proto(17, make([]byte, 16)))...))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := NewReassembly(defrag.Config{Timeout: time.Second, Datagrams: 10, Bytes: 1 << 16})
		var in decode.Inside
		for len(text) >= 2 {
			n := min(int(binary.BigEndian.Uint16(text)), len(text)-2)
			ip := bytes.Clone(text[2 : 2+n])
			text = text[2+n:]
			var p packet.Packet
			if decode.Decode(101, ip, uint32(n), &p, &in) != packet.DropFragment {
				continue
			}
			r.Add(&p, in.Fragment, func(d *packet.Packet) bool {
				if d.Drop == packet.DropNone && (d.CapLen > d.PayLen || d.IPLen > d.WireLen || d.WireLen > 1<<18) {
					t.Errorf("%+v", d)
				}
				return true
			})
		}
		if r.table.Len() > 10 {
			t.Errorf("%d datagrams in the making", r.table.Len())
		}
	})
}

// script is packets behind their lengths.
func script(packets ...[]byte) (text []byte) {
	for _, p := range packets {
		text = append(binary.BigEndian.AppendUint16(text, uint16(len(p))), p...)
	}
	return text
}
