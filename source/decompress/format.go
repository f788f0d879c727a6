// Package decompress recognises compressed streams by their magic bytes and
// inflates them. A new format is one row in the table and one file.
//
// A decoder's memory is bounded by its format's window, and its time by a limit on
// how far a stream may expand (see bomb).
package decompress

import (
	"bytes"
	"io"
)

// Format is how a stream is compressed. It indexes the table.
type Format uint8

// The formats.
const (
	Plain Format = iota
	Gzip
	Zstd
	Lz4
	Xz
	Bzip2
)

// HeadLen is how many bytes of a stream Detect wants to see.
const HeadLen = 6

// codec is one format: its name in logs, the test of a stream's first bytes,
// and its decoder.
type codec struct {
	name   string
	begins func(head []byte) bool
	open   func(src io.Reader) (io.ReadCloser, error)
}

var codecs = [...]codec{
	Plain: {"", func([]byte) bool { return false }, openPlain},
	Gzip:  {"gzip", isGzip, openGzip},
	Zstd:  {"zstd", isZstd, openZstd},
	Lz4:   {"lz4", isLz4, openLz4},
	Xz:    {"xz", isXz, openXz},
	Bzip2: {"bzip2", isBzip2, openBzip2},
}

// String is the format's name in logs: empty for a plain stream.
func (f Format) String() string { return codecs[f].name }

// Detect is the format of a stream that begins with head, by its magic bytes
// alone, as many of them as there are. What is not recognised is Plain.
func Detect(head []byte) Format {
	for f, c := range codecs {
		if c.begins(head) {
			return Format(f)
		}
	}
	return Plain
}

// hasMagic says whether head begins with magic.
func hasMagic(head []byte, magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
