package decodetest

import (
	"bytes"
	"encoding/binary"
)

// Fragments cuts an IP packet without extension headers into fragments of size
// bytes of payload, a multiple of 8, in order. id is their identification; in
// IPv4 its low 16 bits. All headers are right.
func Fragments(ip []byte, id uint32, size int) (all [][]byte) {
	hlen := 40
	if ip[0]>>4 == 4 {
		hlen = int(ip[0]&0xf) * 4
	}
	payload := ip[hlen:]
	for from := 0; from < len(payload); from += size {
		to := min(from+size, len(payload))
		all = append(all, Fragment(ip[:hlen], id, from, to < len(payload), payload[from:to]))
	}
	return all
}

// Fragment is one fragment: header is an IP header, offset that of payload in
// the datagram's, in bytes and a multiple of 8, more says that it is not the last.
func Fragment(header []byte, id uint32, offset int, more bool, payload []byte) []byte {
	be := binary.BigEndian
	b := bytes.Clone(header)
	if b[0]>>4 == 4 {
		word := uint16(offset / 8)
		if more {
			word |= 0x2000
		}
		be.PutUint16(b[2:], uint16(len(header)+len(payload)))
		be.PutUint16(b[4:], uint16(id))
		be.PutUint16(b[6:], word)
		be.PutUint16(b[10:], 0)
		be.PutUint16(b[10:], Sum(b))
		return append(b, payload...)
	}
	next, word := b[6], uint16(offset)
	if more {
		word |= 1
	}
	b[6] = 44
	be.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, next, 0)
	b = be.AppendUint16(b, word)
	b = be.AppendUint32(b, id)
	return append(b, payload...)
}
