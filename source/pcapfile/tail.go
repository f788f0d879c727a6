package pcapfile

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Tail is the capture that r reads, a file of size bytes, without most of it: its
// headers, and what is whole of the records in its last n bytes. head is r's Offset
// behind the first record. It is false where no records can be told there, and where
// file cannot be read.
func (r *Reader) Tail(file io.ReaderAt, head, size int64, n int) (io.Reader, bool) {
	tail := make([]byte, min(int64(n), size))
	if k, err := file.ReadAt(tail, size-int64(len(tail))); k < len(tail) || err != nil && err != io.EOF {
		return nil, false
	}
	at, ok := r.boundary(tail)
	if !ok {
		return nil, false
	}
	if r.format == pcap {
		head = fileHeaderLen // in pcapng interfaces may stand behind the section's
	}
	return io.MultiReader(io.NewSectionReader(file, 0, head), bytes.NewReader(tail[at:])), true
}

// boundary finds a place in tail, which holds the last bytes of the capture, at
// which a record or block begins: from there a chain of them ends exactly where
// tail does, so that whoever reads on from there comes to the last one. The first
// record must have been read. It is false where no chain does so, as in a capture
// that was cut short, and for snoop.
func (r *Reader) boundary(tail []byte) (at int, ok bool) {
	switch r.format {
	case pcap:
		return r.recordBoundary(tail)
	case pcapng:
		return r.blockBoundary(tail)
	default:
		return 0, false
	}
}

// recordBoundary goes from the end, and notes from where a chain leads there. The
// first such place may lie inside of a record whose bytes look like others: its
// chain has joined that of the records by the end.
func (r *Reader) recordBoundary(tail []byte) (at int, ok bool) {
	leads := make([]bool, len(tail)+1)
	leads[len(tail)] = true
	at = len(tail)
	for i := len(tail) - r.headLen; i >= 0; i-- {
		if n := r.recordLen(tail[i:]); n > 0 && i+n <= len(tail) && leads[i+n] {
			leads[i], at = true, i
		}
	}
	return at, at < len(tail)
}

// recordLen is the length of the record that b begins with if its header is one
// that tools write, else 0.
func (r *Reader) recordLen(b []byte) int {
	frac, caplen, wire := int64(r.u32(b[4:])), r.u32(b[8:]), r.u32(b[12:])
	if r.lengths != capFirst {
		caplen = min(caplen, wire)
	}
	if frac*r.scale >= 1e9 || caplen > MaxCaplen {
		return 0
	}
	return r.headLen + int(caplen)
}

// blockBoundary goes back from the end, block by block: each repeats its length at
// its own end.
func (r *Reader) blockBoundary(tail []byte) (at int, ok bool) {
	at = len(tail)
	for at >= blockMinLen {
		n := r.u32(tail[at-4:])
		if n < blockMinLen || n%4 != 0 || int64(n) > int64(at) || r.u32(tail[at-int(n)+4:]) != n {
			break
		}
		at -= int(n)
		if binary.LittleEndian.Uint32(tail[at:]) == blockSection {
			break // what is before it may be of the other byte order
		}
	}
	return at, at < len(tail)
}
